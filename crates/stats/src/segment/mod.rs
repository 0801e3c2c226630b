//! Where a finished series changes: exact segmentations, looking back.
//!
//! A segmentation cuts a series into consecutive segments; its cost is the sum of the costs of the
//! segments ([`Cost`]). [`Segmenter`] prepares one series and answers three questions:
//!
//! | question | method | exact |
//! |---|---|---|
//! | How many changes are worth a penalty each, and where? | [`Segmenter::penalised`] | yes |
//! | Where are the best `k` changes? | [`Segmenter::with_changes`] | yes |
//! | The same, fast and greedy | [`Segmenter::binary`] | no |
//!
//! **No guarantee.** Nothing here bounds a false-alarm probability: a penalty is a price, not a level, and
//! the change times carry no interval. To judge, use [`crate::eprocess`] or [`crate::series`]; use this to
//! describe a series of which something else says that it moved, or as an arm to compare against.
//!
//! ```
//! use driftlead_stats::segment::{Cost, Segmenter, Spacing};
//! let level = |t: usize| if t < 40 { 0.0 } else if t < 70 { 3.0 } else { 1.0 };
//! let xs: Vec<f64> = (0..100).map(|t| level(t) + 0.4 * (t as f64 * 2.4).sin()).collect();
//! let series = Segmenter::new(&xs, Cost::L2, Spacing::default())?;
//! let found = series.penalised(3.0)?;
//! assert_eq!(found.ends, [40, 70, 100]);
//! assert_eq!(series.with_changes(2)?, found);
//! # Ok::<(), driftlead_stats::StatsError>(())
//! ```

mod cost;
mod ranks;
mod search;
mod sums;

pub use cost::Cost;
pub use search::{Segmentation, Segmenter, Spacing};
