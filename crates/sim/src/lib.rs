//! Simulated people and systems with known ground truth.
//!
//! A world emits the same record that an importer does, so every detector is tried on known truth
//! with the code that real histories run through. All luck comes from [`draw`], a counter-based
//! generator: the same world is bit-identical at any number of threads.

pub mod checkpoint;
pub mod companion_cohort;
pub mod draw;
pub mod engine;
pub mod feed;
pub mod parts;
mod portable;
pub mod rounds;
pub mod scenario;
