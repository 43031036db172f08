//! Sessions that read like real ones: SpecStory markdown with prompts, answers, code and tool output, made from a seed,
//! so that every run indexes the same words. Common words are common and identifiers are many, as in real text.

use std::fmt::Write as _;

/// A small generator of numbers; good enough to choose words with, the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    /// Starts from a seed; equal seeds give equal numbers.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        random.next();
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // The modulus is tiny beside 2^64, its bias does not matter here.
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    /// One of these, the first far more often than the last, as words are in texts.
    pub(crate) fn skewed<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = self.below(of.len()).min(self.below(of.len())).min(self.below(of.len()));
        of.get(at).copied().unwrap_or_default()
    }

    fn even<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = self.below(of.len());
        of.get(at).copied().unwrap_or_default()
    }
}

const WORDS: &str = "the a to is of and in it that for with on this when not be from are as by was if so only one \
    we after before because which request test error value file function call returns query change table index \
    session server client connection cache page limit build result type state message thread token path config log \
    row column key lock retry timeout deploy branch commit merge review schema field argument option default handler \
    route response header body stream buffer chunk parser writer reader worker queue job batch event trace span metric \
    counter memory leak heap stack panic crash race deadlock starvation latency throughput percentile regression \
    benchmark profile allocation pointer borrow lifetime closure iterator future executor runtime scheduler mutex \
    semaphore channel socket certificate handshake cipher signature checksum hash digest replica leader follower quorum \
    snapshot segment compaction tombstone partition shard migration rollback transaction isolation cursor keyset \
    pagination tokenizer stemmer ranking snippet facet posting bitmap bloom filter encoder decoder varint endian \
    alignment padding overflow underflow rounding locale collation normalisation grapheme surrogate";
const STEMS: &[&str] = &[
    "user", "order", "invoice", "tenant", "batch", "segment", "cursor", "token", "session", "payment", "upload",
    "quota", "report", "event", "schema", "index", "worker", "lease", "cache", "replica",
];
const VERBS: &[&str] = &[
    "load", "store", "parse", "merge", "flush", "apply", "verify", "encode", "resolve", "rebuild", "drain", "publish",
    "acquire", "release", "validate", "collect",
];
const TOOLS: &[(&str, &str)] = &[("Bash", "shell"), ("Read", "read"), ("Edit", "write"), ("Grep", "search")];
/// Models that the seeded sessions name.
pub(crate) const MODELS: &[&str] = &["claude-opus-4-6", "claude-sonnet-4-6", "gpt-5.2-codex", "gemini-3-pro"];
/// Branches that the seeded sessions name.
pub(crate) const BRANCHES: &[&str] = &["main", "fix/timeout", "feature/search", "refactor/store", "release/2.0"];

/// An identifier such as `acquire_lease_17`; there are several thousand.
pub(crate) fn identifier(random: &mut Random) -> String {
    format!("{}_{}_{}", random.even(VERBS), random.even(STEMS), random.below(40))
}

fn sentence(random: &mut Random, words: &[&str], out: &mut String) {
    let length = 8 + random.below(14);
    for at in 0..length {
        match random.below(14) {
            0 => {
                let _ = write!(out, "`{}`", identifier(random));
            }
            _ => out.push_str(random.skewed(words)),
        }
        out.push_str(if at + 1 == length { ". " } else { " " });
    }
}

fn tool(random: &mut Random, words: &[&str], out: &mut String) {
    let at = random.below(TOOLS.len());
    let Some((name, kind)) = TOOLS.get(at) else { return };
    let path = format!("src/{}/{}.rs", random.even(STEMS), random.even(VERBS));
    let _ = write!(
        out,
        "<tool-use data-tool-type=\"{kind}\" data-tool-name=\"{name}\"><details>\n<summary>Tool use: **{name}**</summary>\n\n\
         `{path}`\n\n```text\n"
    );
    for line in 0..6 + random.below(18) {
        let _ = write!(out, "{:>5}  fn {}(", line + 1, identifier(random));
        out.push_str(random.skewed(words));
        out.push_str(": u64) -> Result<()> {\n");
    }
    out.push_str("```\n</details></tool-use>\n\n");
}

/// Session number `at`: its markdown of about `bytes`, from a minute of 2026 that the number decides.
pub(crate) fn session(at: u32, id: &str, bytes: usize) -> String {
    let words: Vec<_> = WORDS.split_whitespace().collect();
    let mut random = Random::new(u64::from(at) + 1);
    let (month, day, hour) = (1 + at % 11, 1 + at / 11 % 28, at / 308 % 24);
    let time = |step: usize| format!("2026-{month:02}-{day:02} {hour:02}:{:02}:{:02}Z", step / 60 % 60, step % 60);
    let model = random.even(MODELS);
    let mut out = String::with_capacity(bytes + 2_048);
    let _ = write!(
        out,
        "<!-- Generated by SpecStory, Markdown v2.1.0 -->\n\n# {0}\n\n<!-- Claude Code Session {id} ({0}) -->\n\n",
        time(0)
    );
    let mut step = 0;
    while out.len() < bytes {
        let _ = write!(out, "_**User ({})**_\n\n", time(step));
        for _ in 0..1 + random.below(3) {
            sentence(&mut random, &words, &mut out);
        }
        out.push_str("\n\n---\n\n");
        for _ in 0..2 + random.below(3) {
            step += 7;
            let _ = write!(out, "_**Agent ({model} {})**_\n\n", time(step));
            for _ in 0..2 + random.below(5) {
                sentence(&mut random, &words, &mut out);
            }
            out.push_str("\n\n");
            tool(&mut random, &words, &mut out);
        }
        step += 30;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_the_same_each_time_and_about_as_long_as_asked() {
        let one = session(7, "id", 15_000);
        assert_eq!(one, session(7, "id", 15_000));
        assert_ne!(one, session(8, "id", 15_000));
        assert!((15_000..25_000).contains(&one.len()), "{}", one.len());
        assert!(one.contains("_**User (2026-"));
    }

    #[test]
    fn common_words_are_common() {
        let text: String = (0..20).map(|at| session(at, "id", 15_000)).collect();
        let count = |word: &str| text.split(' ').filter(|w| *w == word).count();
        assert!(count("the") > 5 * count("surrogate").max(1));
    }
}
