//! stub
/// stub
pub fn write(_t: &sg_domain::Transcript) -> String {
    String::new()
}
/// stub
pub fn exchanges(_markdown: &str) -> Vec<sg_domain::Exchange> {
    Vec::new()
}
