//! Numbers in, evidence out: inference for slow change. Knows nothing of people or files.
//!
//! Classical tests may be looked at once. Data that arrive day by day are looked at every day, and then a 5 %
//! test is wrong far more often than 5 % of the time. Most of what is here stays valid under any number of
//! looks: *e-values* (large = evidence against "nothing changed"; 20 is reached at most 1 time in 20
//! when nothing did), *confidence sequences* (intervals that hold at all times at once) and *detectors* with a
//! guaranteed time between false alarms.
//!
//! # Which one when
//!
//! | question | use | what it guarantees |
//! |---|---|---|
//! | Should somebody look now, and again later? | [`edetector::Alarm`] | at least `gamma` observations between false alarms, whatever the dependence |
//! | The same, the distribution before the change known | [`edetector::Alarm::exact`] | `gamma` observations between false alarms, so an earlier alarm |
//! | May a report say "moved"? Level before is known | [`eprocess::Verdict`] | probability of ever being wrong at most `alpha` |
//! | The same, several markers of one person | [`eprocess::SubsetVerdict`] where few of them move together, or [`eprocess::merge_mean`] | the same, whatever the dependence between markers |
//! | The same, baseline of the person unknown | [`baseline::Guarded`] | false alarms limited at every baseline, up to a stated simulation error |
//! | When did it change? | [`series::change_times`] | misses the time with probability at most `alpha` |
//! | Which of many people or markers moved? | [`multiple::closed_e_bh`] | false discovery rate at any stopping time |
//! | The same, from p-values, once | [`multiple::benjamini_hochberg`], [`multiple::holm`] | false discovery rate; any false rejection |
//! | How large is a mean, looked at all the time? | [`cs`]: [`cs::PredMixBernstein`] cheap, [`cs::BettingSequence`] tightest | an interval that holds at all times at once |
//! | How fast could any detector be? | [`glr::cusum_delay`] | exact optimum for a known shift |
//! | Did a randomised decision cause it? | [`causal`] | an effect, looked at once ([`causal::wcls`]) or at all times ([`causal::EffectSequence`]) |
//! | How many people does such a trial need? | [`causal::ProximalPlan`], [`causal::SlopeNoise`] | power under the plan |
//! | Has one person's weekly series moved, and what could have been seen? | [`series::fit`], [`series::equivalence`] | error about `alpha` under autocorrelation up to .7, by calibration |
//! | Where did a finished series change? | [`segment`] | the cheapest cut, exactly; no error rate |
//! | How do well-known detectors do on the same data? | [`peers`], [`glr::GaussianFocus`] | none; that is the point |
//! | Has a system changed its answers? | [`two_sample`] | exact permutation p-value; [`two_sample::ChangeAlarm`] day by day, with a run length |
//! | Do raters, methods or items agree? | [`agreement`] | intervals per coefficient, stated there |
//! | What is preferred to what, and by how much? | [`preference`] | converged fits with priors and intervals |
//! | Is a population split, or narrow? | [`diversity`] | descriptions, each its own number; [`diversity::dip_test`] for "more than one mode" |
//! | How do people differ, and what is known of each? | [`mixed`] | maximum of the (restricted) likelihood; estimates better on average |
//! | May a cohort's mean be shown? | `privacy` (feature of that name) | differential privacy, from a budget that cannot be overspent |
//!
//! Every estimator's page says what it **assumes**, what it **guarantees**, where its formula is from, and
//! shows it at work. Assumptions are sorted by how much they ask: level A0, a known randomisation; A1, a tolerated
//! level chosen beforehand; A2, observations independent given a person's baseline, baselines drawn from a
//! population; A3, a fitted model of autocorrelation. Conversations that depend on each other break A2:
//! how much that shortens a run length is printed, with everything else that was measured, by
//! `cargo run --release -p driftlead-stats --example operating_characteristics`.
//!
//! [`boundary`], [`special`] and [`rng`] are what the rest is built from.
//!
//! # Two modes
//!
//! Two modes must not be mixed up. An *alarm* has a finite run length, so over enough time it is certain
//! to be false once; it says nothing about how many of the people flagged have changed. A *verdict*
//! spends a fixed probability over all time, and its e-values may be combined across people.
//!
//! ```
//! use driftlead_stats::edetector::{Alternatives, Baseline};
//! use driftlead_stats::eprocess::{Verdict, Weights};
//! use driftlead_stats::multiple::closed_e_bh;
//!
//! let start = || {
//!     let grid = Alternatives::geometric_bernoulli(0.1, 0.03, 8)?;
//!     Verdict::new(Baseline::Bernoulli { p: 0.1 }, grid, Weights::Horizon(180))
//! };
//! let mut people = vec![start()?, start()?, start()?];
//! for t in 0..180u32 {
//!     for (person, verdict) in people.iter_mut().enumerate() {
//!         let often = if person == 1 && t >= 60 { 2 } else { 10 };
//!         verdict.update(if t % often == 0 { 1.0 } else { 0.0 })?;
//!     }
//! }
//! let e: Vec<f64> = people.iter().map(Verdict::e_value).collect();
//! assert_eq!(closed_e_bh(&e, 0.05)?, [1]);
//! # Ok::<(), driftlead_stats::StatsError>(())
//! ```
//!
//! Sums run in the log domain or are capped; NaN and infinite observations are refused with a
//! [`StatsError`] that leaves the state unchanged; constant streams and zero variance are defined.

pub mod agreement;
pub mod baseline;
pub mod boundary;
pub mod causal;
pub mod cs;
pub mod diversity;
pub mod edetector;
pub mod eprocess;
mod error;
pub mod glr;
pub mod mixed;
pub mod multiple;
pub mod peers;
pub mod preference;
#[cfg(feature = "privacy")]
pub mod privacy;
pub mod rng;
pub mod segment;
pub mod series;
pub mod special;
pub mod two_sample;

pub use error::{Result, StatsError};
