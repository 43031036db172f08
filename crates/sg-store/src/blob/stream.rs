//! Blobs that do not fit into memory: written and read piece by piece.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use object_store::{ObjectStoreExt as _, WriteMultipart};
use sg_domain::{Digest, Hasher, Result};
use zstd::stream::raw::{Decoder, InBuffer, Operation as _, OutBuffer};

use super::{Blobs, LEVEL, blocking, place, refresh};
use crate::Content;
use crate::content::ContentReader;
use crate::error::{StoreError, StoreResult};

/// Bytes that are read, and given out, at a time.
const PIECE_BYTES: usize = 64 * 1_024;
/// Bytes of one part of an upload to an object store, which takes none below 5 MiB.
const PART_BYTES: usize = 8 * 1_024 * 1_024;
/// Parts of one upload that are under way at a time.
const PARTS: usize = 2;

/// A blob's content, piece by piece. It ends in an error when the blob turns out to be damaged.
pub type BlobStream = BoxStream<'static, Result<Bytes>>;

impl Blobs {
    /// See [`Blobs::put_content`]. With the guarantee of [`Blobs::put`].
    pub(super) async fn store_large(&self, content: &Content) -> StoreResult<Digest> {
        let digest = content.digest();
        let content = content.clone();
        if let Some(folder) = self.folder.clone() {
            blocking(true, move || match refresh(&folder, digest)? {
                true => Ok(()),
                false => write_file(&folder, digest, content.reader()),
            })
            .await?;
            return Ok(digest);
        }
        let upload = self.objects.put_multipart(&place(digest)).await?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        match send(&mut upload, Packing::new(content)?).await {
            Ok(()) => {
                upload.finish().await?;
                Ok(digest)
            }
            Err(error) => {
                // What was sent already costs space until the upload is given up.
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%error, %digest, "an upload that failed could not be taken back");
                }
                Err(error)
            }
        }
    }

    /// A blob's content, piece by piece; `None` when there is no such blob. The last piece comes only if all of it matches
    /// the name.
    pub async fn stream(&self, digest: Digest) -> Result<Option<BlobStream>> {
        let frames = match self.objects.get(&place(digest)).await {
            Ok(found) => found.into_stream(),
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(StoreError::from(error).into()),
        };
        let unpacking = Unpacking {
            frames,
            digest,
            frame: Bytes::new(),
            decoder: Decoder::new().map_err(StoreError::from)?,
            is_frame_over: false,
            hasher: Hasher::default(),
            held: None,
        };
        Ok(Some(unpacking.pieces().boxed()))
    }
}

/// Compresses into a staged file, and gives it its name when it is complete and on disk.
fn write_file(folder: &FilePath, digest: Digest, mut content: ContentReader) -> StoreResult<()> {
    let path = folder.join(place(digest).as_ref());
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent)?;
    let (mut staged, file) = Staged::create(&path)?;
    let mut encoder = zstd::stream::write::Encoder::new(file, LEVEL)?;
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let read = content.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        encoder.write_all(&buffer[..read])?;
    }
    encoder.finish()?.sync_all()?;
    std::fs::rename(&staged.0, &path)?;
    staged.0.clear();
    #[cfg(unix)]
    for folder in [Some(parent), parent.parent(), Some(folder)].into_iter().flatten() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The name of a file that is being written; removed unless it was given another one. A killed process leaves it to the
/// sweep, which knows it by its `#`.
struct Staged(PathBuf);

impl Staged {
    fn create(path: &FilePath) -> StoreResult<(Self, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let staged = PathBuf::from(format!("{}#s{}-{number}", path.display(), std::process::id()));
            match File::options().write(true).create_new(true).open(&staged) {
                Ok(file) => return Ok((Self(staged), file)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

/// Content being compressed, a part at a time.
struct Packing {
    content: ContentReader,
    encoder: zstd::stream::write::Encoder<'static, Vec<u8>>,
}

impl Packing {
    fn new(content: Content) -> StoreResult<Self> {
        Ok(Self { content: content.reader(), encoder: zstd::stream::write::Encoder::new(Vec::new(), LEVEL)? })
    }

    /// The next part, and what is left to be compressed after it.
    fn part(mut self) -> StoreResult<(Bytes, Option<Self>)> {
        let mut buffer = vec![0; PIECE_BYTES];
        while self.encoder.get_ref().len() < PART_BYTES {
            let read = self.content.read(&mut buffer)?;
            if read == 0 {
                return Ok((self.encoder.finish()?.into(), None));
            }
            self.encoder.write_all(&buffer[..read])?;
        }
        Ok((std::mem::take(self.encoder.get_mut()).into(), Some(self)))
    }
}

async fn send(upload: &mut WriteMultipart, packing: Packing) -> StoreResult<()> {
    let mut rest = Some(packing);
    while let Some(packing) = rest {
        let (part, next) = blocking(true, || packing.part()).await?;
        upload.wait_for_capacity(PARTS).await?;
        upload.put(part);
        rest = next;
    }
    Ok(())
}

/// A blob being read.
struct Unpacking {
    frames: BoxStream<'static, object_store::Result<Bytes>>,
    digest: Digest,
    /// What has come and is not unpacked yet.
    frame: Bytes,
    decoder: Decoder<'static>,
    is_frame_over: bool,
    hasher: Hasher,
    /// A piece is given out when there is another one behind it, or when all is known to be right.
    held: Option<Bytes>,
}

impl Unpacking {
    fn pieces(self) -> impl Stream<Item = Result<Bytes>> + Send {
        futures_util::stream::unfold(Some(self), |state| async {
            let mut state = state?;
            match state.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(state))),
                Ok(None) => None,
                Err(error) => Some((Err(error.into()), None)),
            }
        })
        // Who compresses an answer asks once more after its end.
        .fuse()
    }

    async fn next(&mut self) -> StoreResult<Option<Bytes>> {
        while let Some(piece) = self.unpack().await? {
            self.hasher.update(&piece);
            if let Some(ready) = self.held.replace(piece) {
                return Ok(Some(ready));
            }
        }
        // Asked once more after the last piece, it finds nothing held and has said already that all is right.
        let last = self.held.take();
        if last.is_some() && (!self.is_frame_over || std::mem::take(&mut self.hasher).finish() != self.digest) {
            return Err(self.damaged("its content has another digest"));
        }
        if last.is_none() && !self.is_frame_over {
            return Err(self.damaged("it is cut off"));
        }
        Ok(last)
    }

    /// The next piece as it comes out of the decoder; small enough not to hold a thread up.
    async fn unpack(&mut self) -> StoreResult<Option<Bytes>> {
        let mut out = vec![0; PIECE_BYTES];
        let mut filled = 0;
        while filled < out.len() {
            let mut output = OutBuffer::around(&mut out[filled..]);
            let mut input = InBuffer::around(&self.frame);
            let done = self.decoder.run(&mut input, &mut output);
            let (taken, made) = (input.pos(), output.pos());
            let hint = done.map_err(|error| self.damaged(&error.to_string()))?;
            drop(self.frame.split_to(taken));
            filled += made;
            if taken > 0 || made > 0 {
                self.is_frame_over = hint == 0;
                continue;
            }
            match self.frames.next().await {
                Some(frame) => self.frame = frame?,
                None => break,
            }
        }
        out.truncate(filled);
        Ok((!out.is_empty()).then(|| out.into()))
    }

    fn damaged(&self, why: &str) -> StoreError {
        StoreError::Corrupt(format!("blob {} is damaged: {why}", self.digest))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::TryStreamExt as _;

    use super::*;
    use crate::{Spool, SpoolPlace};

    /// Hardly compresses, so that there are several parts.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..len).map(|_| next()).collect()
    }

    fn spooled(folder: &FilePath, bytes: &[u8]) -> Content {
        let mut spool = Spool::new(Arc::new(SpoolPlace { folder: folder.to_owned(), memory_bytes: 100 }));
        spool.push(bytes).unwrap();
        spool.finish().unwrap()
    }

    async fn all(blobs: &Blobs, digest: Digest) -> Result<Vec<u8>> {
        let pieces: Vec<Bytes> = blobs.stream(digest).await?.expect("a blob").try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn a_folder_and_an_object_store_give_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let local = Blobs::open(&format!("file://{}", folder.path().display()), &[]).await.unwrap();
        let remote = Blobs { objects: Arc::new(object_store::memory::InMemory::new()), folder: None };
        for bytes in [noise(101), b"line\n".repeat(300_000), noise(20 << 20)] {
            let content = spooled(folder.path(), &bytes);
            for blobs in [&local, &remote] {
                let digest = blobs.put_content(&content).await.unwrap();
                assert_eq!(digest, Digest::of(&bytes));
                assert_eq!(blobs.put_content(&content).await.unwrap(), digest, "again");
                assert!(blobs.get(digest).await.unwrap().unwrap() == bytes);
                assert!(all(blobs, digest).await.unwrap() == bytes);
                let small = blobs.put(b"small".as_slice().into()).await.unwrap();
                assert_eq!(all(blobs, small).await.unwrap(), b"small");
                let empty = blobs.put(Bytes::new()).await.unwrap();
                assert_eq!(all(blobs, empty).await.unwrap(), b"");
            }
            assert!(local.stream(Digest::of(b"none")).await.unwrap().is_none());
        }
        let staged = walk(folder.path()).into_iter().filter(|path| path.contains('#')).count();
        assert_eq!(staged, 0);
    }

    #[tokio::test]
    async fn damage_is_an_error_before_the_last_piece() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&format!("file://{}", folder.path().display()), &[]).await.unwrap();
        let bytes = noise(1 << 20);
        let digest = blobs.put_content(&spooled(folder.path(), &bytes)).await.unwrap();
        let path = folder.path().join(place(digest).as_ref());
        let whole = std::fs::read(&path).unwrap();
        let other = zstd::bulk::compress(&noise(1 << 19), LEVEL).unwrap();
        for damaged in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], &other[..], &[], b"garbage"] {
            std::fs::write(&path, damaged).unwrap();
            assert!(all(&blobs, digest).await.is_err(), "{} bytes", damaged.len());
        }
    }

    fn walk(folder: &FilePath) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path.display().to_string()] }).collect()
    }
}
