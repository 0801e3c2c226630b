//! The person behind a request, as the client application asserts it.

use std::fmt;

use hyper::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::jwt::verify_hs256;
use crate::request::Parsed;

/// Longest identity accepted, bytes.
const LONGEST: usize = 512;

/// Where an identity came from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectSource {
    /// `x-driftlead-subject`.
    Header,
    /// Open WebUI's signed token, verified.
    OpenWebUiJwt,
    /// Open WebUI's plain header; anyone who reaches the listener can write it.
    OpenWebUiHeader,
    /// `user`, `safety_identifier` or `metadata.user_id` of the body.
    Body,
    /// The API key of the client; the identity is a hash of it.
    ApiKey,
}

/// A person's identity, as an opaque name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    id: String,
}

impl Subject {
    /// An identity from elsewhere, for tests and tools.
    pub fn new(id: impl Into<String>) -> Self {
        Subject { id: id.into() }
    }

    /// The name itself. It may be an e-mail address: never log it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject([redacted])")
    }
}

/// Finds the person. With `jwt_secret`, Open WebUI's plain identity headers are ignored and a token
/// that does not verify gives no identity of that rank.
pub fn resolve(
    headers: &HeaderMap,
    parsed: Option<&Parsed<'_>>,
    jwt_secret: Option<&SecretString>,
    now_seconds: i64,
) -> Option<(Subject, SubjectSource)> {
    if let Some(id) = header(headers, "x-driftlead-subject") {
        return named(id, SubjectSource::Header);
    }
    if let Some(secret) = jwt_secret {
        if let Some(token) = header(headers, "x-openwebui-user-jwt")
            && let Ok(id) = verify_hs256(token, secret.expose_secret().as_bytes(), now_seconds)
        {
            return named(&id, SubjectSource::OpenWebUiJwt);
        }
    } else if let Some(id) = header(headers, "x-openwebui-user-id") {
        return named(id, SubjectSource::OpenWebUiHeader);
    }
    if let Some(parsed) = parsed {
        let fields = [
            &parsed.user,
            &parsed.safety_identifier,
            &parsed.metadata_user,
        ];
        if let Some(id) = fields.into_iter().flatten().find(|id| usable(id)) {
            return named(id, SubjectSource::Body);
        }
    }
    let key = api_key(headers)?;
    let hash = blake3::derive_key("driftlead gate subject of an API key v1", key.as_bytes());
    named(&blake3::Hash::from(hash).to_hex(), SubjectSource::ApiKey)
}

/// The client's key, whichever way it is sent. An empty one is none.
pub(crate) fn api_key(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers
        .get(hyper::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
    bearer
        .filter(|key| !key.is_empty())
        .or_else(|| header(headers, "x-api-key"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then_some(value)
}

fn usable(id: &str) -> bool {
    !id.trim().is_empty() && id.len() <= LONGEST
}

fn named(id: &str, source: SubjectSource) -> Option<(Subject, SubjectSource)> {
    usable(id).then(|| (Subject::new(id), source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    hyper::header::HeaderName::from_static(name),
                    value.parse().unwrap(),
                )
            })
            .collect()
    }

    fn found(
        pairs: &[(&'static str, &str)],
        body: &str,
        secret: Option<&str>,
    ) -> Option<(String, SubjectSource)> {
        let parsed = Parsed::read(Dialect::Chat, body.as_bytes()).unwrap();
        let secret = secret.map(SecretString::from);
        resolve(&headers(pairs), Some(&parsed), secret.as_ref(), 1000)
            .map(|(subject, source)| (subject.id().to_owned(), source))
    }

    #[test]
    fn ranks() {
        let all = [
            ("x-driftlead-subject", "a"),
            ("x-openwebui-user-id", "b"),
            ("authorization", "Bearer k"),
        ];
        let body = r#"{"user":"c","safety_identifier":"d"}"#;
        assert_eq!(
            found(&all, body, None),
            Some(("a".into(), SubjectSource::Header))
        );
        assert_eq!(
            found(&all[1..], body, None),
            Some(("b".into(), SubjectSource::OpenWebUiHeader))
        );
        assert_eq!(
            found(&all[2..], body, None),
            Some(("c".into(), SubjectSource::Body))
        );
        let (id, source) = found(&all[2..], "{}", None).unwrap();
        assert_eq!(source, SubjectSource::ApiKey);
        assert!(!id.contains('k') && id.len() == 64);
        assert_eq!(found(&[], "{}", None), None);
    }

    #[test]
    fn an_empty_key_is_no_identity() {
        assert_eq!(found(&[("authorization", "Bearer ")], "{}", None), None);
        assert_eq!(found(&[("authorization", "Bearer")], "{}", None), None);
    }

    #[test]
    fn plain_headers_are_ignored_where_a_token_is_demanded() {
        let spoofed = [
            ("x-openwebui-user-id", "b"),
            ("x-openwebui-user-jwt", "no.such.token"),
        ];
        assert_eq!(found(&spoofed, "{}", Some("secret")), None);
    }

    #[test]
    fn a_subject_does_not_print_its_name() {
        assert!(!format!("{:?}", Subject::new("alice@example.org")).contains("alice"));
    }
}
