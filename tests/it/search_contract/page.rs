//! What a page of hits shows: order, messages, snippets, counts, and only what the caller may see.

use std::collections::BTreeSet;

use sg_domain::search::{FacetBucket, FacetField, RankBy};
use sg_domain::{ContentBlock, Message, ProjectId, Role, SearchQuery, SessionFilter, Visibility};

use super::{day, engines, fill, found, id, ids, numbers, query, says, search, session, user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn best_comes_first_and_every_page_continues_the_last() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let filler = "nothing of note happens in this long message about other things ".repeat(8);
        let apart = format!("zebra {filler}");
        let documents = [
            session(1, "Plain", &[(Role::User, &apart), (Role::Assistant, &format!("{filler} crossing"))]),
            session(2, "Plain", &[(Role::User, &format!("{filler} zebra crossing {filler}"))]),
            session(3, "Zebra crossing", &[(Role::User, &format!("{filler} zebra crossing {filler}"))]),
        ];
        fill(index, documents).await;
        let page = search(index, "zebra crossing").await;
        assert_eq!(ids(&page), [id(3), id(2), id(1)], "{name}: title, then together, then apart");
        for hit in &page.hits {
            assert!(hit.rank > 0.0 && hit.rank <= 1.0, "{name}: {}", hit.rank);
        }
        assert!(page.hits.windows(2).all(|pair| pair[0].rank >= pair[1].rank), "{name}");

        // The same text: the newer first, then by id.
        let documents = (10..30).map(|n| {
            let mut document = says(n, "quokka");
            document.session.name = "Same".to_owned();
            document.session.client_id = "same".to_owned();
            document.session.activity_at = day("2026-05-01").plus_micros(if n == 25 { 86_400_000_000 } else { 0 });
            document
        });
        fill(index, documents).await;
        let all = ids(&search(index, "quokka").await);
        let want: Vec<_> = [25].into_iter().chain((10..30).filter(|n| *n != 25)).map(id).collect();
        assert_eq!(all, want, "{name}");
        let mut paged = Vec::new();
        for offset in (0..40).step_by(7) {
            let page = index.search(SearchQuery { limit: 7, offset, ..query("quokka") }).await.unwrap();
            assert_eq!(page.total, 20, "{name}");
            paged.extend(ids(&page));
        }
        assert_eq!(paged, want, "{name}");
        let none = index.search(SearchQuery { limit: 0, ..query("quokka") }).await.unwrap();
        assert_eq!((none.hits.len(), none.total), (0, 20), "{name}");

        // By activity, whatever the relevance.
        let mut old = session(40, "Wombat", &[(Role::User, "wombat wombat wombat")]);
        old.session.activity_at = day("2025-01-01");
        let mut new = says(41, "a wombat was mentioned here in passing among many other words of this message");
        new.session.activity_at = day("2026-05-30");
        fill(index, [old, new]).await;
        let recent = SearchQuery { rank_by: RankBy::Recent, ..query("wombat") };
        assert_eq!(ids(&index.search(recent).await.unwrap()), [id(41), id(40)], "{name}");
        assert_eq!(ids(&search(index, "wombat").await), [id(40), id(41)], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hit_points_at_its_messages() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let long = "filler line\n".repeat(3_000);
        let mut document = session(
            1,
            "Messages",
            &[
                (Role::User, "please look"),
                (Role::Assistant, &format!("{long}the walrus is in the middle\n{long}")),
                (Role::User, "walrus walrus"),
                (Role::System, "nothing"),
            ],
        );
        document.messages.push(Message {
            blocks: vec![ContentBlock::ToolResult {
                tool_use_id: None,
                output: format!("{}\nnarwhal\n{}", "x y z\n".repeat(2_500), "x y z\n".repeat(2_500)),
                is_error: false,
            }],
            ..Message::text(Role::Tool, "")
        });
        fill(index, [document]).await;
        let page = search(index, "walrus").await;
        let messages: BTreeSet<_> = page.hits[0].messages.iter().map(|m| (m.ordinal, m.role.name())).collect();
        assert_eq!(messages, BTreeSet::from([(1, "assistant"), (2, "user")]), "{name}");
        assert_eq!(page.hits[0].messages[0].ordinal, 2, "{name}");
        assert_eq!(page.hits[0].snippet.as_deref(), Some("<mark>walrus</mark> <mark>walrus</mark>"), "{name}");
        assert_eq!(page.hits[0].highlights, ["walrus"], "{name}");
        let one = SearchQuery { messages_per_hit: 1, ..query("walrus") };
        assert_eq!(index.search(one).await.unwrap().hits[0].messages.len(), 1, "{name}");
        let none = index.search(SearchQuery { messages_per_hit: 0, ..query("walrus") }).await.unwrap();
        assert!(none.hits[0].messages.is_empty() && none.hits[0].snippet.is_some(), "{name}");
        let bare = index.search(SearchQuery { snippets: false, ..query("walrus") }).await.unwrap();
        assert!(bare.hits[0].snippet.is_none() && bare.hits[0].messages[0].snippet.is_none(), "{name}");
        let page = search(index, "narwhal").await;
        assert_eq!((page.hits[0].messages[0].ordinal, page.hits[0].messages[0].role), (4, Role::Tool), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snippets_are_safe_and_short() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let filler = "lorem ipsum dolor sit amet ".repeat(60);
        let documents = [
            says(1, "<script>alert(\"kangaroo\")</script> & <img src=x onerror='kangaroo'>"),
            says(2, &format!("{filler} the platypus_handler failed {filler}")),
            session(3, "<b>Title echidna</b>", &[(Role::User, "hello")]),
            says(4, &"é".repeat(5_000)),
            says(5, &format!("{}cassowary{}", "数".repeat(700), "据".repeat(700))),
        ];
        fill(index, documents).await;
        let page = search(index, "kangaroo").await;
        assert_eq!(
            page.hits[0].snippet.as_deref(),
            Some(
                "&lt;script&gt;alert(&quot;<mark>kangaroo</mark>&quot;)&lt;/script&gt; &amp; &lt;img src=x \
                 onerror=&#39;<mark>kangaroo</mark>&#39;&gt;"
            ),
            "{name}"
        );
        let snippet = search(index, "platypus").await.hits[0].snippet.clone().unwrap();
        assert!(snippet.contains("the <mark>platypus</mark>_handler failed"), "{name}: {snippet}");
        assert!(snippet.starts_with('…') && snippet.ends_with('…'), "{name}: {snippet}");
        assert!((150..320).contains(&snippet.len()), "{name}: {} {snippet}", snippet.len());
        let snippet = search(index, "title:echidna").await.hits[0].snippet.clone().unwrap();
        assert_eq!(snippet, "&lt;b&gt;Title <mark>echidna</mark>&lt;/b&gt;", "{name}");
        let snippet = search(index, "cassowary").await.hits[0].snippet.clone().unwrap();
        assert!(snippet.contains("<mark>cassowary</mark>"), "{name}: {snippet}");
        // Every tag is a mark, whatever is asked.
        for text in ["script", "img src", "onerror*", "\"alert kangaroo\"", "b title", "-nothing", "lt", "amp", "数据"]
        {
            for hit in search(index, text).await.hits {
                let html = hit.snippet.unwrap().replace("<mark>", "").replace("</mark>", "");
                assert!(!html.contains(['<', '>', '"', '\'']), "{name}: {text}: {html}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typing_error_is_forgiven_and_told() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let mut secret = says(2, "hippopotamus");
        secret.session.owner = user("bob");
        fill(index, [says(1, "the migration of the database"), secret]).await;
        let page = search(index, "migrtaion database").await;
        assert_eq!(numbers(&page), [1], "{name}");
        assert_eq!(page.suggestion.as_deref(), Some("migration database"), "{name}");
        assert!(page.hits[0].snippet.as_ref().unwrap().contains("<mark>migration</mark>"), "{name}");
        assert_eq!(search(index, "migration").await.suggestion, None, "{name}");
        // Another tenant's word is neither found nor told.
        let page = search(index, "hippopotamos").await;
        assert_eq!((page.total, page.suggestion), (0, None), "{name}");
        // A word that is known, a code, a number: meant as they stand.
        fill(index, [says(3, "contact E0308"), says(4, "contract E0309")]).await;
        for (text, want) in [("contact", vec![3]), ("contract", vec![4]), ("E0309", vec![4]), ("E0307", vec![])] {
            let page = search(index, text).await;
            assert_eq!((numbers(&page), page.suggestion), (want, None), "{name}: {text}");
        }
        let page = search(index, "zzzzzzz").await;
        assert_eq!((page.total, page.suggestion), (0, None), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_what_is_not_theirs() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let mut other = says(2, "shared word");
        other.session.owner = user("bob");
        other.session.metadata.tags = Some(vec!["bob's".into()]);
        fill(index, [says(1, "shared word"), other]).await;
        let facets = vec![FacetField::Tag];
        let as_ann = index.search(SearchQuery { facets: facets.clone(), ..query("shared") }).await.unwrap();
        assert_eq!(numbers(&as_ann), [1], "{name}");
        assert_eq!(as_ann.facets, [(FacetField::Tag, vec![])], "{name}");
        assert_eq!(found(index, "-nothing").await, [1], "{name}");
        let filter = SessionFilter { session_ids: Some(vec![id(2)]), ..SessionFilter::default() };
        let by_id = index.search(SearchQuery { filter, ..query("shared") }).await.unwrap();
        assert_eq!(by_id.total, 0, "{name}");
        for (who, want) in [
            (Visibility::Owner(user("bob")), vec![2]),
            (Visibility::everyone(), vec![1, 2]),
            (Visibility::Owner(user("eve")), vec![]),
        ] {
            let page = index.search(SearchQuery { visibility: who, ..query("shared") }).await.unwrap();
            assert_eq!(numbers(&page), want, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facets_count_sessions_of_the_query() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let documents = (0..12).map(|n| {
            let mut document = session(
                n,
                "F",
                &[(Role::User, "gecko gecko"), (Role::Assistant, if n < 10 { "gecko" } else { "newt" })],
            );
            if n >= 10 {
                document.messages[0] = Message::text(Role::User, "newt");
            }
            document.session.project_id = ProjectId::new(if n % 3 == 0 { "p-three" } else { "p-rest" }).unwrap();
            document.session.metadata.agent_name = (n % 2 == 0).then(|| "Claude Code".to_owned());
            document.session.metadata.git_branches = Some(vec!["main".into(), format!("b{}", n % 2), "main".into()]);
            document.session.metadata.llm_models = Some(vec!["m1".into()]);
            document.session.activity_at = day("2026-03-01").plus_micros(n as i64 % 4 * 86_400_000_000);
            document
        });
        fill(index, documents).await;
        // In several segments, and with one that was replaced and one that was removed.
        let mut again = says(0, "gecko");
        again.session.metadata.tags = Some(vec!["new".into()]);
        fill(index, [again]).await;
        index.remove(id(9)).await.unwrap();
        let all = SearchQuery { facets: FacetField::ALL.to_vec(), ..query("gecko") };
        let page = index.search(all).await.unwrap();
        assert_eq!(page.total, 9, "{name}");
        let want: [&[(&str, u64)]; 6] = [
            &[("p-rest", 6), ("p-three", 2), ("p-one", 1)],
            &[("Claude Code", 4)],
            &[("m1", 8)],
            &[("main", 8), ("b0", 4), ("b1", 4)],
            &[("new", 1)],
            &[("2026-03-03", 2), ("2026-03-04", 2), ("2026-03-02", 2), ("2026-03-01", 2), ("2026-01-15", 1)],
        ];
        for ((field, buckets), want) in page.facets.iter().zip(want) {
            let mut want: Vec<_> =
                want.iter().map(|(v, count)| FacetBucket { value: (*v).into(), count: *count }).collect();
            want.sort_by(|a, b| b.count.cmp(&a.count).then(a.value.cmp(&b.value)));
            assert_eq!(*buckets, want, "{name}: {field:?}");
        }
        assert_eq!(page.facets.iter().map(|(field, _)| *field).collect::<Vec<_>>(), FacetField::ALL, "{name}");
        // Facets do not depend on the page.
        let page =
            index.search(SearchQuery { limit: 1, facets: vec![FacetField::Model], ..query("gecko") }).await.unwrap();
        assert_eq!(page.facets[0].1, [FacetBucket { value: "m1".into(), count: 8 }], "{name}");
    }
}
