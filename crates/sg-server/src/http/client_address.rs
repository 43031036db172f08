//! The client's address: the peer's, or what a proxy that is trusted says of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use http::HeaderMap;
use sg_domain::ClientAddress;

use crate::config::{AddressHeader, HttpConfig};

/// Finds it. Requests that came over no socket share the unspecified address.
pub(crate) fn of(request: &Request, http: &HttpConfig) -> ClientAddress {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    ClientAddress::new(behind_proxies(peer, request.headers(), http))
}

/// Each proxy appends whom it heard from, so the list is believed from its end, as long as the address that speaks is a
/// trusted proxy's. The first address that is not is the client; what it wrote further left is its own invention.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, http: &HttpConfig) -> IpAddr {
    let is_trusted = |ip: IpAddr| http.trusted_proxies.iter().any(|network| network.contains(ip));
    if !is_trusted(peer) {
        return peer;
    }
    let said = match http.client_address_header {
        AddressHeader::XForwardedFor => list(headers, "x-forwarded-for").map(address).collect::<Vec<_>>(),
        AddressHeader::Forwarded => list(headers, "forwarded").map(forwarded_for).collect(),
    };
    let mut client = peer;
    for ip in said.into_iter().rev() {
        // One that cannot be read, or is hidden on purpose, ends what is known.
        let Some(ip) = ip else { break };
        client = ip;
        if !is_trusted(ip) {
            break;
        }
    }
    client
}

/// The members of a list header, over all of its lines.
fn list<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter();
    // An unreadable line counts as one unreadable member: skipping it would believe what is left of it.
    lines.flat_map(|line| line.to_str().unwrap_or("?").split(','))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip())).or_else(bare)
}

/// The address in `for=…;proto=…`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, trusted: &[&str], header: AddressHeader, lines: &[(&'static str, &str)]) -> String {
        let trusted_proxies = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let http = HttpConfig { trusted_proxies, client_address_header: header, ..HttpConfig::default() };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        behind_proxies(peer.parse().unwrap(), &headers, &http).to_string()
    }

    #[test]
    fn only_a_trusted_peer_is_believed() {
        let said = [("x-forwarded-for", "203.0.113.9")];
        let of = |peer: &str, trusted: &[&str]| client(peer, trusted, AddressHeader::XForwardedFor, &said);
        assert_eq!(of("192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(of("192.0.2.1", &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(of("10.1.2.3", &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_client() {
        let of = |value: &str| {
            client("10.0.0.1", &["10.0.0.0/8"], AddressHeader::XForwardedFor, &[("x-forwarded-for", value)])
        };
        assert_eq!(of("198.51.100.1, 203.0.113.9, 10.0.0.7"), "203.0.113.9");
        assert_eq!(of("10.0.0.9, 10.0.0.8"), "10.0.0.9");
        assert_eq!(of("198.51.100.1, unknown, 10.0.0.7"), "10.0.0.7");
        assert_eq!(of(""), "10.0.0.1");
        assert_eq!(of("203.0.113.9:1234"), "203.0.113.9");
        assert_eq!(of("[2001:db8::1]:1234"), "2001:db8::1");
        assert_eq!(of("2001:db8::1"), "2001:db8::1");
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(client("10.0.0.1", &["10.0.0.1"], AddressHeader::XForwardedFor, &lines), "203.0.113.9");
    }

    #[test]
    fn only_the_configured_header_is_read() {
        let lines = [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=\"[2001:db8::7]:81\";proto=https")];
        let of = |header| client("10.0.0.1", &["10.0.0.1"], header, &lines);
        assert_eq!(of(AddressHeader::XForwardedFor), "198.51.100.1");
        assert_eq!(of(AddressHeader::Forwarded), "2001:db8::7");
        let hidden = [("forwarded", "for=203.0.113.1, proto=http;For=_hidden")];
        assert_eq!(client("10.0.0.1", &["10.0.0.1"], AddressHeader::Forwarded, &hidden), "10.0.0.1");
    }
}
