//! "Changed from own baseline" when the baseline is not known.
//!
//! A plug-in estimate of a person's baseline breaks every guarantee (null alarms .045 at a nominal
//! .01). Two constructions replace it; both average over where the baseline may lie.
//!
//! - [`PosteriorAveraged`]: one likelihood ratio of "changed" against "unchanged", both averaged over a
//!   population prior. Its guarantee is population-averaged (level A2): people with a baseline in the
//!   upper tail of the prior have more false alarms than the average.
//! - [`Guarded`]: the same evidence for a change, set against the *least favourable* weighting of the
//!   unchanged baselines, found by simulation so that the false-alarm rate keeps to one limit on
//!   average **and** to another at every single baseline. More power at the same average rate, because
//!   nothing is lost to Ville's inequality and the alarms are spent where they help.
//!
//! The prior comes from other people: [`Prior::beta_from_counts`] (a fitted beta, 16 nodes) or
//! [`Prior::npmle`] (nonparametric, safe when the population is a mixture).

mod guarded;
mod posterior;
mod prior;

pub use guarded::{Guard, Guarded, GuardedRule, GuardedSettings, NullRate};
pub use posterior::PosteriorAveraged;
pub use prior::Prior;
