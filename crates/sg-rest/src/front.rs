//! Which dialect answers a request: all of them speak at their documented paths from the root of one server.
//!
//! Where two claim the same path, the caller's credential decides who is asked first; what that one does not
//! route falls through to the next. `/specstory/…` and `/sessionfs/…` reach one dialect alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::Uri;
use http::uri::PathAndQuery;
use sg_domain::{Caller, Dialect};
use tower::ServiceExt as _;

use crate::route::Route;
use crate::{sessionfs, specstory};

/// Every dialect, behind one door. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    sides: Arc<Vec<Side>>,
}

/// Paths, to be asked for one.
type Paths = matchit::Router<()>;

/// One dialect.
struct Side {
    dialect: Dialect,
    /// The paths that it routes.
    paths: Paths,
    /// The same with those that it only says it does not have.
    all_paths: Paths,
    /// Its rows, for those who ask what it owns.
    rows: Vec<(&'static str, &'static [&'static str])>,
    /// A path as the dialect spells it.
    spelled: for<'a> fn(&'a str) -> Cow<'a, str>,
    router: Router,
}

impl Front {
    /// The dialects by what each needs.
    pub fn new(specstory: Router, sessionfs: Router) -> Self {
        let sides = vec![
            Side::new(Dialect::Specstory, specstory::ROUTES, |path| Cow::Borrowed(path), specstory),
            Side::new(Dialect::Sessionfs, sessionfs::routes(), sessionfs::spelled, sessionfs),
        ];
        Self { sides: Arc::new(sides) }
    }

    /// Answers a request that is a dialect's; gives back one that is nobody's. It expects an `Extension<Caller>`, as the
    /// dialects do.
    pub async fn answer(&self, mut request: Request) -> Result<Response, Request> {
        let path = request.uri().path();
        let alone = self.sides.iter().find(|side| {
            let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(side.dialect.name()));
            rest.is_some_and(|rest| rest.starts_with('/'))
        });
        let side = match alone {
            Some(side) => {
                let prefix = side.dialect.name().len() + 1;
                let rest = path[prefix..].to_owned();
                set_path(&mut request, &rest);
                side
            }
            None => match self.choose(&request) {
                Some(side) => side,
                None => return Err(request),
            },
        };
        if let Cow::Owned(path) = (side.spelled)(request.uri().path()) {
            set_path(&mut request, &path);
        }
        match side.router.clone().oneshot(request).await {
            Ok(response) => Ok(response),
            Err(never) => Ok(never.into_response()),
        }
    }

    /// The first in order that routes the path, which also words its 405; else, below `/api/v1`, the first of all, which
    /// words its own 404.
    fn choose(&self, request: &Request) -> Option<&Side> {
        let first = request.extensions().get::<Caller>().map(|caller| caller.dialect).unwrap_or_default();
        let path = request.uri().path();
        let ordered = || {
            let is_first = |side: &&Side| side.dialect == first;
            self.sides.iter().filter(is_first).chain(self.sides.iter().filter(move |side| side.dialect != first))
        };
        ordered()
            .find(|side| side.routes(path, first))
            .or_else(|| ordered().next().filter(|_| path == "/api/v1" || path.starts_with("/api/v1/")))
    }

    /// Who owns what: method and path, and the dialects that claim it, the default one first.
    pub fn owners(&self) -> BTreeMap<(&'static str, &'static str), Vec<Dialect>> {
        let mut owners: BTreeMap<_, Vec<Dialect>> = BTreeMap::new();
        for side in self.sides.iter() {
            for (path, methods) in &side.rows {
                for method in methods.iter() {
                    owners.entry((*path, *method)).or_default().push(side.dialect);
                }
            }
        }
        owners
    }
}

impl Side {
    fn new<G: 'static>(
        dialect: Dialect,
        routes: impl IntoIterator<Item = &'static Route<G>>,
        spelled: for<'a> fn(&'a str) -> Cow<'a, str>,
        router: Router,
    ) -> Self {
        let routes: Vec<&'static Route<G>> = routes.into_iter().collect();
        let built: Vec<_> = routes.iter().copied().filter(|route| !route.is_absent).collect();
        let (paths, all_paths) = (paths(&built), paths(&routes));
        let rows = built.iter().map(|route| (route.path, route.methods)).collect();
        Self { dialect, paths, all_paths, rows, spelled, router }
    }

    /// Whether it routes a path, for clients of a dialect.
    fn routes(&self, path: &str, first: Dialect) -> bool {
        let paths = if self.dialect == first { &self.all_paths } else { &self.paths };
        paths.at(&(self.spelled)(path)).is_ok()
    }
}

fn paths<G>(routes: &[&'static Route<G>]) -> Paths {
    let distinct: BTreeSet<&'static str> = routes.iter().map(|route| route.path).collect();
    let mut paths = Paths::new();
    for path in distinct {
        if let Err(error) = paths.insert(path, ()) {
            // The router of the same rows has panicked already: this cannot be the first to hear of it.
            tracing::error!(%error, path, "a route cannot be told from another");
        }
    }
    paths
}

/// The dialect of those who show no credential that tells: the first that routes the path.
pub fn default_dialect(path: &str) -> Option<Dialect> {
    static SPECSTORY: LazyLock<Paths> = LazyLock::new(|| paths(&specstory::ROUTES.iter().collect::<Vec<_>>()));
    static SESSIONFS: LazyLock<Paths> =
        LazyLock::new(|| paths(&sessionfs::routes().filter(|route| !route.is_absent).collect::<Vec<_>>()));
    let alone = |dialect: &Dialect| {
        path.strip_prefix('/').and_then(|path| path.strip_prefix(dialect.name())).is_some_and(|p| p.starts_with('/'))
    };
    if let Some(alone) = Dialect::ALL.into_iter().find(alone) {
        return Some(alone);
    }
    if SPECSTORY.at(path).is_ok() {
        Some(Dialect::Specstory)
    } else if SESSIONFS.at(&sessionfs::spelled(path)).is_ok() {
        Some(Dialect::Sessionfs)
    } else {
        None
    }
}

/// A path without the prefix that reaches one dialect alone.
pub fn behind_prefix(path: &str) -> &str {
    let rest = |dialect: Dialect| path.strip_prefix('/')?.strip_prefix(dialect.name());
    Dialect::ALL.into_iter().filter_map(rest).find(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// Whether a dialect answers this path for everyone, at the cost of more than a word: not whether it is well.
pub fn is_open(path: &str) -> bool {
    static OPEN: LazyLock<[Paths; 2]> = LazyLock::new(|| {
        let sessionfs = sessionfs::routes().filter(|route| route.scope.is_none() && route.path.starts_with("/api/v1/"));
        let sessionfs: Vec<_> = sessionfs.filter(|route| !route.path.ends_with("/health")).collect();
        [paths(&specstory::ROUTES.iter().filter(|route| route.scope.is_none()).collect::<Vec<_>>()), paths(&sessionfs)]
    });
    let [of_specstory, of_sessionfs] = &*OPEN;
    of_specstory.at(path).is_ok() || of_sessionfs.at(&sessionfs::spelled(path)).is_ok()
}

/// Puts another path in front of the same query.
fn set_path(request: &mut Request, path: &str) {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(path) = PathAndQuery::try_from(format!("{path}{query}")) else { return };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(path);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}
