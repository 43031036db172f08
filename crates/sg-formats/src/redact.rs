//! stub
use std::borrow::Cow;
use std::collections::BTreeMap;
/// stub
#[derive(Default)]
pub struct Redactor {}
/// stub
pub struct Redacted<'a> {
    /// stub
    pub bytes: Cow<'a, [u8]>,
    /// stub
    pub counts: BTreeMap<&'static str, u64>,
}
impl Redactor {
    /// stub
    pub fn new() -> Self {
        Self {}
    }
    /// stub
    pub fn redact<'a>(&self, bytes: &'a [u8]) -> Redacted<'a> {
        Redacted { bytes: Cow::Borrowed(bytes), counts: BTreeMap::new() }
    }
}
