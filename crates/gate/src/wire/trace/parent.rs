//! The header `traceparent` of W3C Trace Context: which trace a request belongs to.

use hyper::HeaderMap;
use hyper::header::HeaderValue;

use crate::audit::{hex, random_bytes};

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";
/// Bit of the flags: whoever began the trace records it.
const SAMPLED: u8 = 1;

/// Where a span stands in its trace; ids in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) trace: String,
    pub(super) span: String,
    /// The span of whoever sent the request.
    pub(super) parent: Option<String>,
}

impl Place {
    /// Takes the place of a new span from a request's headers and puts it into them for the upstream.
    /// `None` where the trace is not recorded: the headers stay as they are then.
    pub(super) fn take(headers: &mut HeaderMap) -> Option<Place> {
        let sent = {
            let mut all = headers.get_all(PARENT).iter();
            let first = all.next().filter(|_| all.next().is_none());
            first.and_then(|value| read(value.to_str().ok()?))
        };
        if sent.as_ref().is_some_and(|sent| sent.flags & SAMPLED == 0) {
            return None;
        }
        let random = hex(&random_bytes::<24>().ok()?);
        let (trace, span) = random.split_at_checked(32)?;
        if sent.is_none() {
            // The state belongs to the trace that is not gone on with.
            headers.remove(STATE);
        }
        let place = Place {
            trace: sent.as_ref().map_or(trace, |sent| &sent.trace).to_owned(),
            span: span.to_owned(),
            parent: sent.map(|sent| sent.span),
        };
        let header = format!("00-{}-{}-{SAMPLED:02x}", place.trace, place.span);
        headers.insert(PARENT, HeaderValue::try_from(header).ok()?);
        Some(place)
    }
}

struct Sent {
    trace: String,
    span: String,
    flags: u8,
}

/// Later versions may add fields behind the four that are known.
fn read(value: &str) -> Option<Sent> {
    let mut fields = value.trim().split('-');
    let mut field = |length: usize| {
        let text = fields.next()?;
        let digits = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        (text.len() == length && text.bytes().all(digits)).then_some(text)
    };
    let (version, trace, span, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    let zero = |text: &str| text.bytes().all(|b| b == b'0');
    if version == "ff" || zero(trace) || zero(span) {
        return None;
    }
    if version == "00" && fields.next().is_some() {
        return None;
    }
    Some(Sent {
        trace: trace.to_owned(),
        span: span.to_owned(),
        flags: u8::from_str_radix(flags, 16).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    fn taken(values: &[&str]) -> (Option<Place>, HeaderMap) {
        let mut headers = HeaderMap::new();
        headers.insert(STATE, HeaderValue::from_static("a=1"));
        for value in values {
            headers.append(PARENT, value.parse().unwrap());
        }
        (Place::take(&mut headers), headers)
    }

    #[test]
    fn a_trace_goes_on() {
        for value in [
            format!("00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-03"),
            format!("cc-{TRACE}-{SPAN}-01-more"),
        ] {
            let (place, headers) = taken(&[&value]);
            let place = place.unwrap();
            assert_eq!(place.trace, TRACE);
            assert_eq!(place.parent.as_deref(), Some(SPAN));
            let sent = headers[PARENT].to_str().unwrap();
            assert_eq!(sent, format!("00-{TRACE}-{}-01", place.span));
            assert_ne!(place.span, SPAN);
            assert!(headers.contains_key(STATE));
        }
    }

    #[test]
    fn one_that_cannot_be_read_is_begun_anew() {
        let zero = "0".repeat(32);
        let whole = format!("00-{TRACE}-{SPAN}-01");
        for values in [
            vec![],
            vec!["nonsense".to_owned()],
            vec![format!("00-{zero}-{SPAN}-01")],
            vec![format!("00-{TRACE}-{}-01", "0".repeat(16))],
            vec![format!("ff-{TRACE}-{SPAN}-01")],
            vec![format!("00-{TRACE}-{SPAN}-01-more")],
            vec![format!("00-{}-{SPAN}-01", TRACE.to_uppercase())],
            vec![whole.clone(), whole],
        ] {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let (place, headers) = taken(&values);
            let place = place.unwrap();
            assert_ne!(place.trace, TRACE, "{values:?}");
            assert_eq!((place.parent, place.trace.len()), (None, 32));
            assert_eq!(headers.get_all(PARENT).iter().count(), 1);
            assert!(!headers.contains_key(STATE));
        }
    }

    #[test]
    fn one_that_nobody_records_passes_as_it_is() {
        let value = format!("00-{TRACE}-{SPAN}-00");
        let (place, headers) = taken(&[&value]);
        assert_eq!(place, None);
        assert_eq!(headers[PARENT].to_str().unwrap(), value);
        assert!(headers.contains_key(STATE));
    }
}
