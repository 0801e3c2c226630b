//! Observations in, verdicts out: one person or a cohort, against their own baseline.
//!
//! [`judge`] turns one person's weekly series into a [`Course`]; [`cohort`] sums many up. This crate
//! knows nothing of files, text or pages.

pub mod characteristics;
mod cohort;
mod course;
mod judge;
mod stretch;
mod verdict;

pub use cohort::{Cohort, CohortRow, cohort};
pub use course::{Course, Coverage, Line, WeekCoverage};
pub use judge::{FEWEST_WEEKS, Options, judge};
pub use verdict::{Assumption, Band, Baseline, Change, Noise, Reason, Rung, Step, Verdict, Word};
