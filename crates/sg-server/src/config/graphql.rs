//! What GraphQL runs.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sg_schema::Manifest;

/// What GraphQL runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphqlSection {
    /// A manifest of documents, of which any may run and nothing else. Empty: everything runs.
    pub trusted_documents: PathBuf,
}

impl GraphqlSection {
    /// The manifest, if there is to be one.
    pub(crate) fn manifest(&self) -> anyhow::Result<Option<Manifest>> {
        let path = &self.trusted_documents;
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        let named = || format!("cannot use the trusted documents in {}", path.display());
        let text = std::fs::read_to_string(path).with_context(named)?;
        Ok(Some(Manifest::parse(&text).with_context(named)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_that_cannot_be_read_is_named() {
        assert!(GraphqlSection::default().manifest().unwrap().is_none());
        let path = std::env::temp_dir().join(format!("sg-manifest-{}.json", std::process::id()));
        let section = GraphqlSection { trusted_documents: path.clone() };
        let fail = || format!("{:#}", section.manifest().unwrap_err());
        assert!(fail().contains(&path.display().to_string()), "{}", fail());
        std::fs::write(&path, "[]").unwrap();
        assert!(fail().contains("not an object"), "{}", fail());
        std::fs::write(&path, r#"{"a":"{ viewer { id } }"}"#).unwrap();
        assert_eq!(section.manifest().unwrap().unwrap().len(), 1);
        std::fs::remove_file(&path).unwrap();
    }
}
