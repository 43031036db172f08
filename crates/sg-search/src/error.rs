//! What can go wrong in an index.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use tantivy::TantivyError;

/// A fault of an index.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    /// Another process writes to it.
    #[error("another process has this index open: {}", .0.display())]
    Busy(PathBuf),
    /// It was opened to be read.
    #[error("this index is open for reading only, write to it through the process that owns it")]
    ReadOnly,
    /// There is nothing to read yet.
    #[error("there is no usable index in {}, start the server once or run reindex", .0.display())]
    Missing(PathBuf),
    /// A rebuild runs already.
    #[error("the index is being rebuilt already, wait until that is done")]
    Rebuilding,
    /// The rebuild that this belonged to is over.
    #[error("this rebuild of the index is over, start another one")]
    RebuildOver,
    /// A file or folder.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The engine.
    #[error("the search engine failed")]
    Engine(#[from] TantivyError),
    /// A panic of the engine.
    #[error("the search engine panicked: {0}")]
    Panic(String),
}

impl IndexError {
    /// Whether the files cannot be trusted any more.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Panic(_) => true,
            // A full or failing disk is not damage; missing or cut files are.
            Self::Engine(TantivyError::IoError(error)) => {
                matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
            }
            Self::Engine(error) => matches!(
                error,
                TantivyError::DataCorruption(_)
                    | TantivyError::OpenReadError(_)
                    | TantivyError::IncompatibleIndex(_)
                    | TantivyError::InternalError(_)
                    | TantivyError::SchemaError(_)
            ),
            _ => false,
        }
    }
}

impl From<IndexError> for sg_domain::Error {
    fn from(error: IndexError) -> Self {
        match &error {
            IndexError::Busy(_) | IndexError::Missing(_) | IndexError::ReadOnly => {
                sg_domain::Error::unavailable(error.to_string(), error)
            }
            IndexError::Rebuilding | IndexError::RebuildOver => {
                sg_domain::Error::new(sg_domain::ErrorKind::Conflict, error.to_string()).because(error)
            }
            IndexError::File { .. } | IndexError::Engine(_) | IndexError::Panic(_) => sg_domain::Error::internal(error),
        }
    }
}
