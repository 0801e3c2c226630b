//! Worlds of opinion and exposure that published findings can be held against, each in a file of its
//! own. A name that ends in `_like` says that the paper's equation was not read: its reported shape is
//! what such a world is checked for, and passing does not validate the paper.
//!
//! They are generators of their own, not tabular feeds: people meet each other, or share one
//! recommender. What they share with the rest is the luck.

pub mod animosity;
pub mod animosity_arms;
pub mod baumann;
pub mod bellina_like;
pub mod bots;
pub mod carroll22_like;
pub mod chaney18_like;
pub mod graph;
pub mod hazla_like;
pub mod jiang19_like;
pub mod kalimeris_like;
pub mod kinds;
pub mod kleinberg24_like;
pub mod numbers;
pub mod panel;
pub mod perra19_like;
pub mod rank2;
pub mod rank2_timelines;
pub mod rossi18_like;
mod vector;
pub mod world;

/// Purposes of the sequences of these worlds; no two share draws.
mod purpose {
    pub(super) const BAUMANN_BIRTH: u32 = 80;
    pub(super) const BAUMANN_STEP: u32 = 81;
    pub(super) const HAZLA: u32 = 82;
    pub(super) const ANIMOSITY_BIRTH: u32 = 83;
    pub(super) const ANIMOSITY_DAY: u32 = 84;
    pub(super) const BOTS: u32 = 85;
    pub(super) const BELLINA: u32 = 86;
    pub(super) const KALIMERIS: u32 = 87;
    pub(super) const RANK2: u32 = 88;
    pub(super) const REPLICATE: u32 = 89;
    pub(super) const NETWORK: u32 = 90;
    pub(super) const FRIENDS: u32 = 91;
    pub(super) const ROSSI: u32 = 92;
    pub(super) const PERRA: u32 = 93;
    pub(super) const JIANG: u32 = 94;
    pub(super) const JIANG_CHOICE: u32 = 95;
    pub(super) const CHANEY: u32 = 100;
    pub(super) const CARROLL: u32 = 101;
    pub(super) const KLEINBERG: u32 = 102;
}
