//! What counts as what, and that no table grows without end.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use sg_domain::{Identity, Scope, Scopes, Timestamp, UserId};
use uuid::Uuid;

use super::*;

const START: i64 = 1_793_534_400_000_000;
const SECOND: i64 = 1_000_000;

/// A clock in a test's hand.
fn clock() -> (Arc<AtomicI64>, Now) {
    let time = Arc::new(AtomicI64::new(START));
    let clock = Arc::clone(&time);
    (time, Arc::new(move || Timestamp::from_micros(clock.load(Ordering::SeqCst))))
}

fn request(method: Method, path: &str) -> Request {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

fn caller(credential: Credential) -> Caller {
    let identity = Identity { user: UserId("user_1".to_owned()), credential, scopes: Scopes::of(&[Scope::Read]) };
    Caller { identity: Ok(identity), ..Caller::anonymous("r1") }
}

fn key(n: u128) -> KeyId {
    KeyId(Uuid::from_u128(n))
}

#[test]
fn a_bucket_counts_down_refuses_and_fills_evenly() {
    let (time, now) = clock();
    let buckets = Buckets::new(&now, 60).unwrap();
    for left in (0..60).rev() {
        let standing = buckets.take(&1);
        assert_eq!((standing.rate.limit, standing.rate.remaining, standing.retry_after), (60, left, None));
        assert_eq!(standing.rate.reset_at(), START / SECOND + 60 * i64::from(60 - left));
    }
    let refused = buckets.take(&1);
    assert_eq!((refused.rate.remaining, refused.retry_after), (0, Some(Duration::from_secs(60))));
    assert_eq!(refused.rate.reset_at(), START / SECOND + 3_600);
    // Asking again while refused does not make the wait longer.
    time.fetch_add(59 * SECOND, Ordering::SeqCst);
    assert_eq!(buckets.take(&1).retry_after, Some(Duration::from_secs(1)));
    time.fetch_add(SECOND, Ordering::SeqCst);
    assert_eq!(buckets.take(&1).retry_after, None);
    assert!(buckets.take(&1).retry_after.is_some());
    time.fetch_add(24 * 3_600 * SECOND, Ordering::SeqCst);
    assert_eq!(buckets.take(&1).rate.remaining, 59, "it never holds more than its size");
    assert_eq!(buckets.take(&2).rate.remaining, 59, "another key has its own");
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let (_, now) = clock();
    let buckets = Buckets::new(&now, 3).unwrap();
    let first = buckets.take(&1);
    buckets.give_back(&1);
    assert_eq!(buckets.take(&1), first);
    assert_eq!(first.rate.given_back().remaining, 3);
    buckets.give_back(&2);
    buckets.give_back(&1);
    buckets.give_back(&1);
    let left: Vec<_> = (0..4).map(|_| buckets.take(&1).rate.remaining).collect();
    assert_eq!(left, [2, 1, 0, 0], "never more than its size");
}

#[test]
fn any_size_works_and_none_is_no_limit() {
    let (_, now) = clock();
    assert!(Buckets::<u8>::new(&now, 0).is_none());
    for limit in [1, 7, 999, u32::MAX] {
        let buckets = Buckets::new(&now, limit).unwrap();
        assert_eq!((buckets.take(&1).rate.remaining, buckets.take(&2).rate.limit), (limit - 1, limit));
    }
}

#[test]
fn a_clock_that_is_set_back_shuts_nobody_out() {
    let (time, now) = clock();
    let buckets = Buckets::new(&now, 2).unwrap();
    for _ in 0..2 {
        assert_eq!(buckets.take(&1).retry_after, None);
    }
    time.store(START - 365 * 86_400 * SECOND, Ordering::SeqCst);
    assert_eq!(buckets.take(&1).retry_after, None);
    assert_eq!(buckets.take(&1).retry_after, None);
    assert_eq!(buckets.take(&1).retry_after, Some(Duration::from_secs(1_800)));
    time.fetch_add(1_800 * SECOND, Ordering::SeqCst);
    assert_eq!(buckets.take(&1).retry_after, None, "it goes on filling");
}

#[test]
fn a_hundred_thousand_addresses_leave_the_table_bounded() {
    let (_, now) = clock();
    let buckets = Buckets::new(&now, 10).unwrap();
    for n in 0..100_000_u32 {
        buckets.take(&IpAddr::V4(Ipv4Addr::from_bits(n)));
    }
    assert_eq!(buckets.kept(), Buckets::<IpAddr>::MAX);
    const { assert!(Buckets::<IpAddr>::MAX < 100_000) };
}

#[test]
fn a_hundred_thousand_made_up_keys_are_one_address() {
    let (_, now) = clock();
    let section = RateLimitSection { unauthenticated_per_hour: 5, ..RateLimitSection::default() };
    let limits = RateLimits::new(&now, &section);
    let refused = (0..100_000_u128)
        .filter(|n| {
            // Every one from another address of one network, as whoever has one IPv6 address can.
            let address = ClientAddress::new(IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8 << 96 | n)));
            let mut caller = Caller { identity: Err(Anonymous::Unknown), ..Caller::anonymous("r1") };
            limits.count(&request(Method::GET, "/api/v1/projects"), address, &mut caller);
            matches!(caller.identity, Err(Anonymous::Limited { .. }))
        })
        .count();
    assert_eq!(refused, 100_000 - 5);
    assert_eq!(limits.unauthenticated.unwrap().kept(), 1);
    assert_eq!(limits.rest.unwrap().kept(), 0);
    assert_eq!(limits.graphql.unwrap().kept(), 0);
}

#[test]
fn credentials_have_buckets_by_kind() {
    let (_, now) = clock();
    let section = RateLimitSection {
        rest_per_hour: 10,
        sessionfs_per_minute: 7,
        graphql_per_hour: 20,
        device_per_hour: 30,
        unauthenticated_per_hour: 40,
        open_per_hour: 50,
    };
    let limits = RateLimits::new(&now, &section);
    let address = ClientAddress::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let limit = |path: &str, caller: &Caller| {
        limits.standing(class(&request(Method::GET, path)), address, caller).map(|(standing, _)| standing.rate.limit)
    };
    for (path, by_key, by_device, by_nobody) in [
        ("/api/v1/projects", Some(10), Some(30), Some(40)),
        ("/api/v1/nothing/here", Some(10), Some(30), Some(40)),
        ("/api/v1", Some(10), Some(30), Some(40)),
        ("/api/v1/graphql", Some(20), Some(30), Some(40)),
        ("/graphql", Some(20), Some(30), Some(40)),
        ("/specstory/api/v1/projects", Some(10), Some(30), Some(40)),
        ("/sessionfs/api/v1/sessions", Some(10), Some(30), Some(40)),
        ("/api/v1/auth/signup/", Some(10), Some(30), Some(50)),
        ("/sessionfs/api/v1/sessions/share/token", Some(10), Some(30), Some(50)),
        ("/healthz", None, None, None),
        ("/readyz", None, None, None),
        ("/", None, None, None),
        ("/assets/playground.js", None, None, None),
        ("/api/docs", None, None, None),
        ("/projects/p1", None, None, None),
    ] {
        assert_eq!(limit(path, &caller(Credential::Key(key(1)))), by_key, "{path}");
        assert_eq!(limit(path, &caller(Credential::Web(key(2)))), by_key, "{path}");
        assert_eq!(limit(path, &caller(Credential::Device(key(3)))), by_device, "{path}");
        assert_eq!(limit(path, &Caller::anonymous("r1")), by_nobody, "{path}");
        assert_eq!(limit(path, &caller(Credential::Local)), None, "{path}");
    }
    let sessionfs = Caller { dialect: sg_domain::Dialect::Sessionfs, ..caller(Credential::Key(key(4))) };
    assert_eq!(limit("/api/v1/sessions", &sessionfs), Some(7));
    assert_eq!(limit("/api/v1/graphql", &sessionfs), Some(20));
    for route in sg_rest::specstory::ROUTES.iter().filter(|route| route.scope.is_none()) {
        let path = route.path.replace(['{', '}'], "");
        assert_eq!(limit(&path, &Caller::anonymous("r1")), Some(50), "{path}");
        assert_eq!(limit(&path, &caller(Credential::Key(key(1)))), Some(10), "{path}");
    }
}

#[tokio::test]
async fn an_answer_made_after_a_panic_still_tells_the_limit() {
    use axum::middleware::{Next, from_fn};
    use tower::ServiceExt as _;

    async fn panics() -> &'static str {
        panic!("on purpose")
    }
    let (_, now) = clock();
    let limits = Arc::new(RateLimits::new(&now, &RateLimitSection::default()));
    let count = move |request: Request, next: Next| {
        let address = ClientAddress::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
        limits.count(&request, address, &mut caller(Credential::Key(key(1))));
        next.run(request)
    };
    let stack = axum::Router::new().route("/api/v1/projects", axum::routing::get(panics));
    let stack = stack.layer(from_fn(count)).layer(from_fn(crate::http::request::observe));
    let answer = stack.oneshot(request(Method::GET, "/api/v1/projects")).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()[REMAINING]), (500, &HeaderValue::from(999)));
}

#[test]
fn preflights_and_the_playgrounds_page_are_not_counted() {
    assert_eq!(class(&request(Method::OPTIONS, "/api/v1/projects")), Class::Free);
    let mut page = request(Method::GET, "/api/v1/graphql");
    page.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/html"));
    assert_eq!(class(&page), if cfg!(feature = "ui") { Class::Free } else { Class::Graphql });
    *page.method_mut() = Method::POST;
    assert_eq!(class(&page), Class::Graphql);
}
