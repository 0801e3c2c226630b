//! What is kept of a person, sealed under their key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::consent::Consents;

/// Receipts kept; the oldest go first.
const RECEIPTS: usize = 50;
/// Conversations whose counts are kept: somewhat over the horizon of the evidence.
const CONVERSATIONS: usize = 400;
/// Repairs kept across conversations.
const REPAIRS: usize = 8;

/// Everything kept of one person. No message is in it, and no word but those of a repair that the person
/// asked to keep.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    pub(crate) consents: Consents,
    /// Receipts, oldest first.
    pub(crate) receipts: Vec<Value>,
    /// Repairs that hold across conversations.
    pub(crate) repairs: Vec<Repair>,
    /// Number of the next randomised decision.
    pub(crate) decisions: u32,
    /// Counts by conversation, oldest first. Only with the consent to keep them.
    pub(crate) conversations: Vec<Counted>,
    pub(crate) taper: Taper,
    pub(crate) outcomes: Outcomes,
    /// Lines against leaving that were left out of replies.
    pub(crate) left_out: u32,
}

/// A repair that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Repair {
    /// In the person's words; `None` where they gave none.
    pub(crate) words: Option<String>,
    /// Turns for which it is still kept.
    pub(crate) turns: u32,
    /// Seconds since 1970 at which it ends in any case.
    pub(crate) until: i64,
}

/// How repairs went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Outcomes {
    /// Repairs asked for, by command, header, API, or in plain words.
    pub(crate) repairs: u32,
    /// Of these, while an earlier one was still in force: it landed wrong again.
    pub(crate) repeated: u32,
    /// Replies that were given under a repair.
    pub(crate) turns_kept: u32,
}

/// The counts of one conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counted {
    /// Day of its start, since 1970-01-01 UTC.
    pub(crate) day: i32,
    /// Numerator and denominator by series.
    pub(crate) counts: BTreeMap<String, (u32, u32)>,
    /// Policy in force at its start.
    pub(crate) policy: String,
    /// The randomised pause of this conversation: probability, and whether it was drawn.
    pub(crate) pause: Option<(f64, bool)>,
}

/// How far the dose has been taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Taper {
    /// Weeks in the past for which the evidence stood.
    pub(crate) weeks: f64,
    /// Seconds since 1970 from which it stands now.
    pub(crate) since: Option<i64>,
}

impl Taper {
    const WEEK: f64 = 7.0 * 86_400.0;

    /// Weeks for which the evidence has stood, at `now` (seconds since 1970).
    pub(crate) fn weeks_at(&self, now: i64) -> f64 {
        let open = self
            .since
            .map_or(0, |since| now.saturating_sub(since).max(0));
        self.weeks + open as f64 / Self::WEEK
    }

    /// Takes what the evidence says now. It never goes back: neither time nor a repair returns what the
    /// evidence took.
    pub(crate) fn set(&mut self, stands: bool, now: i64) {
        match (stands, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(_)) => {
                self.weeks = self.weeks_at(now);
                self.since = None;
            }
            _ => {}
        }
    }
}

impl Kept {
    pub(crate) fn read(state: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(state)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn add_receipt(&mut self, receipt: Value) {
        self.receipts.push(receipt);
        let over = self.receipts.len().saturating_sub(RECEIPTS);
        self.receipts.drain(..over);
    }

    pub(crate) fn add_repair(&mut self, repair: Repair) {
        self.repairs.push(repair);
        let over = self.repairs.len().saturating_sub(REPAIRS);
        self.repairs.drain(..over);
    }

    pub(crate) fn add_conversation(&mut self, counted: Counted) {
        self.conversations.push(counted);
        let over = self.conversations.len().saturating_sub(CONVERSATIONS);
        self.conversations.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_old_state_is_filled_in() {
        let mut kept = Kept::default();
        kept.add_conversation(Counted {
            day: 3,
            counts: [("questions.per_reply".to_owned(), (1, 2))].into(),
            policy: "p".into(),
            pause: Some((0.5, true)),
        });
        assert_eq!(Kept::read(&kept.write()).unwrap(), kept);
        assert_eq!(Kept::read(b"{}").unwrap(), Kept::default());
        for _ in 0..2 * CONVERSATIONS {
            kept.add_conversation(kept.conversations[0].clone());
        }
        assert_eq!(kept.conversations.len(), CONVERSATIONS);
    }

    #[test]
    fn a_taper_only_grows() {
        let week = 7 * 86_400;
        let mut taper = Taper::default();
        taper.set(false, 0);
        taper.set(true, week);
        assert_eq!(taper.weeks_at(3 * week), 2.0);
        taper.set(true, 2 * week);
        taper.set(false, 3 * week);
        assert_eq!(taper.weeks_at(9 * week), 2.0);
        assert_eq!(taper.weeks_at(0), 2.0);
        taper.set(true, 9 * week);
        assert_eq!(taper.weeks_at(10 * week), 3.0);
        assert_eq!(taper.weeks_at(0), 2.0, "a clock set back takes nothing off");
    }
}
