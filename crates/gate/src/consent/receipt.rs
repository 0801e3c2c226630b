//! Receipts with the fields of ISO/IEC TS 27560:2023, after the community guide of the W3C Data Privacy
//! Vocabulary ("Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV", 2024-08-01). The
//! standard itself was not consulted.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Purpose;
use super::state::{Actor, Event};
use crate::audit::Head;

/// Who runs the gateway, from its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Controller {
    /// Name of the person or organisation.
    pub name: String,
    /// Postal address.
    pub address: String,
    /// How to reach them.
    pub contact: String,
    /// Jurisdiction, for instance `EU`.
    pub jurisdiction: String,
}

impl Default for Controller {
    fn default() -> Self {
        Controller {
            name: "whoever runs this gateway".to_owned(),
            address: "not stated".to_owned(),
            contact: "not stated".to_owned(),
            jurisdiction: "not stated".to_owned(),
        }
    }
}

/// What a receipt is made from.
#[derive(Debug)]
pub struct Receipt<'a> {
    /// The change that it confirms.
    pub event: &'a Event,
    /// A pseudonym of the person that is local to this gateway's store.
    pub principal: &'a str,
    /// The record's id: a random UUID.
    pub record: &'a str,
    /// Where the log stood after the change: the holder of the receipt can check the log against it.
    pub head: Head,
    /// Name of that log: several gateways that share a store have one each.
    pub log: &'a str,
    /// Whether the person's state is in a database that several gateways share.
    pub shared: bool,
    /// Who runs the gateway.
    pub controller: &'a Controller,
}

impl Receipt<'_> {
    /// The receipt as JSON-LD: a full copy of the record.
    pub fn to_json(&self) -> Value {
        let event = self.event;
        let notice = event.notice.as_ref();
        json!({
            "@context": "https://w3id.org/dpv/schema/dpv-27560",
            "profile": "https://w3id.org/dpv/schema/dpv-27560#receipt",
            "schema_version": "ISO/IEC TS 27560:2023",
            "receipt_id": format!("{}/{}", self.record, self.head.seq),
            "record": {
                "schema_version": "ISO/IEC TS 27560:2023",
                "record_id": self.record,
                "pii_principal_id": self.principal,
            },
            "processing": {
                "privacy_notice": notice.map(|n| format!("driftlead/{}/{}", event.purpose.name(), n.version)),
                "language": notice.map_or("en", |n| n.language.as_str()),
                "purposes": [event.purpose.name()],
                "purpose_description": event.purpose.notice().1,
                "lawful_basis": "consent",
                "pii_information": pii(event.purpose),
                "pii_controllers": [{
                    "party_id": "controller",
                    "party_name": self.controller.name,
                    "party_address": self.controller.address,
                    "party_contact": self.controller.contact,
                    "party_type": "controller",
                }],
                "collection_method": "counted from messages that pass the gateway",
                "storage_locations": if self.shared {
                    vec!["the machine that runs the gateway", "the database that the gateways share"]
                } else {
                    vec!["the machine that runs the gateway"]
                },
                "retention_period": "until erased by the person, or the end of validity",
                "jurisdiction": self.controller.jurisdiction,
                "recipient_third_parties": [],
                "withdrawal_method": "send /driftlead stop in the chat, or POST /driftlead/me/stop",
                "privacy_rights": ["GET /driftlead/me/export", "POST /driftlead/me/erase"],
            },
            "party": [
                { "party_id": self.principal, "party_type": "pii_principal" },
            ],
            "event": {
                "event_time": rfc3339(event.time),
                "validity_duration": duration(event.valid_seconds),
                "entity_id": match event.actor {
                    Actor::Person => self.principal,
                    Actor::Operator => "controller",
                    Actor::Gateway => "gateway",
                },
                "event_type": "explicitly_expressed",
                "event_state": event.state,
                "expression_method": event.channel,
            },
            "witness": {
                "log": self.log,
                "log_entry": self.head.seq,
                "log_head": self.head.hash.to_string(),
            },
        })
    }
}

/// What personal data a purpose uses, one row per type.
fn pii(purpose: Purpose) -> Value {
    match purpose {
        Purpose::RelationalMode => json!([]),
        Purpose::KeepState => json!([
            { "pii_type": "counts of messages and of kinds of lines, per day", "pii_optional": false },
        ]),
        Purpose::RandomisedPauses => json!([
            { "pii_type": "times of offered pauses and whether they were taken", "pii_optional": false },
        ]),
        Purpose::ShareFeatures => json!([
            { "pii_type": "one clipped number per count", "pii_optional": false },
        ]),
    }
}

fn duration(seconds: Option<i64>) -> String {
    format!("PT{}S", seconds.unwrap_or(0).max(0))
}

/// An instant as text; years that no clock shows are written as seconds.
pub(crate) fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |t| t.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Digest;
    use crate::consent::{Change, Channel, Consents};

    #[test]
    fn holds_every_mandatory_field_and_the_head_of_the_log() {
        let mut consents = Consents::default();
        let show = Change::Show {
            asked_for: true,
            language: "en".into(),
        };
        for change in [show, Change::Give] {
            let event = consents
                .change(Purpose::KeepState, &change, Channel::Api, 1_800_000_000)
                .unwrap();
            consents.accept(event);
        }
        let receipt = Receipt {
            log: "l",
            shared: false,
            event: consents.latest(Purpose::KeepState).unwrap(),
            principal: "p-1",
            record: "00000000-0000-4000-8000-000000000000",
            head: Head {
                seq: 9,
                hash: Digest([3; 32]),
            },
            controller: &Controller::default(),
        }
        .to_json();
        for field in [
            "/schema_version",
            "/receipt_id",
            "/record/schema_version",
            "/record/record_id",
            "/record/pii_principal_id",
            "/processing/privacy_notice",
            "/processing/language",
            "/processing/purposes/0",
            "/processing/pii_information/0/pii_type",
            "/processing/pii_controllers/0/party_id",
            "/processing/pii_controllers/0/party_address",
            "/processing/pii_controllers/0/party_name",
            "/processing/pii_controllers/0/party_contact",
            "/processing/pii_controllers/0/party_type",
            "/processing/storage_locations/0",
            "/processing/retention_period",
            "/processing/jurisdiction",
            "/processing/recipient_third_parties",
            "/processing/withdrawal_method",
            "/event/event_time",
            "/event/validity_duration",
            "/event/entity_id",
            "/event/event_type",
            "/event/event_state",
            "/witness/log_head",
        ] {
            let value = receipt.pointer(field);
            assert!(value.is_some_and(|v| !v.is_null()), "{field}");
        }
        assert_eq!(receipt["event"]["event_time"], "2027-01-15T08:00:00Z");
        assert_eq!(receipt["event"]["event_state"], "given");
        assert_eq!(receipt["event"]["entity_id"], "p-1");
    }
}
