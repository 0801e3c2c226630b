//! The population engine: one learner per person, a billion people, one machine.
//!
//! Time runs inside, people outside: sixteen people share a vector and stay in the first-level cache
//! for the whole run; what leaves is sums of integers. So the memory grows with the steps and not
//! with the people, and the sums are the same at any number of threads, in any order of the work, on
//! any instruction set ([`Kernel`]; the portable one defines the result).
//!
//! A user-step is one policy evaluation, one content draw, one reaction draw, one policy-gradient
//! update and one transition of one person.
//!
//! ```
//! use driftlead_sim::engine::{Control, Lambda, Run, Setting};
//!
//! let run = Run {
//!     setting: Setting::Mirror { alpha: 0.08, lambda: Lambda::Fixed(0.0) },
//!     people: 1000,
//!     steps: 250,
//!     seed: 1,
//! };
//! let end = run.go(&Control::default()).unwrap();
//! let bait = end.totals.mean_probability(0, 1);
//! assert!(bait > 0.98, "reactive people end up with bait: {bait}");
//! ```

mod census;
mod checkpoint;
mod kernel;
mod math;
mod mirror;
mod mirror4;
mod run;
mod sample;
mod simd;
mod tile;
mod totals;
mod world;

pub use crate::checkpoint::CheckpointError;
pub use census::{Unit, operations};
pub use run::{Control, End, LARGEST_ALPHA, Progress, Run, RunError, Setting};
pub use sample::{Sample, Shown};
pub use tile::Kernel;
pub use totals::{LAMBDA_BINS, LOCKED, POLICY_BINS, PolicyTotals, Totals};
pub use world::Lambda;

#[cfg(test)]
mod tests;
