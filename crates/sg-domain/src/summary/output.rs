//! What a command's output tells: tests that passed and failed, and errors.

/// How many characters a line has that tells of an error.
const ERROR_CHARS: std::ops::RangeInclusive<usize> = 16..=200;

/// Tests that passed and that failed, of an output in two parts.
pub(super) fn tests(front: &str, end: &str) -> (u64, u64) {
    let lines: Vec<String> = front.lines().chain(end.lines()).map(plain).collect();
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    // The first that is there is the runner that wrote it; the words of one stand in another's output, too.
    let found = jest(&lines).or_else(|| cargo(&lines)).or_else(|| pytest(&lines)).or_else(|| go(&lines));
    found.unwrap_or_default()
}

/// Lines that tell of errors.
pub(super) fn errors(output: &str) -> impl Iterator<Item = String> + '_ {
    output.lines().filter_map(|line| {
        let is_one = line.contains("Error:")
            || line.contains("Exception:")
            || line.contains("FAILED")
            || line.contains("Traceback");
        if !is_one {
            return None;
        }
        let line = plain(line);
        let line = line.trim();
        ERROR_CHARS.contains(&line.chars().count()).then(|| line.to_owned())
    })
}

/// `Tests: 1 failed, 2 passed, 3 total`; Vitest leaves the colon out.
fn jest(lines: &[&str]) -> Option<(u64, u64)> {
    let runs = lines.iter().filter_map(|line| {
        let rest = line.strip_prefix("Tests")?;
        let rest = rest.strip_prefix(':').or_else(|| rest.starts_with(' ').then_some(rest))?;
        counts(rest)
    });
    sum(runs)
}

/// `test result: ok. 2 passed; 0 failed; 0 ignored`, a line a binary.
fn cargo(lines: &[&str]) -> Option<(u64, u64)> {
    sum(lines.iter().filter_map(|line| counts(line.strip_prefix("test result:")?)))
}

/// `1 failed, 2 passed in 0.12s`: those that tell how long it took; else the last that tells any.
fn pytest(lines: &[&str]) -> Option<(u64, u64)> {
    let timed = lines.iter().filter(|line| {
        let time = line.trim_end_matches(['=', ' ']).rsplit_once(" in ").map(|(_, time)| time);
        time.is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()))
    });
    sum(timed.filter_map(|line| counts(line))).or_else(|| lines.iter().rev().find_map(|line| counts(line)))
}

/// `ok example.com/a 0.01s` and `FAIL example.com/b 0.02s`, with tabs between, a line a package.
fn go(lines: &[&str]) -> Option<(u64, u64)> {
    let packages = lines.iter().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (verdict, package, rest) = (words.next()?, words.next()?, words.next());
        let is_package = package.contains(['/', '.']) || rest.is_some_and(is_time);
        match verdict {
            "ok" if is_package => Some((1, 0)),
            "FAIL" if is_package => Some((0, 1)),
            _ => None,
        }
    });
    sum(packages)
}

fn is_time(word: &str) -> bool {
    word == "(cached)" || (word.ends_with('s') && word.starts_with(|c: char| c.is_ascii_digit()))
}

fn sum(runs: impl Iterator<Item = (u64, u64)>) -> Option<(u64, u64)> {
    let add = |sum: (u64, u64), run: (u64, u64)| (sum.0.saturating_add(run.0), sum.1.saturating_add(run.1));
    runs.reduce(add)
}

/// What stands before `passed` and before `failed`; `None` when there is neither.
fn counts(line: &str) -> Option<(u64, u64)> {
    let mut found = (None, None);
    let mut number = None;
    for word in line.split(|c: char| !c.is_alphanumeric() && c != '.').map(|word| word.trim_matches('.')) {
        match word {
            "passed" => found.0 = found.0.or(number),
            "failed" => found.1 = found.1.or(number),
            "" => continue,
            _ => {}
        }
        number = word.parse::<u64>().ok().filter(|count| *count < 100_000_000);
    }
    match found {
        (None, None) => None,
        (passed, failed) => Some((passed.unwrap_or(0), failed.unwrap_or(0))),
    }
}

/// A line without the escapes that colour it.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('\u{1b}') {
        text.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let end = escape.strip_prefix('[').and_then(|codes| codes.find(|c: char| c.is_ascii_alphabetic()));
        rest = match end {
            // The bracket, the codes, and the letter that ends them.
            Some(end) => &escape[end + 2..],
            None => escape,
        };
    }
    text.push_str(rest);
    text
}
