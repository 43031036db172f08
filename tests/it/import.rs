//! Importing: what goes in is found again, twice changes nothing, secrets stay out, the samples are good.

mod command;
mod history;
mod sample;
mod trash;

use std::path::{Path, PathBuf};

use sg_app::import::{ImportFile, ImportOptions, ImportedFile, Workspace};
use sg_app::{App, SearchRequest};
use sg_domain::{Caller, RankBy, SessionFilter, Timestamp};

/// How these tests import: as people do by default.
const AS_ALWAYS: ImportOptions = ImportOptions { redact: true, dry_run: false };

/// A file of one session with a time that says nothing.
fn file(path: &str, bytes: impl Into<Vec<u8>>) -> ImportFile {
    ImportFile {
        path: path.to_owned(),
        bytes: bytes.into().into(),
        siblings: Vec::new(),
        modified_at: Timestamp::from_micros(1_790_000_000_000_000),
        folder: Path::new(path).parent().unwrap_or(Path::new("")).to_string_lossy().into_owned(),
    }
}

/// Imports files one after the other, in a folder that has no git remote.
async fn import(app: &App, caller: &Caller, files: Vec<ImportFile>) -> Vec<ImportedFile> {
    let importer = app.importer(caller, AS_ALWAYS, None).await.expect("an importer");
    let mut reports = Vec::new();
    for file in files {
        let path = file.path.clone();
        let read = importer.read(file);
        let report = importer.store(read, |_| Workspace::default()).await;
        reports.push(report.unwrap_or_else(|error| panic!("{path}: {error:?}")));
    }
    reports
}

/// The client ids of the sessions that a search finds.
async fn found(app: &App, caller: &Caller, text: &str) -> Vec<String> {
    let request = SearchRequest {
        text: text.to_owned(),
        filter: SessionFilter::default(),
        rank_by: RankBy::Relevance,
        limit: 200,
        offset: 0,
        facets: Vec::new(),
        snippets: false,
        messages_per_hit: 1,
        columns: sg_app::SessionColumns::NARROW,
    };
    let answer = app.search_sessions(caller, &request).await.unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
    answer.page.hits.iter().map(|hit| answer.sessions[&hit.session].client_id.clone()).collect()
}

/// All files below a folder, in the order of their paths.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
