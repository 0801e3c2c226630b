//! Observations in, verdicts out: one person or a cohort, against their own baseline.

mod course;
mod verdict;

pub use course::{Course, Coverage, Line, WeekCoverage};
pub use verdict::{Assumption, Band, Baseline, Change, Noise, Reason, Rung, Step, Verdict, Word};
