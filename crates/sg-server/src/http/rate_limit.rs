//! How many requests each key, device and address may make: counted here, worded by the dialects.
//!
//! A caller that is over its limit becomes one who is [`Anonymous::Limited`], which every operation refuses. Headers are
//! written by the stack itself, on whatever answer there is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use parking_lot::Mutex;
use sg_domain::caller::Anonymous;
use sg_domain::{Caller, ClientAddress, Credential, Dialect, KeyId, RateStanding};
use sg_rest::front;

use self::bucket::Buckets;
pub(crate) use self::bucket::Now;
use super::failure::is_graphql;
use super::graphql::is_browser;
use super::graphql_socket;
use crate::config::RateLimitSection;

mod bucket;

/// `X-RateLimit-Limit`: the bucket's size.
pub(crate) const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// `X-RateLimit-Remaining`: what is left in it.
pub(crate) const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
/// `X-RateLimit-Reset`: when it is full again, in UTC epoch seconds.
pub(crate) const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Where a counted request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What callers are told.
    pub(crate) rate: RateStanding,
    /// How long to wait, if this request is refused.
    retry_after: Option<Duration>,
}

impl Standing {
    fn write(&self, status: StatusCode, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.rate.limit));
        headers.insert(REMAINING, HeaderValue::from(self.rate.remaining));
        headers.insert(RESET, HeaderValue::from(self.rate.reset_at()));
        if let Some(wait) = self.retry_after.filter(|_| status == StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
    }
}

/// Rounded up, so that whoever waits that long is not refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// Travels with a request, so that its standing is on the answer even if the answer is made outside of whoever counted:
/// after a panic or too long a time.
#[derive(Clone, Default)]
pub(crate) struct Noted(Arc<Mutex<Option<Standing>>>);

impl Noted {
    /// Writes the headers, if the request was counted.
    pub(crate) fn write(&self, status: StatusCode, headers: &mut HeaderMap) {
        if let Some(standing) = *self.0.lock() {
            standing.write(status, headers);
        }
    }
}

/// A request that was counted, and where.
pub(crate) struct Counted {
    /// Where its caller stands.
    pub(crate) standing: Standing,
    /// The bucket of a key or device that it was taken from.
    bucket: Option<(bool, KeyId)>,
    noted: Option<Noted>,
}

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Rest,
    Graphql,
    /// Opens a socket, whose operations are counted instead.
    Socket,
    /// Answered for everyone.
    Open,
    /// Health, pages, assets, preflights.
    Free,
}

/// Every bucket there is.
pub(crate) struct RateLimits {
    rest: Option<Buckets<KeyId>>,
    sessionfs: Option<Buckets<KeyId>>,
    graphql: Option<Buckets<KeyId>>,
    device: Option<Buckets<KeyId>>,
    unauthenticated: Option<Buckets<IpAddr>>,
    open: Option<Buckets<IpAddr>>,
}

impl RateLimits {
    /// Full buckets, filled as time passes.
    pub(crate) fn new(now: &Now, section: &RateLimitSection) -> Self {
        Self {
            rest: Buckets::new(now, section.rest_per_hour),
            sessionfs: Buckets::by_the_minute(now, section.sessionfs_per_minute),
            graphql: Buckets::new(now, section.graphql_per_hour),
            device: Buckets::new(now, section.device_per_hour),
            unauthenticated: Buckets::new(now, section.unauthenticated_per_hour),
            open: Buckets::new(now, section.open_per_hour),
        }
    }

    /// Counts a request. One that is over its limit loses its identity, and keeps its dialect, which words the refusal.
    ///
    /// A credential that works is counted by itself alone: strangers at its address cannot use it up.
    pub(crate) fn count(&self, request: &Request, address: ClientAddress, caller: &mut Caller) -> Option<Counted> {
        let (standing, bucket) = self.standing(class(request), address, caller)?;
        if let Some(retry_after) = standing.retry_after {
            tracing::info!(address = %address.ip(), limit = standing.rate.limit, "over the rate limit");
            caller.identity = Err(Anonymous::Limited { retry_after });
        }
        let noted = request.extensions().get::<Noted>().cloned();
        if let Some(noted) = &noted {
            *noted.0.lock() = Some(standing);
        }
        Some(Counted { standing, bucket: bucket.filter(|_| standing.retry_after.is_none()), noted })
    }

    /// Gives back what a request of a key or a device took.
    pub(crate) fn give_back(&self, counted: &Counted) {
        let Some((is_device, key)) = counted.bucket else { return };
        let buckets = if is_device { &self.device } else { &self.graphql };
        if let Some(buckets) = buckets {
            buckets.give_back(&key);
        }
        if let Some(noted) = &counted.noted {
            *noted.0.lock() = Some(Standing { rate: counted.standing.rate.given_back(), ..counted.standing });
        }
    }

    /// Counts an operation over a socket, as a GraphQL request.
    pub(crate) fn count_operation(&self, address: ClientAddress, caller: &mut Caller) {
        let standing = self.standing(Class::Graphql, address, caller);
        if let Some(retry_after) = standing.and_then(|(standing, _)| standing.retry_after) {
            tracing::info!(address = %address.ip(), "an operation over the rate limit");
            caller.identity = Err(Anonymous::Limited { retry_after });
        }
    }

    fn standing(
        &self,
        class: Class,
        address: ClientAddress,
        caller: &Caller,
    ) -> Option<(Standing, Option<(bool, KeyId)>)> {
        let by_address = |buckets: &Option<Buckets<IpAddr>>| Some((buckets.as_ref()?.take(&address.network()), None));
        let identity = match (class, &caller.identity) {
            (Class::Free, _) => return None,
            // A browser can only show its credential in the first message.
            (Class::Socket, Ok(_) | Err(Anonymous::Missing)) => return None,
            (Class::Open, Err(_)) => return by_address(&self.open),
            (_, Err(_)) => return by_address(&self.unauthenticated),
            (_, Ok(identity)) => identity,
        };
        let is_graphql = class == Class::Graphql;
        let (buckets, key, is_device) = match identity.credential {
            Credential::Local => return None,
            Credential::Device(key) => (&self.device, key, true),
            Credential::Key(key) | Credential::Web(key) if is_graphql => (&self.graphql, key, false),
            Credential::Key(key) if caller.dialect == Dialect::Sessionfs => (&self.sessionfs, key, false),
            Credential::Key(key) | Credential::Web(key) => (&self.rest, key, false),
        };
        Some((buckets.as_ref()?.take(&key), is_graphql.then_some((is_device, key))))
    }
}

fn class(request: &Request) -> Class {
    // Reached by its own door, a dialect is the same.
    let path = front::behind_prefix(request.uri().path());
    if request.method() == Method::OPTIONS {
        Class::Free
    } else if is_graphql(path) {
        match () {
            () if is_browser(request) => Class::Free,
            () if graphql_socket::is_upgrade(request.headers()) => Class::Socket,
            () => Class::Graphql,
        }
    } else if front::is_open(path) || path.starts_with("/share/") || path.starts_with("/login/oidc") {
        // Pages that cost something although nobody is signed in: a whole session, a call to the provider.
        Class::Open
    } else if path == "/api/v1" || path.starts_with("/api/v1/") {
        Class::Rest
    } else {
        Class::Free
    }
}

#[cfg(test)]
mod tests;
