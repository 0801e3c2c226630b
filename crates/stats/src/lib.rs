//! Numbers in, evidence out: inference for slow change. Knows nothing of people or files.

pub mod rng;
pub mod series;
