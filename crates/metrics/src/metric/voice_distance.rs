//! M10: distance from the person's own earlier wording, and the system's phrases in the person's text.
//!
//! **Count.** Baseline: the first 12 eligible weeks. A week is drawn from four times, 1,000 words each, in
//! pieces of at most 100 words of a message; values are means over the draws. (a) `function_words`: mean
//! absolute difference of the rates of 150 function words, each in standard deviations over the baseline weeks
//! (Burrows, *Literary and Linguistic Computing* 17, 2002); (b) `letters`: cosine distance of the counts of
//! letter triples, in 512 hashed classes. A baseline week is compared with the other baseline weeks, so that
//! it is not closer by construction. (c) `toward`: the distance (a) between the person's and the system's
//! samples of the same week. (d) `uptake`: share of the person's runs of 4 and 5 words that stood in messages
//! of the system in the 28 days before, that no baseline week of the person holds, and that the system wrote
//! before the person did; taken from a sample of all runs by hash.
//!
//! **Null.** (c) and (d) are set beside the same values with the system's text of other weeks: its weeks are
//! moved against the person's in up to 59 ways. The real place among the farthest 5 % is what a person who
//! follows nobody shows in about 5 % of cases. Subjects that both sides share in time are followed too, so
//! this bounds chance, not topic.
//!
//! **Draws.** They are drawn without replacement: drawing with it (a bootstrap) would count words of a thin
//! week twice, and make thin weeks farther from everything than full ones.
//!
//! **Not counted.** Pasted text, code, scenes. Topic is the largest confounder; short quotations of the system
//! count as uptake.

mod other_weeks;
mod phrases;
mod wording;

use super::Metric;

pub(crate) use phrases::{PhraseSample, RunHasher, uptake};
pub(crate) use wording::{SketchBuilder, WeekSample, distance, key};

/// The metric.
pub(crate) const METRIC: Metric = Metric {
    id: "voice_distance",
    version: 2,
    lists: &[],
    thresholds: "12 weeks; 4 draws of 1000 words from 2000, pieces of 100; 512 classes; runs of 4 and 5; 28 d; 1 of 8, at most 1000000; from 50 runs; 19 to 59 moves",
    primary: &["voice_distance.function_words", "voice_distance.uptake"],
    rules: &[],
    series: &[],
};

/// Weeks of the baseline.
const BASELINE_WEEKS: usize = 12;
