//! Where a request wants to go, from its path.

use hyper::Method;

use super::errors::{self, GateError};
use crate::dialect::Dialect;

/// Where a request wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Below `/v1`, in a dialect that can be read or in none.
    Model(Option<Dialect>),
    /// The person's own interface.
    Local,
}

impl Place {
    /// Servers read `//` and `%63hat` as they like: the path is read generously here, so that no
    /// spelling of it goes past a policy.
    pub(super) fn of(method: &Method, path: &str) -> Result<Place, GateError> {
        let decoded = percent_decoded(path);
        let segments: Vec<&str> = decoded
            .split('/')
            .filter(|segment| !segment.is_empty() && *segment != ".")
            .collect();
        if segments.contains(&"..") {
            return Err(errors::BAD_PATH);
        }
        if path == "/driftlead" || path.starts_with("/driftlead/") {
            return Ok(Place::Local);
        }
        if path != "/v1" && !path.starts_with("/v1/") {
            return Err(errors::NOT_FOUND);
        }
        let rest: String = segments
            .iter()
            .skip(1)
            .flat_map(|segment| ["/", segment])
            .collect();
        let dialect = Dialect::of_path(&rest).filter(|_| *method == Method::POST);
        Ok(Place::Model(dialect))
    }
}

fn percent_decoded(path: &str) -> String {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_path_goes_past_a_policy() {
        let chat = Ok(Place::Model(Some(Dialect::Chat)));
        for path in [
            "/v1/chat/completions",
            "/v1//chat/completions/",
            "/v1/./chat/%63ompletions",
            "/v1/chat%2Fcompletions",
        ] {
            assert_eq!(Place::of(&Method::POST, path), chat, "{path}");
        }
        assert_eq!(
            Place::of(&Method::GET, "/v1/chat/completions"),
            Ok(Place::Model(None))
        );
        assert_eq!(
            Place::of(&Method::GET, "/v1/models"),
            Ok(Place::Model(None))
        );
        assert_eq!(
            Place::of(&Method::GET, "/v1/%2e%2E/admin"),
            Err(errors::BAD_PATH)
        );
        assert_eq!(Place::of(&Method::GET, "/v1/%"), Ok(Place::Model(None)));
        assert_eq!(Place::of(&Method::GET, "/v11"), Err(errors::NOT_FOUND));
        assert_eq!(Place::of(&Method::GET, "/driftlead/me"), Ok(Place::Local));
    }
}
