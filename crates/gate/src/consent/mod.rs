//! Consent: one state per purpose, changed by explicit acts alone.
//!
//! States follow the consent statuses of the Data Privacy Vocabulary, as used for `event_state` of
//! ISO/IEC TS 27560. Nothing here reads a message: what counts as an act of the person is decided by
//! whoever calls [`Consents::change`].

mod merge;
mod receipt;
mod state;

pub use receipt::{Controller, Receipt};
pub use state::{Actor, Change, Channel, Consents, Event, Notice, Refused, State};

use serde::{Deserialize, Serialize};

/// What a consent is for. Purposes are never bundled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A warmer, more personal way of talking.
    RelationalMode,
    /// Counts about the person's conversations are kept from one conversation to the next.
    KeepState,
    /// Pauses are offered at random moments, so that their effect can be estimated.
    RandomisedPauses,
    /// Derived counts leave the person's store, for cohort numbers.
    ShareFeatures,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Purpose; 4] = [
        Purpose::RelationalMode,
        Purpose::KeepState,
        Purpose::RandomisedPauses,
        Purpose::ShareFeatures,
    ];

    /// The name in commands, paths and records.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::RelationalMode => "relational_mode",
            Purpose::KeepState => "keep_state",
            Purpose::RandomisedPauses => "randomised_pauses",
            Purpose::ShareFeatures => "share_features",
        }
    }

    /// The purpose of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// The notice that is shown before the person may give consent. Its version changes with its words.
    pub fn notice(self) -> (u32, &'static str) {
        match self {
            Purpose::RelationalMode => (
                1,
                "Relational mode asks the model to talk in a warmer, more personal way. It stays a \
                 program. Nothing else changes, and plain service stays the same if you say no or \
                 stop. How such a mode affects people over months is not known. It ends by itself \
                 after six months. To stop at any time, send /driftlead stop.",
            ),
            Purpose::KeepState => (
                1,
                "With this, the gateway keeps counts about your conversations, such as messages per \
                 day and how often some kinds of lines occur, encrypted under a key of your own. It \
                 does not keep your words. You can see, export and erase them at /driftlead/me. It \
                 ends by itself after six months. To stop at any time, send /driftlead stop.",
            ),
            Purpose::RandomisedPauses => (
                1,
                "With this, the gateway sometimes offers a pause, at moments drawn at random. You can \
                 always skip it. The draw makes it possible to say whether pauses change anything for \
                 you. Their effect is not known. It ends by itself after six months. To stop at any \
                 time, send /driftlead stop.",
            ),
            Purpose::ShareFeatures => (
                1,
                "With this, one number per count about you takes part in averages over at least 100 \
                 people, with random noise added. Nobody sees your own number. You can see it first \
                 at /driftlead/me. It ends by itself after six months. To stop at any time, send \
                 /driftlead stop.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_say_how_to_stop_and_do_not_press() {
        for purpose in Purpose::ALL {
            let (_, text) = purpose.notice();
            assert!(text.contains("/driftlead stop"), "{purpose:?}");
            for word in [
                "miss",
                "lonely",
                "sorry",
                "sure",
                "lose",
                "please",
                "best",
                "better",
                "recommend",
            ] {
                assert!(
                    !text
                        .to_lowercase()
                        .split(|c: char| !c.is_alphabetic())
                        .any(|w| w == word),
                    "{purpose:?}: {word}"
                );
            }
            assert_eq!(Purpose::named(purpose.name()), Some(purpose));
        }
    }
}
