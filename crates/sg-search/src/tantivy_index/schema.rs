//! The fields of the index, and a session made a block of documents.
//!
//! A session is a block: documents that follow each other in one segment, written in one batch and deleted by one term.
//! First its head (title and everything that filters and facets read), then its labels, then its pieces, then, if it can
//! be resumed, its exchanges. The block is what lets a search know the session of a piece by its place, without joining.
//!
//! An exchange is one document whose words are indexed with their positions, and behind it its parts, which are only
//! stored. Pieces cannot stand in for it: they are cut from messages, whose text is not that of the markdown (a tool's
//! call and output are written differently), a phrase may lie across two of them, and their terms are more than words
//! (`userToken` is also found by `token`). It costs the index of a resumable session about as much again; sessions that
//! cannot be resumed cost nothing. The parts are what makes a list without an end affordable: a hit reads 2 KB there,
//! not a blob of 200.

use sg_domain::Session;
use tantivy::TantivyDocument;
use tantivy::schema::{
    BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, STORED, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TextAnalyzer;

use crate::exchange::Parts;
use crate::piece::{PieceKind, cut_messages, cut_text};
use crate::query::LeafField;
use crate::tokenizer::CodeTokenizer;
use crate::{MAX_EXCHANGE_BYTES, SessionDocument, tokenizer};

use super::word::WordTokenizer;

/// The name that the analysis has in the index.
const ANALYZER: &str = "sessiongraph_code";
/// The name of the analysis of exchanges.
const WORDS: &str = "sessiongraph_words";
/// The engine's own tokenizer: what stands between spaces.
const SPACES: &str = "whitespace";
/// Documents of a block before its pieces.
pub(super) const LEADING_DOCS: u32 = 2;

/// Part of the fingerprint: raise it whenever the analysis, the pieces or the meaning of a field changes.
pub(super) const ANALYSIS_VERSION: u32 = 2;

/// A column of strings that filters and facets read from a block's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Facts {
    Owner,
    Project,
    ClientName,
    Agent,
    Device,
    Machine,
    Branch,
    Model,
    Tag,
    Folder,
    Parent,
    Etag,
}

impl Facts {
    /// Every column, in order of its number.
    pub(super) const ALL: [(Self, &'static str); 12] = [
        (Self::Owner, "owner"),
        (Self::Project, "project_id"),
        (Self::ClientName, "client_name"),
        (Self::Agent, "agent_name"),
        (Self::Device, "device_id"),
        (Self::Machine, "machine_name"),
        (Self::Branch, "branches"),
        (Self::Model, "models"),
        (Self::Tag, "tags"),
        (Self::Folder, "folder"),
        (Self::Parent, "parent_client_id"),
        (Self::Etag, "etag"),
    ];

    /// Its name in the index.
    pub(super) fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// Bits of the `flags` column.
pub(super) const HAS_BRANCHES: u64 = 1;
/// See [`HAS_BRANCHES`].
pub(super) const RESUMABLE: u64 = 2;

/// The schema and its fields.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    /// The session's id, on every document of its block: what a delete names.
    pub(super) session: Field,
    /// One term, on heads only.
    pub(super) head: Field,
    /// What is searched: titles, labels and pieces.
    pub(super) text: Field,
    /// Who speaks, on pieces.
    role: Field,
    /// Tools, on pieces.
    tool: Field,
    /// Ordinal, role and kind in one number; see [`Place`].
    pub(super) place: Field,
    title: Field,
    branch: Field,
    tag: Field,
    project: Field,
    agent: Field,
    model: Field,
    facts: [Field; Facts::ALL.len()],
    id_high: Field,
    id_low: Field,
    activity: Field,
    created: Field,
    flags: Field,
    /// The words of a whole exchange.
    pub(super) exchange: Field,
    /// The beginnings of those words, up to `MAX_START_CHARS`.
    pub(super) starts: Field,
    /// The text of a part of an exchange.
    pub(super) shown: Field,
}

/// Columns of numbers on heads and pieces, by name.
pub(super) const PLACE: &str = "place";
/// See [`PLACE`].
pub(super) const ID_HIGH: &str = "id_high";
/// See [`PLACE`].
pub(super) const ID_LOW: &str = "id_low";
/// See [`PLACE`].
pub(super) const ACTIVITY: &str = "activity";
/// See [`PLACE`].
pub(super) const CREATED: &str = "created";
/// See [`PLACE`].
pub(super) const FLAGS: &str = "flags";

impl Fields {
    /// Makes the schema.
    pub(super) fn new() -> Self {
        let mut builder = Schema::builder();
        let indexed = |option| TextFieldIndexing::default().set_tokenizer(ANALYZER).set_index_option(option);
        let words = || TextOptions::default().set_indexing_options(indexed(IndexRecordOption::WithFreqsAndPositions));
        let unscored = |tokenizer, option| {
            let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_fieldnorms(false);
            TextOptions::default().set_indexing_options(indexing.set_index_option(option))
        };
        let exact = || unscored("raw", IndexRecordOption::Basic);
        let column = || BytesOptions::default().set_fast();
        let session = builder.add_bytes_field("session", BytesOptions::default().set_indexed());
        let head = builder.add_text_field("head", exact());
        let text = builder.add_text_field("text", words() | STORED);
        let role = builder.add_text_field("role", exact());
        let tool = builder.add_text_field("tool", words());
        let place = builder.add_u64_field(PLACE, NumericOptions::default() | FAST);
        let title = builder.add_text_field("title", words());
        let branch = builder.add_text_field("branch", words());
        let tag = builder.add_text_field("tag", words());
        let project = builder.add_text_field("project", words());
        let agent = builder.add_text_field("agent", words());
        let model = builder.add_text_field("model", words());
        let facts = Facts::ALL.map(|(_, name)| builder.add_bytes_field(name, column()));
        let id_high = builder.add_u64_field(ID_HIGH, FAST);
        let id_low = builder.add_u64_field(ID_LOW, FAST);
        let activity = builder.add_i64_field(ACTIVITY, FAST);
        let created = builder.add_i64_field(CREATED, FAST);
        let flags = builder.add_u64_field(FLAGS, FAST);
        let exchange = builder.add_text_field("exchange", unscored(WORDS, IndexRecordOption::WithFreqsAndPositions));
        let starts = builder.add_text_field("starts", unscored(SPACES, IndexRecordOption::Basic));
        let shown = builder.add_text_field("shown", STORED);
        let schema = builder.build();
        Self {
            schema,
            session,
            head,
            text,
            role,
            tool,
            place,
            title,
            branch,
            tag,
            project,
            agent,
            model,
            facts,
            id_high,
            id_low,
            activity,
            created,
            flags,
            exchange,
            starts,
            shown,
        }
    }

    /// The analyses, to be registered with an index.
    pub(super) fn analyzers() -> [(&'static str, TextAnalyzer); 2] {
        [
            (ANALYZER, TextAnalyzer::from(CodeTokenizer::default())),
            (WORDS, TextAnalyzer::from(WordTokenizer::default())),
        ]
    }

    /// The field a clause is looked for in.
    pub(super) fn of(&self, field: LeafField) -> Field {
        match field {
            LeafField::Text => self.text,
            LeafField::Title => self.title,
            LeafField::Branch => self.branch,
            LeafField::Tag => self.tag,
            LeafField::Project => self.project,
            LeafField::Agent => self.agent,
            LeafField::Model => self.model,
            LeafField::Role => self.role,
            LeafField::Tool => self.tool,
        }
    }

    /// The documents of a session, head first.
    pub(super) fn block(&self, document: &SessionDocument) -> Vec<TantivyDocument> {
        let session = &document.session;
        let id = session.id.0.as_bytes();
        let mut docs = vec![self.head_doc(session, &document.project_name), self.labels_doc(session, document)];
        cut_messages(&document.messages, |piece| {
            let mut doc = TantivyDocument::with_capacity(piece.text.len() + 128);
            doc.add_bytes(self.session, id);
            doc.add_text(self.role, piece.role.name());
            piece.tools.iter().for_each(|tool| doc.add_text(self.tool, tool));
            doc.add_u64(self.place, Place { ordinal: piece.ordinal, role: piece.role, kind: piece.kind as u8 }.pack());
            doc.add_text(self.text, &piece.text);
            docs.push(doc);
        });
        if is_resumable(session) {
            self.exchange_docs(document, &mut docs);
        }
        docs
    }

    /// Each exchange, and its parts behind it.
    fn exchange_docs(&self, document: &SessionDocument, docs: &mut Vec<TantivyDocument>) {
        let id = document.session.id.0.as_bytes();
        let mut left = MAX_EXCHANGE_BYTES;
        let start = |place: u32, kind: PieceKind| {
            let mut doc = TantivyDocument::new();
            doc.add_bytes(self.session, id);
            doc.add_u64(self.place, Place { ordinal: place, role: sg_domain::Role::User, kind: kind as u8 }.pack());
            doc
        };
        for (ordinal, text) in document.exchanges.iter().enumerate() {
            let text = tokenizer::cut(text, left);
            left -= text.len();
            let Parts { parts, starts } = Parts::of(text);
            if parts.is_empty() {
                continue;
            }
            let mut doc = start(u32::try_from(ordinal).unwrap_or(u32::MAX), PieceKind::Exchange);
            doc.add_text(self.exchange, text);
            doc.add_text(self.starts, starts);
            docs.push(doc);
            for part in parts {
                let mut doc = start(part.first_word, PieceKind::Part);
                doc.add_text(self.shown, part.text);
                docs.push(doc);
            }
        }
    }

    fn head_doc(&self, session: &Session, project_name: &str) -> TantivyDocument {
        let meta = &session.metadata;
        let mut doc = TantivyDocument::new();
        doc.add_bytes(self.session, session.id.0.as_bytes());
        doc.add_text(self.head, HEAD);
        doc.add_u64(self.place, PieceKind::Title as u64);
        let title = tokenizer::cut(session.title(), crate::piece::MAX_PIECE_BYTES);
        doc.add_text(self.text, title);
        doc.add_text(self.title, title);
        for other in [session.user_title.as_deref(), meta.title.as_deref(), Some(session.name.as_str())] {
            if let Some(other) = other.filter(|other| *other != session.title()) {
                doc.add_text(self.title, other);
            }
        }
        let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        list(&meta.git_branches).iter().for_each(|branch| doc.add_text(self.branch, branch));
        list(&meta.tags).iter().for_each(|tag| doc.add_text(self.tag, tag));
        list(&meta.llm_models).iter().for_each(|model| doc.add_text(self.model, model));
        doc.add_text(self.project, project_name);
        doc.add_text(self.project, session.project_id.as_str());
        meta.agent_name.iter().for_each(|agent| doc.add_text(self.agent, agent));
        doc.add_text(self.agent, &session.format);

        let mut fact = |fact: Facts, value: &str| doc.add_bytes(self.facts[fact as usize], value.as_bytes());
        fact(Facts::Owner, session.owner.as_str());
        fact(Facts::Project, session.project_id.as_str());
        fact(Facts::Etag, &session.etag);
        let one = [
            (Facts::ClientName, &meta.client_name),
            (Facts::Agent, &meta.agent_name),
            (Facts::Device, &meta.device_id),
            (Facts::Machine, &meta.machine_name),
            (Facts::Folder, &meta.folder),
            (Facts::Parent, &session.parent_client_id),
        ];
        one.into_iter().for_each(|(column, value)| value.iter().for_each(|value| fact(column, value)));
        let many = [(Facts::Branch, &meta.git_branches), (Facts::Model, &meta.llm_models), (Facts::Tag, &meta.tags)];
        for (column, values) in many {
            let mut values = list(values);
            // Each once: a facet counts sessions.
            values.sort_unstable();
            values.dedup();
            values.iter().for_each(|value| fact(column, value));
        }
        let (high, low) = session.id.0.as_u64_pair();
        doc.add_u64(self.id_high, high);
        doc.add_u64(self.id_low, low);
        doc.add_i64(self.activity, session.activity_at.micros());
        doc.add_i64(self.created, session.created_at.micros());
        let mut flags = 0;
        if meta.git_branches.as_ref().is_some_and(|branches| !branches.is_empty()) {
            flags |= HAS_BRANCHES;
        }
        if is_resumable(session) {
            flags |= RESUMABLE;
        }
        doc.add_u64(self.flags, flags);
        doc
    }

    /// What a person knows a session by, besides its title and what was said.
    fn labels_doc(&self, session: &Session, document: &SessionDocument) -> TantivyDocument {
        let meta = &session.metadata;
        let mut doc = TantivyDocument::new();
        doc.add_bytes(self.session, session.id.0.as_bytes());
        doc.add_u64(self.place, PieceKind::Labels as u64);
        let mut labels = vec![document.project_name.as_str(), session.name.as_str(), session.client_id.as_str()];
        let known = [
            &session.alias,
            &session.parent_client_id,
            &session.agent_id,
            &meta.title,
            &meta.agent_name,
            &meta.folder,
            &meta.git_remote,
            &meta.machine_name,
            &meta.summary,
        ];
        labels.extend(known.into_iter().flatten().map(String::as_str));
        let lists = [&meta.git_branches, &meta.tags, &meta.llm_models];
        labels.extend(lists.into_iter().flatten().flatten().map(String::as_str));
        let text = labels.join("\n");
        doc.add_text(self.text, cut_text(&text).first().copied().unwrap_or_default());
        doc
    }
}

/// Whether another machine can go on with a session.
fn is_resumable(session: &Session) -> bool {
    session.session_data_size.is_some_and(|size| size > 0)
}

/// The term of heads.
pub(super) const HEAD: &str = "h";

/// Where a piece stands and what it is, in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ordinal: u32,
    pub(super) role: sg_domain::Role,
    pub(super) kind: u8,
}

impl Place {
    fn pack(self) -> u64 {
        u64::from(self.ordinal) << 16 | (self.role as u64) << 8 | u64::from(self.kind)
    }

    /// Reads the number back.
    pub(super) fn unpack(packed: u64) -> Self {
        let role = sg_domain::Role::ALL[(packed >> 8) as usize & 3];
        Self { ordinal: (packed >> 16) as u32, role, kind: packed as u8 & 15 }
    }
}
