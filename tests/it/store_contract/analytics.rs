//! Figures are those of the sessions and answers, counted in plain Rust.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sg_domain::analytics::{DayActivity, HourActivity, SessionGroup};
use sg_domain::time::DAY_MICROS;
use sg_domain::{
    AnalyticsScope, Message, Role, Session, SessionFilter, SessionsBy, Timestamp, TokenUsage, UsageBy, Visibility,
};

use super::Fixture;
use super::sample::{owner, project, put_with, session};

/// A session with what was said in it.
type Said = (Session, Vec<Message>);

fn micros() -> impl Strategy<Value = i64> {
    // Days before 1970 too, and the edges of days.
    prop_oneof![
        (-3 * DAY_MICROS..3 * DAY_MICROS),
        (-3_i64..3, -1_i64..2).prop_map(|(day, edge)| day * DAY_MICROS + edge),
    ]
}

fn any_message() -> impl Strategy<Value = Message> {
    let model = prop_oneof![Just(None), Just(Some("m1")), Just(Some("m2")), Just(Some(""))];
    let tokens = (0..1_000_u64, 0..1_000_u64, 0..9_u64, 0..9_u64, 0..9_u64);
    (proptest::option::of(micros()), model, proptest::option::weighted(0.7, tokens)).prop_map(|(at, model, tokens)| {
        let usage = |(input, output, cache_read, cache_write, reasoning)| TokenUsage {
            input,
            output,
            cache_read,
            cache_write,
            reasoning,
        };
        Message {
            at: at.map(Timestamp::from_micros),
            model: model.map(str::to_owned),
            usage: tokens.map(usage),
            ..Message::text(Role::Assistant, "said")
        }
    })
}

/// Sessions of Ann in two projects and one of Bob, with answers, stored.
async fn world(f: &Fixture, runner: &mut TestRunner) -> Vec<Said> {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let keys = [project(&f.store, &ann, "p0").await, project(&f.store, &ann, "p1").await];
    let theirs = project(&f.store, &bob, "p0").await;
    let messages = prop::collection::vec(any_message(), 0..12);
    let mut all = Vec::new();
    for n in 0..25_u128 {
        let i = n as usize;
        let mut session = match n {
            24 => session(n, &bob, "p0", theirs),
            _ => session(n, &ann, ["p0", "p1"][i % 2], keys[i % 2]),
        };
        session.activity_at = Timestamp::from_micros(micros().new_tree(runner).unwrap().current());
        session.metadata.client_name = [Some("cli"), None, Some("web")][i % 3].map(str::to_owned);
        session.metadata.agent_name = [Some("Codex CLI"), None][i / 2 % 2].map(str::to_owned);
        session.metadata.machine_name = [Some("a"), Some("b"), None][i / 3 % 3].map(str::to_owned);
        session.metadata.llm_models = Some(vec![format!("m{}", i % 3), "m1".to_owned()]);
        let said = messages.new_tree(runner).unwrap().current();
        session.usage =
            said.iter().filter_map(|message| message.usage).fold(TokenUsage::default(), |mut sum, usage| {
                sum += usage;
                sum
            });
        put_with(&f.store, &session, &said, &[]).await;
        all.push((session, said));
    }
    all
}

fn scopes(runner: &mut TestRunner, world: &[Said]) -> Vec<AnalyticsScope> {
    let key = world[0].0.project_key;
    let filter = SessionFilter { client_names: vec!["cli".to_owned(), "web".to_owned()], ..Default::default() };
    let not = SessionFilter {
        or: vec![SessionFilter { agent_names: vec!["Codex CLI".to_owned()], ..Default::default() }],
        not: Some(Box::new(SessionFilter { project_ids: vec!["p1".to_owned()], ..Default::default() })),
        ..Default::default()
    };
    let mut scopes = vec![
        AnalyticsScope::default(),
        AnalyticsScope { project: Some(key), ..Default::default() },
        AnalyticsScope { filter: filter.clone(), ..Default::default() },
        AnalyticsScope { filter: not, ..Default::default() },
        AnalyticsScope { filter: SessionFilter { project_ids: vec!["p1".to_owned()], ..filter }, ..Default::default() },
    ];
    for _ in 0..6 {
        let range =
            (proptest::option::of(micros()), proptest::option::of(micros())).new_tree(runner).unwrap().current();
        let at = |micros: Option<i64>| micros.map(Timestamp::from_micros);
        scopes.push(AnalyticsScope { from: at(range.0), to: at(range.1), ..scopes[0].clone() });
    }
    scopes
}

fn in_range(scope: &AnalyticsScope, at: Timestamp) -> bool {
    scope.from.is_none_or(|from| at >= from) && scope.to.is_none_or(|to| at <= to)
}

fn passing<'a>(world: &'a [Said], who: &Visibility, scope: &AnalyticsScope) -> Vec<&'a Said> {
    let sees = |session: &Session| {
        who.allows(&session.owner)
            && scope.filter.matches(session)
            && scope.project.is_none_or(|project| session.project_key == project)
    };
    world.iter().filter(|(session, _)| sees(session)).collect()
}

/// Sums by everything that the store sums by.
type Sums = BTreeMap<(Option<String>, Option<String>, usize), TokenUsage>;

fn sums(world: &[&Said], scope: &AnalyticsScope, by: UsageBy, instants: &[Timestamp]) -> Sums {
    let mut sums = Sums::new();
    for (session, said) in world {
        for message in said {
            let at = message.at.unwrap_or(session.activity_at);
            let Some(usage) = message.usage.filter(|_| in_range(scope, at)) else { continue };
            let key = match by {
                UsageBy::All => None,
                UsageBy::Model => message.model.clone(),
                UsageBy::Project => Some(session.project_key.to_string()),
                UsageBy::Day => Some(at.day()),
                UsageBy::Agent => session.metadata.agent_name.clone(),
                UsageBy::Session => Some(session.id.to_string()),
            };
            let span = instants.iter().filter(|instant| **instant <= at).count();
            *sums.entry((key, message.model.clone(), span)).or_default() += usage;
        }
    }
    sums
}

pub(crate) async fn tokens_are_those_of_the_answers(f: &Fixture) {
    let mut runner = TestRunner::deterministic();
    let world = world(f, &mut runner).await;
    let spans: [&[i64]; 3] = [&[], &[0], &[-DAY_MICROS, -1, DAY_MICROS]];
    for who in [Visibility::Owner(owner("ann")), Visibility::Owner(owner("bob")), Visibility::Everyone] {
        for scope in scopes(&mut runner, &world) {
            let mine = passing(&world, &who, &scope);
            for by in UsageBy::ALL {
                for span in spans {
                    let instants: Vec<_> = span.iter().map(|micros| Timestamp::from_micros(*micros)).collect();
                    let found = f.store.usage(&who, &scope, by, &instants).await.unwrap();
                    let count = found.len();
                    let found: Sums = found.into_iter().map(|g| ((g.key, g.model, g.span), g.usage)).collect();
                    assert_eq!(found.len(), count, "{by:?} {scope:?}: a group stands twice");
                    assert_eq!(found, sums(&mine, &scope, by, &instants), "{by:?} {scope:?} {who:?}");
                }
            }
        }
        // However they are counted, they add up to what the sessions themselves say.
        let everything = AnalyticsScope::default();
        let mut wanted = TokenUsage::default();
        passing(&world, &who, &everything).iter().for_each(|(session, _)| wanted += session.usage);
        for by in UsageBy::ALL {
            let mut sum = TokenUsage::default();
            let found = f.store.usage(&who, &everything, by, &[Timestamp::default()]).await.unwrap();
            found.iter().for_each(|group| sum += group.usage);
            assert_eq!(sum, wanted, "{by:?} {who:?}");
        }
    }
}

pub(crate) async fn sessions_are_counted_by_what_they_have(f: &Fixture) {
    let mut runner = TestRunner::deterministic();
    let world = world(f, &mut runner).await;
    let one = |value: &Option<String>| vec![value.clone()];
    let many = |values: &Option<Vec<String>>| -> Vec<Option<String>> {
        let each: BTreeSet<_> = values.iter().flatten().cloned().collect();
        each.into_iter().map(Some).collect()
    };
    for who in [Visibility::Owner(owner("ann")), Visibility::Everyone] {
        for scope in scopes(&mut runner, &world) {
            let mine = passing(&world, &who, &scope);
            let mine: Vec<_> = mine.iter().map(|(s, _)| s).filter(|s| in_range(&scope, s.activity_at)).collect();
            let projects =
                |sessions: &[&Session]| sessions.iter().map(|s| s.project_key).collect::<BTreeSet<_>>().len();
            let totals = f.store.active_totals(&who, &scope).await.unwrap();
            assert_eq!(totals, (mine.len() as u64, projects(&mine) as u64), "{scope:?}");
            for by in SessionsBy::ALL {
                let mut wanted: BTreeMap<Option<String>, (u64, u64)> = BTreeMap::new();
                for session in &mine {
                    let meta = &session.metadata;
                    let values = match by {
                        SessionsBy::Model => many(&meta.llm_models),
                        SessionsBy::Branch => many(&meta.git_branches),
                        SessionsBy::Tag => many(&meta.tags),
                        SessionsBy::Client => one(&meta.client_name),
                        SessionsBy::Agent => one(&meta.agent_name),
                        SessionsBy::Machine => one(&meta.machine_name),
                        SessionsBy::Project => one(&Some(session.project_key.to_string())),
                    };
                    for value in values {
                        let sum = wanted.entry(value).or_default();
                        *sum = (sum.0 + 1, sum.1 + session.markdown_size);
                    }
                }
                let mut wanted: Vec<_> = wanted
                    .into_iter()
                    .map(|(value, (count, markdown_size))| SessionGroup { value, count, markdown_size })
                    .collect();
                wanted.sort_by(|a, b| {
                    let by_value = (a.value.is_none(), &a.value).cmp(&(b.value.is_none(), &b.value));
                    b.count.cmp(&a.count).then(by_value)
                });
                let found = f.store.sessions_by(&who, &scope, by, 1_000).await.unwrap();
                assert_eq!(found, wanted, "{by:?} {scope:?}");
                let first = f.store.sessions_by(&who, &scope, by, 1).await.unwrap();
                assert_eq!(first, wanted[..1.min(wanted.len())], "{by:?} {scope:?}");
            }
            let mut days: BTreeMap<String, Vec<&Session>> = BTreeMap::new();
            let mut hours: BTreeMap<(u32, u32), u64> = BTreeMap::new();
            for session in &mine {
                days.entry(session.activity_at.day()).or_default().push(session);
                // 1970-01-01 was a Thursday, the fourth day of its week.
                let hour = session.activity_at.micros().div_euclid(DAY_MICROS / 24);
                let weekday = (hour.div_euclid(24) + 3).rem_euclid(7) as u32 + 1;
                *hours.entry((weekday, hour.rem_euclid(24) as u32)).or_default() += 1;
            }
            let day = |(date, sessions): (String, Vec<&Session>)| DayActivity {
                date,
                sessions: sessions.len() as u64,
                projects: projects(&sessions) as u64,
            };
            let found = f.store.activity_by_day(&who, &scope).await.unwrap();
            let mut wanted: Vec<_> = days.into_iter().map(day).collect();
            wanted.sort_by(|a, b| a.date.cmp(&b.date));
            assert_eq!(found, wanted, "{scope:?}");
            let hour = |((weekday, hour), sessions)| HourActivity { weekday, hour, sessions };
            let found = f.store.activity_by_hour(&who, &scope).await.unwrap();
            assert_eq!(found, hours.into_iter().map(hour).collect::<Vec<_>>(), "{scope:?}");
        }
    }
}

pub(crate) async fn absurd_tokens_are_no_error(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let usage = TokenUsage { input: u64::MAX, output: u64::MAX, ..TokenUsage::default() };
    let message = Message { usage: Some(usage), ..Message::text(Role::Assistant, "x") };
    for n in 0..3 {
        put_with(&f.store, &session(n, &ann, "p", key), &[message.clone(), message.clone()], &[]).await;
    }
    let found = f.store.usage(&Visibility::Owner(ann), &AnalyticsScope::default(), UsageBy::All, &[]).await.unwrap();
    assert_eq!(found[0].usage.input, 9_200_000_000_000_000_000);
}
