//! One row and the header line as JSON.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// First line of a JSON Lines record. Its key is [`super::VERSION_KEY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    #[serde(rename = "driftlead.record.version")]
    pub(crate) version: u32,
    #[serde(rename = "driftlead.record.text", default)]
    pub(crate) text: bool,
}

/// One row, field by field as in [`super::COLUMNS`]. Empty fields are left out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row<'a> {
    #[serde(borrow)]
    pub(crate) deployment: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) conversation: Cow<'a, str>,
    pub(crate) seq: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offset_seconds: Option<i32>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_quality: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) role: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<Cow<'a, str>>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "float"
    )]
    pub(crate) reaction: Option<f64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) system_source: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<Cow<'a, str>>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "float"
    )]
    pub(crate) propensity: Option<f64>,
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) source: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) format: Cow<'a, str>,
    pub(crate) position: u64,
}

/// Reads a float exactly. The JSON reader's own conversion may be off in the last bit, which would
/// change a record each time it is rewritten.
fn float<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let raw = <&RawValue>::deserialize(from)?.get();
    if raw == "null" {
        return Ok(None);
    }
    raw.parse().map(Some).map_err(serde::de::Error::custom)
}
