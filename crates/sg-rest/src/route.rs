//! A route table as data: the router is built from it and tests walk it, so that no route can stand outside of either.

use axum::routing::MethodRouter;
use http::HeaderValue;
use sg_domain::Scope;

/// One row of a dialect's route table. `G` is what the dialect's handlers work with.
#[derive(Clone, Copy)]
pub struct Route<G> {
    /// The path, with `{name}` for the segments that vary.
    pub path: &'static str,
    /// The methods that this row answers.
    pub methods: &'static [&'static str],
    /// What a caller's key needs; `None` lets everyone in.
    pub scope: Option<Scope>,
    /// The operation, by the name it has in the documents and tests.
    pub name: &'static str,
    pub(crate) answer: fn() -> MethodRouter<G>,
    /// Whether its answers to `GET` tell nothing but the caller's own data, whose version moves with every change of it.
    pub(crate) is_kept: bool,
    /// Whether it says only that this server does not have it.
    pub is_absent: bool,
}

impl<G> Route<G> {
    /// A row that reads: `GET`, and `HEAD` with it.
    pub(crate) const fn read(name: &'static str, path: &'static str, answer: fn() -> MethodRouter<G>) -> Self {
        Self {
            path,
            methods: &["GET", "HEAD"],
            scope: Some(Scope::Read),
            name,
            answer,
            is_kept: false,
            is_absent: false,
        }
    }

    /// A row that changes something, by one method.
    pub(crate) const fn write(
        name: &'static str,
        methods: &'static [&'static str],
        path: &'static str,
        answer: fn() -> MethodRouter<G>,
    ) -> Self {
        Self { path, methods, scope: Some(Scope::Write), name, answer, is_kept: false, is_absent: false }
    }

    /// A row that reads by `POST`: what is asked for stands in the body.
    pub(crate) const fn ask(name: &'static str, path: &'static str, answer: fn() -> MethodRouter<G>) -> Self {
        Self { path, methods: &["POST"], scope: Some(Scope::Read), name, answer, is_kept: false, is_absent: false }
    }

    /// A row for everyone, signed in or not.
    pub(crate) const fn open(
        name: &'static str,
        methods: &'static [&'static str],
        path: &'static str,
        answer: fn() -> MethodRouter<G>,
    ) -> Self {
        Self { path, methods, scope: None, name, answer, is_kept: false, is_absent: false }
    }
}

impl<G> Route<G> {
    /// The same row, its answers kept while the caller's data does not change.
    pub(crate) const fn kept(mut self) -> Self {
        self.is_kept = true;
        self
    }

    /// The same row, there only to say that this server does not have it.
    pub(crate) const fn absent(mut self) -> Self {
        self.is_absent = true;
        self
    }
}

/// The rows of a table by path, in table order: the handlers of each path in one, and the methods it answers as the
/// value of `Allow`.
pub(crate) fn by_path<G: Clone + Send + Sync + 'static>(
    table: impl IntoIterator<Item = &'static Route<G>>,
) -> Vec<(&'static str, MethodRouter<G>, HeaderValue)> {
    let mut paths: Vec<(&'static str, MethodRouter<G>, String)> = Vec::new();
    for route in table {
        let methods = route.methods.join(", ");
        match paths.iter_mut().find(|(path, ..)| *path == route.path) {
            Some((_, answer, allow)) => {
                *answer = std::mem::take(answer).merge((route.answer)());
                *allow = format!("{allow}, {methods}");
            }
            None => paths.push((route.path, (route.answer)(), methods)),
        }
    }
    let header = |allow: String| HeaderValue::try_from(allow + ", OPTIONS").unwrap_or(HeaderValue::from_static(""));
    paths.into_iter().map(|(path, answer, allow)| (path, answer, header(allow))).collect()
}
