//! What a hostile text becomes.

use std::time::{Duration, Instant};

use super::*;

fn shown(text: &str, kind: Kind) -> String {
    rendered(text, kind, &mut Budget::of_page()).into_string()
}

/// Every tag of some HTML with its attributes, as a browser would see it.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect()
}

#[test]
fn nothing_in_a_text_can_run_or_load() {
    let hostile = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x></svg>",
        "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
        "<details open ontoggle=alert(1)><summary onclick=alert(1)>x</summary></details>",
        "<tool-use onclick=alert(1)><details ontoggle=\"alert(1)\"><summary>**x**</summary>\n\n<script>1</script>\n</details></tool-use>",
        "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](&#106;avascript:alert(1)) [w](java\tscript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=) ![x](data:image/svg+xml,<svg onload=alert(1)>) ![y](https://evil.example/p.png)",
        "[x](vbscript:msgbox) <javascript:alert(1)> [f](file:///etc/passwd) [r](//evil.example) [s](/logout) [h](#x)",
        "[a]: javascript:alert(1)\n[a]",
        "```html\n<script>alert(1)</script>\n```\n`<script>`",
        "``` \"><script>alert(1)</script>\ncode\n```",
        "# <style>body{display:none}</style>\n<base href=//evil.example><meta http-equiv=refresh content=0>",
        "<form action=/logout method=post><button>x</button></form><input autofocus onfocus=alert(1)>",
        "| <b onmouseover=alert(1)> | [x](javascript:1) |\n|---|---|\n| <script>1</script> | `</td><script>` |",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<!-- --!><script>alert(1)</script> --> <![CDATA[<script>alert(1)</script>]]> <?php x ?>",
        "<a href=\"javascript:alert(1)\" style=\"position:fixed;inset:0\" class=\"top\" id=\"main\">x</a>",
        "\u{0}<scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
    ];
    for text in hostile {
        for kind in [Kind::Prompt, Kind::Answer, Kind::Exchange] {
            let html = shown(text, kind);
            for tag in tags(&html) {
                let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
                let known = [
                    "div",
                    "p",
                    "br",
                    "hr",
                    "em",
                    "strong",
                    "del",
                    "code",
                    "pre",
                    "blockquote",
                    "ul",
                    "ol",
                    "li",
                    "h4",
                    "h5",
                    "h6",
                    "a",
                    "table",
                    "thead",
                    "tbody",
                    "tr",
                    "th",
                    "td",
                    "span",
                    "details",
                    "summary",
                ];
                assert!(known.contains(&name), "{kind:?} {text}\n{html}");
                let lower = tag.to_lowercase();
                for bad in
                    [" on", " style", "javascript:", "data:", "vbscript:", " id=", " src", "file:", "class=\"top"]
                {
                    assert!(!lower.contains(bad), "{bad} {kind:?} {text}\n{html}");
                }
            }
        }
    }
}

#[test]
fn what_is_meant_is_shown() {
    let html = shown(
        "# Plan\n\n- **one**\n- [two](https://example.com/a?b=1&c=2)\n\n```rust\nfn main() {}\n```\n",
        Kind::Answer,
    );
    assert!(html.contains("<h4>Plan</h4>") && html.contains("<strong>one</strong>"), "{html}");
    assert!(html.contains("href=\"https://example.com/a?b=1&amp;c=2\" rel=\"noopener noreferrer nofollow\""), "{html}");
    assert!(html.contains("<span class=\"hk\">fn</span>"), "{html}");
    assert!(shown("one\ntwo", Kind::Prompt).contains("one<br>"), "a person's line breaks are meant");
    assert!(!shown("one\ntwo", Kind::Answer).contains("<br>"));
    let html = shown("Use <T> and <div class=\"x\"> here", Kind::Prompt);
    assert!(html.contains("Use &lt;T&gt; and &lt;div class=\"x\"&gt;"), "HTML in a prompt is what it is about: {html}");
    let html = shown("| a | b |\n|---|--:|\n| 1 | 2 |", Kind::Answer);
    assert!(html.contains("<table>") && html.contains("<td>1</td>"), "{html}");
}

#[test]
fn the_folds_of_specstory_fold() {
    let text = "<tool-use data-tool-type=\"shell\" data-tool-name=\"Bash\"><details>\n<summary>Tool use: **Bash**</summary>\n\
        List branches\n\n`git branch`\n\n```text\nmain\n```\n</details></tool-use>\n\nafter";
    let html = shown(text, Kind::Exchange);
    assert!(html.contains("<summary>Tool use: Bash</summary>") && html.contains("<code>git branch</code>"), "{html}");
    let (inside, after) = html.split_once("</details>").expect("a fold that ends");
    assert!(inside.contains("List branches") && after.contains("after") && !after.contains("branch"), "{html}");
    assert!(!html.contains("tool-use"), "{html}");
    assert!(shown("</details></details><details><details>x", Kind::Exchange).ends_with("</div>"));
}

#[test]
fn hostile_sizes_and_depths_end_soon() {
    let started = Instant::now();
    let many = |part: &str| part.repeat(MAX_BYTES * 4 / part.len());
    let hostile = [
        many(">"),
        many("> "),
        many("- "),
        many("* a\n  "),
        many("["),
        many("]("),
        many("*a_"),
        many("**a __b "),
        many("`"),
        many("<"),
        many("<details>"),
        many("<summary><details>"),
        many("<!--"),
        many("![["),
        many("|a"),
        many("\\"),
        many("&#x3c;"),
        many("~~a"),
        many("1. "),
        many("<a><b>"),
        many("[a](b"),
        many("\u{202e}\u{2066}"),
        format!("{}\n{}\n{}", many("|a").get(..30_000).unwrap_or_default(), "|-".repeat(15_000), "|\n".repeat(2_000)),
        format!("{}x", many("[a]: <b>\n")),
        many("<x "),
        many("a\n\n"),
        many("```\n"),
        many("#\n"),
    ];
    for text in hostile {
        for kind in [Kind::Prompt, Kind::Answer, Kind::Exchange] {
            let before = Instant::now();
            let html = shown(&text, kind);
            let start: String = text.chars().take(12).collect();
            assert!(before.elapsed() < Duration::from_secs(5), "{start:?} {kind:?} took {:?}", before.elapsed());
            assert!(html.len() < 3_000_000, "{start:?} {kind:?} became {} bytes", html.len());
        }
    }
    println!("{:?}", started.elapsed());
}

#[test]
fn a_cut_falls_between_characters_and_lines() {
    assert_eq!(cut("äöü", 3), "ä");
    assert_eq!(cut("one\ntwo\nthree", 9), "one\ntwo");
    assert_eq!(cut("short", 100), "short");
}
