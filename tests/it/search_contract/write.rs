//! When writes are seen, and how an index is replaced.

use std::collections::BTreeMap;

use sg_domain::SearchQuery;
use sg_domain::search::FacetField;

use super::{engines, fill, found, id, numbers, query, says, search};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_seen_after_commit_and_removals_at_once() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        index.put(says(1, "first wording")).await.unwrap();
        assert_eq!(search(index, "wording").await.total, 0, "{name}: not yet");
        index.commit().await.unwrap();
        assert_eq!(found(index, "first").await, [1], "{name}");
        assert_eq!((index.status().sessions, index.status().documents), (1, 1), "{name}");
        // Replacing drops the old words.
        fill(index, [says(1, "second wording")]).await;
        assert_eq!(found(index, "first").await, [0; 0], "{name}");
        assert_eq!(found(index, "wording").await, [1], "{name}");
        // Removal hides at once, everywhere.
        fill(index, [says(2, "second wording")]).await;
        index.remove(id(1)).await.unwrap();
        let counted = SearchQuery { facets: vec![FacetField::Project], ..query("second") };
        let page = index.search(counted.clone()).await.unwrap();
        assert_eq!((numbers(&page), page.total, page.facets[0].1[0].count), (vec![2], 1, 1), "{name}");
        assert_eq!(found(index, "-nothing").await, [2], "{name}");
        // Writing it again before the commit brings the new one back, not the old one.
        index.put(says(1, "third wording")).await.unwrap();
        assert_eq!(found(index, "wording").await, [2], "{name}");
        index.commit().await.unwrap();
        assert_eq!(found(index, "wording").await, [1, 2], "{name}");
        assert_eq!(found(index, "third").await, [1], "{name}");
        // And a removal after a write that was not committed wins.
        index.put(says(3, "third wording")).await.unwrap();
        index.remove(id(3)).await.unwrap();
        index.remove(id(99)).await.unwrap();
        index.commit().await.unwrap();
        assert_eq!(found(index, "wording").await, [1, 2], "{name}");
        let held: BTreeMap<_, _> = index.sessions().await.unwrap().into_iter().collect();
        assert_eq!(held, BTreeMap::from([(id(1), "etag-1".to_owned()), (id(2), "etag-2".to_owned())]), "{name}");
        assert_eq!(index.status().sessions, 2, "{name}");
        assert!(index.status().bytes > 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_swaps_in_whole_and_loses_no_write() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        fill(index, (0..50).map(|n| says(n, "old lizard"))).await;
        let mut rebuild = index.rebuild().await.unwrap();
        assert!(index.rebuild().await.is_err(), "{name}: one at a time");
        for n in 0..25 {
            rebuild.put(says(n, "new lizard")).await.unwrap();
        }
        // Writes meanwhile: before and after the rebuild gets to the session, and of ones it never sees.
        index.put(says(3, "live lizard")).await.unwrap();
        index.put(says(30, "live lizard")).await.unwrap();
        index.put(says(70, "live lizard")).await.unwrap();
        index.remove(id(4)).await.unwrap();
        index.remove(id(31)).await.unwrap();
        index.commit().await.unwrap();
        assert_eq!(search(index, "live").await.total, 3, "{name}: the old one serves on");
        assert_eq!(search(index, "lizard").await.total, 49, "{name}");
        for n in 25..50 {
            rebuild.put(says(n, "new lizard")).await.unwrap();
        }
        assert_eq!(search(index, "new").await.total, 0, "{name}");
        index.put(says(71, "late lizard")).await.unwrap();
        let searches = async {
            for _ in 0..50 {
                let total = search(index, "lizard").await.total;
                assert!(total == 49 || total == 50, "{name}: {total}");
            }
        };
        let (finished, ()) = tokio::join!(rebuild.finish(), searches);
        finished.unwrap();
        assert_eq!(search(index, "lizard").await.total, 50, "{name}");
        assert_eq!(search(index, "old").await.total, 0, "{name}");
        assert_eq!(found(index, "live").await, [3, 30, 70], "{name}");
        assert_eq!(found(index, "late").await, [71], "{name}");
        assert!(!index.status().needs_rebuild, "{name}");
        fill(index, [says(80, "after lizard")]).await;
        assert_eq!(search(index, "lizard").await.total, 51, "{name}");
        // One that is given up changes nothing, and makes room for another.
        let mut dropped = index.rebuild().await.unwrap();
        dropped.put(says(1, "dropped lizard")).await.unwrap();
        drop(dropped);
        assert_eq!(search(index, "dropped").await.total, 0, "{name}");
        let next = loop {
            match index.rebuild().await {
                Ok(next) => break next,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        next.finish().await.unwrap();
        assert_eq!(search(index, "lizard").await.total, 0, "{name}: an empty rebuild is an empty index");
    }
}
