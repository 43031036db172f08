//! What an upload says, taken from the events of its JSON: long strings go into spools, short ones into bounded buffers.
//! Of a name that comes twice the last counts, as in every JSON parser that its clients use.

use std::sync::Arc;

use sg_app::{Content, Spool, SpoolPlace};
use sg_domain::{Error, SessionMetadata, wtf8};

use super::json::{Event, NotJson};

/// The longest project name, session name or text of the metadata, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1_024;
/// The most entries of a list of the metadata.
const MAX_LIST: usize = 1_000;

/// Why an upload cannot be taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is not JSON, or not an object.
    NotJson,
    /// Anything else, with its kind and text.
    Because(Error),
}

impl From<NotJson> for Refused {
    fn from(_: NotJson) -> Self {
        Self::NotJson
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Because(error)
    }
}

/// The upload.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) project_name: String,
    pub(super) name: String,
    pub(super) markdown: Content,
    pub(super) raw_data: Content,
    pub(super) session_data: Option<Content>,
    pub(super) metadata: SessionMetadata,
}

/// A member's value as far as it matters.
#[derive(Debug, Default)]
enum Slot<T> {
    #[default]
    Absent,
    /// Of another type.
    Wrong,
    Is(T),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    ProjectName,
    Name,
    Markdown,
    RawData,
    SessionData,
    Metadata,
}

impl Field {
    fn named(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"projectName" => Self::ProjectName,
            b"name" => Self::Name,
            b"markdown" => Self::Markdown,
            b"rawData" => Self::RawData,
            b"sessionData" => Self::SessionData,
            b"metadata" => Self::Metadata,
            // `projectId` is one of these: the path decides.
            _ => return None,
        })
    }
}

/// Texts of the metadata that are taken; whatever else is in it is left out, as the hosted service does.
const TEXTS: [&str; 9] = [
    "clientName",
    "clientVersion",
    "agentName",
    "deviceId",
    "machineName",
    "title",
    "markdownVersion",
    "summary",
    "agentVersion",
];
/// Lists of the metadata that are taken.
const LISTS: [&str; 3] = ["gitBranches", "llmModels", "tags"];

#[derive(Debug, Default)]
struct Metadata {
    texts: [Slot<String>; TEXTS.len()],
    lists: [Slot<Vec<String>>; LISTS.len()],
}

/// Where the string that is being read goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Nowhere,
    Key,
    /// A short field.
    Text(Field),
    /// A long one.
    Spool(Field),
    MetadataText(usize),
    MetadataItem(usize),
}

/// Takes the events of one document.
#[derive(Debug)]
pub(super) struct Fields {
    place: Arc<SpoolPlace>,
    /// How many arrays and objects are open.
    depth: usize,
    key: Vec<u8>,
    /// The member of the document that is being read.
    field: Option<Field>,
    /// The member of the metadata that is being read: its place in `TEXTS`, or behind those in `LISTS`.
    entry: Option<usize>,
    target: Target,
    buffer: Vec<u8>,
    spool: Option<Spool>,
    project_name: Slot<String>,
    name: Slot<String>,
    markdown: Slot<Content>,
    raw_data: Slot<Content>,
    session_data: Slot<Content>,
    metadata: Slot<Metadata>,
}

impl Fields {
    pub(super) fn new(place: Arc<SpoolPlace>) -> Self {
        Self {
            place,
            depth: 0,
            key: Vec::new(),
            field: None,
            entry: None,
            target: Target::Nowhere,
            buffer: Vec::new(),
            spool: None,
            project_name: Slot::Absent,
            name: Slot::Absent,
            markdown: Slot::Absent,
            raw_data: Slot::Absent,
            session_data: Slot::Absent,
            metadata: Slot::Absent,
        }
    }

    /// Takes an event.
    pub(super) fn take(&mut self, event: Event<'_>) -> Result<(), Refused> {
        match event {
            Event::BeginObject | Event::BeginArray => {
                let is_object = event == Event::BeginObject;
                match self.depth {
                    0 if !is_object => return Err(Refused::NotJson),
                    0 => {}
                    1 if is_object && self.field == Some(Field::Metadata) => {
                        self.metadata = Slot::Is(Metadata::default());
                    }
                    2 if !is_object && self.list().is_some() => self.set_list(Slot::Is(Vec::new())),
                    _ => self.wrong(),
                }
                self.depth += 1;
            }
            Event::EndObject | Event::EndArray => self.depth -= 1,
            Event::BeginKey => {
                self.key.clear();
                self.target = Target::Key;
            }
            Event::EndKey => match self.depth {
                1 => self.field = Field::named(&self.key),
                2 if self.in_metadata() => self.entry = entry(&self.key),
                _ => {}
            },
            Event::BeginString => self.begin_string()?,
            Event::Text(bytes) => self.text(bytes)?,
            Event::EndString => self.end_string()?,
            Event::Null => self.null()?,
            Event::Scalar if self.depth == 0 => return Err(Refused::NotJson),
            Event::Scalar => self.wrong(),
        }
        Ok(())
    }

    fn in_metadata(&self) -> bool {
        self.field == Some(Field::Metadata) && matches!(self.metadata, Slot::Is(_))
    }

    /// The list of the metadata that is being read.
    fn list(&self) -> Option<usize> {
        self.entry.filter(|_| self.in_metadata())?.checked_sub(TEXTS.len())
    }

    fn set_list(&mut self, slot: Slot<Vec<String>>) {
        if let (Some(list), Slot::Is(metadata)) = (self.list(), &mut self.metadata) {
            metadata.lists[list] = slot;
        }
    }

    /// A value of another type than wanted has come.
    fn wrong(&mut self) {
        match (self.depth, self.field) {
            (1, Some(Field::ProjectName)) => self.project_name = Slot::Wrong,
            (1, Some(Field::Name)) => self.name = Slot::Wrong,
            (1, Some(Field::Markdown)) => self.markdown = Slot::Wrong,
            (1, Some(Field::RawData)) => self.raw_data = Slot::Wrong,
            (1, Some(Field::SessionData)) => self.session_data = Slot::Wrong,
            (1, Some(Field::Metadata)) => self.metadata = Slot::Wrong,
            // A member of the metadata, or an item of one of its lists.
            (2 | 3, Some(Field::Metadata)) => {
                if let (Some(entry), Slot::Is(metadata)) = (self.entry, &mut self.metadata) {
                    match entry.checked_sub(TEXTS.len()) {
                        Some(list) => metadata.lists[list] = Slot::Wrong,
                        None => metadata.texts[entry] = Slot::Wrong,
                    }
                }
            }
            _ => {}
        }
    }

    /// `null` is as if the member were not there.
    fn null(&mut self) -> Result<(), Refused> {
        match (self.depth, self.field) {
            (0, _) => return Err(Refused::NotJson),
            (1, Some(Field::ProjectName)) => self.project_name = Slot::Absent,
            (1, Some(Field::Name)) => self.name = Slot::Absent,
            (1, Some(Field::Markdown)) => self.markdown = Slot::Absent,
            (1, Some(Field::RawData)) => self.raw_data = Slot::Absent,
            (1, Some(Field::SessionData)) => self.session_data = Slot::Absent,
            (1, Some(Field::Metadata)) => self.metadata = Slot::Absent,
            (2, Some(Field::Metadata)) => {
                if let (Some(entry), Slot::Is(metadata)) = (self.entry, &mut self.metadata) {
                    match entry.checked_sub(TEXTS.len()) {
                        Some(list) => metadata.lists[list] = Slot::Absent,
                        None => metadata.texts[entry] = Slot::Absent,
                    }
                }
            }
            _ => self.wrong(),
        }
        Ok(())
    }

    fn begin_string(&mut self) -> Result<(), Refused> {
        self.buffer.clear();
        self.target = match (self.depth, self.field) {
            (0, _) => return Err(Refused::NotJson),
            (1, Some(field @ (Field::ProjectName | Field::Name))) => Target::Text(field),
            (1, Some(field @ (Field::Markdown | Field::RawData | Field::SessionData))) => {
                self.spool = Some(Spool::new(Arc::clone(&self.place)));
                Target::Spool(field)
            }
            (2, Some(Field::Metadata)) => match self.entry.filter(|entry| self.in_metadata() && *entry < TEXTS.len()) {
                Some(text) => Target::MetadataText(text),
                None => {
                    self.wrong();
                    Target::Nowhere
                }
            },
            (3, Some(Field::Metadata)) => match (self.list(), &self.metadata) {
                (Some(list), Slot::Is(metadata)) if matches!(metadata.lists[list], Slot::Is(_)) => {
                    Target::MetadataItem(list)
                }
                _ => Target::Nowhere,
            },
            _ => {
                self.wrong();
                Target::Nowhere
            }
        };
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        match self.target {
            Target::Nowhere => {}
            // A longer key is none that is known; cut, it stays none.
            Target::Key => self.key.extend(&bytes[..bytes.len().min(64_usize.saturating_sub(self.key.len()))]),
            Target::Spool(_) => {
                if let Some(spool) = &mut self.spool {
                    spool.push(bytes)?;
                }
            }
            Target::Text(_) | Target::MetadataText(_) | Target::MetadataItem(_) => {
                if self.buffer.len() + bytes.len() > MAX_TEXT_BYTES {
                    let what = match self.target {
                        Target::Text(field) => name(field).to_owned(),
                        Target::MetadataText(text) => format!("metadata.{}", TEXTS[text]),
                        Target::MetadataItem(list) => format!("metadata.{}", LISTS[list]),
                        _ => String::new(),
                    };
                    return Err(Error::invalid(format!("{what} is longer than {MAX_TEXT_BYTES} bytes")).into());
                }
                self.buffer.extend_from_slice(bytes);
            }
        }
        Ok(())
    }

    fn end_string(&mut self) -> Result<(), Refused> {
        let text = || wtf8::lossy(&self.buffer).into_owned();
        match self.target {
            Target::Nowhere | Target::Key => {}
            Target::Text(Field::ProjectName) => self.project_name = Slot::Is(text()),
            Target::Text(_) => self.name = Slot::Is(text()),
            Target::Spool(field) => {
                if let Some(spool) = self.spool.take() {
                    let content = Slot::Is(spool.finish()?);
                    match field {
                        Field::Markdown => self.markdown = content,
                        Field::RawData => self.raw_data = content,
                        _ => self.session_data = content,
                    }
                }
            }
            Target::MetadataText(entry) => {
                let text = text();
                if let Slot::Is(metadata) = &mut self.metadata {
                    metadata.texts[entry] = Slot::Is(text);
                }
            }
            Target::MetadataItem(list) => {
                let text = text();
                if let Slot::Is(metadata) = &mut self.metadata
                    && let Slot::Is(items) = &mut metadata.lists[list]
                {
                    if items.len() >= MAX_LIST {
                        let what = LISTS[list];
                        return Err(Error::invalid(format!("metadata.{what} has more than {MAX_LIST} entries")).into());
                    }
                    items.push(text);
                }
            }
        }
        self.target = Target::Nowhere;
        Ok(())
    }

    /// What the document said, once it is over.
    pub(super) fn finish(self) -> Result<Upload, Error> {
        Ok(Upload {
            project_name: required(self.project_name, Field::ProjectName, |text| text.trim().is_empty())?,
            name: required(self.name, Field::Name, |text| text.trim().is_empty())?,
            markdown: required(self.markdown, Field::Markdown, Content::is_empty)?,
            raw_data: required(self.raw_data, Field::RawData, Content::is_empty)?,
            // Nothing is no JSON text: as if it were not there.
            session_data: optional(self.session_data, "sessionData", "a string")?.filter(|data| !data.is_empty()),
            metadata: match optional(self.metadata, "metadata", "an object")? {
                Some(metadata) => metadata.finish()?,
                None => SessionMetadata::default(),
            },
        })
    }
}

impl Metadata {
    fn finish(self) -> Result<SessionMetadata, Error> {
        let mut metadata = SessionMetadata::default();
        for (name, slot) in TEXTS.iter().zip(self.texts) {
            let text = optional(slot, &format!("metadata.{name}"), "a string or null")?;
            match *name {
                "clientName" => metadata.client_name = text,
                "clientVersion" => metadata.client_version = text,
                "agentName" => metadata.agent_name = text,
                "agentVersion" => metadata.agent_version = text,
                "deviceId" => metadata.device_id = text,
                "machineName" => metadata.machine_name = text,
                "title" => metadata.title = text,
                "markdownVersion" => metadata.markdown_version = text,
                _ => metadata.summary = text,
            }
        }
        for (name, slot) in LISTS.iter().zip(self.lists) {
            let list = optional(slot, &format!("metadata.{name}"), "a list of strings or null")?;
            match *name {
                "gitBranches" => metadata.git_branches = list,
                "llmModels" => metadata.llm_models = list,
                _ => metadata.tags = list,
            }
        }
        Ok(metadata)
    }
}

fn entry(key: &[u8]) -> Option<usize> {
    TEXTS.iter().chain(&LISTS).position(|name| name.as_bytes() == key)
}

fn name(field: Field) -> &'static str {
    match field {
        Field::ProjectName => "projectName",
        Field::Name => "name",
        Field::Markdown => "markdown",
        Field::RawData => "rawData",
        Field::SessionData => "sessionData",
        Field::Metadata => "metadata",
    }
}

fn required<T>(slot: Slot<T>, field: Field, is_empty: impl FnOnce(&T) -> bool) -> Result<T, Error> {
    let name = name(field);
    match optional(slot, name, "a string")? {
        Some(value) if !is_empty(&value) => Ok(value),
        _ => Err(Error::invalid(format!("Missing required field: {name}"))),
    }
}

fn optional<T>(slot: Slot<T>, name: &str, what: &str) -> Result<Option<T>, Error> {
    match slot {
        Slot::Absent => Ok(None),
        Slot::Is(value) => Ok(Some(value)),
        Slot::Wrong => Err(Error::invalid(format!("Invalid value for {name}. Must be {what}"))),
    }
}
