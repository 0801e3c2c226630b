//! Literal counts over conversations, each with its card.
//!
//! [`scan`] turns one conversation into derived counts (pure, so callers run it in parallel);
//! [`Person`] adds them up and makes one weekly [`Series`] per count. [`Meter`] is the same step for
//! one event at a time. [`cards`] says of every metric what it counts and how far it can be trusted;
//! [`MISSING`] says what is not counted and why. This crate keeps no text and knows nothing of verdicts.

#![deny(clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod card;
mod count;
mod exit;
mod language;
mod list;
mod metric;
mod missing;
mod observation;
mod pasted;
mod person;
mod reply;
mod scan;
mod series;
mod session;
mod text;

pub use card::{Card, CardError, Definition, Grade, card, cards, check_cards};
pub use exit::{AgainstLeaving, is_goodbye};
pub use list::{ListError, check_lists};
pub use missing::{MISSING, Missing};
pub use observation::{EXTRA, Observation};
pub use person::{Activity, Person, WeekActivity};
pub use scan::{Meter, Scan, scan};
pub use series::{Abstain, Measure, OtherWeeks, Point, Rank, Series, Side};
pub use text::TOKENISER;
