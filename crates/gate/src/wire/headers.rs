//! Which headers pass, and which end here (gateway.md §5.3, §5.13; RFC 9110 §7.6.1).

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};

/// Headers that concern one connection only.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The client's headers as the upstream gets them.
pub(super) fn to_upstream(mut headers: HeaderMap) -> HeaderMap {
    remove_hop_by_hop(&mut headers);
    headers.remove(header::HOST);
    headers.remove(header::EXPECT);
    // Set again from the body that is really sent.
    headers.remove(header::CONTENT_LENGTH);
    remove_prefixed(&mut headers, &["x-driftlead-", "x-openwebui-"]);
    // A compressed reply could not be read as it passes.
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    headers
}

/// The upstream's headers as the client gets them. Only the gateway itself speaks as `x-driftlead-*`.
pub(super) fn to_client(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    remove_prefixed(headers, &["x-driftlead-"]);
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        // A client must not be able to take these from the message (RFC 9110 §7.6.1).
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn remove_prefixed(headers: &mut HeaderMap, prefixes: &[&str]) {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| prefixes.iter().any(|p| name.as_str().starts_with(p)))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn what_ends_here_and_what_passes() {
        let sent = to_upstream(map(&[
            ("connection", "close, x-once"),
            ("x-once", "1"),
            ("te", "trailers"),
            ("host", "gate"),
            ("x-driftlead-subject", "a"),
            ("x-openwebui-user-email", "a@b"),
            ("accept-encoding", "gzip"),
            ("authorization", "Bearer k"),
            ("x-stainless-lang", "js"),
            ("x-many", "1"),
            ("x-many", "2"),
        ]));
        let mut names: Vec<&str> = sent.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "accept-encoding",
                "authorization",
                "x-many",
                "x-stainless-lang"
            ]
        );
        assert_eq!(sent["accept-encoding"], "identity");
        assert_eq!(sent.get_all("x-many").iter().count(), 2);
    }

    #[test]
    fn an_upstream_cannot_speak_for_the_gateway() {
        let mut reply = map(&[("x-driftlead-mode", "x"), ("x-request-id", "r")]);
        to_client(&mut reply);
        assert!(!reply.contains_key("x-driftlead-mode") && reply.contains_key("x-request-id"));
    }
}
