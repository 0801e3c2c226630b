//! Numbers in, evidence out: inference for slow change. Knows nothing of people or files.

pub mod baseline;
pub mod boundary;
pub mod cs;
pub mod edetector;
pub mod eprocess;
mod error;
pub mod glr;
pub mod multiple;
pub mod rng;
pub mod series;
pub mod special;

pub use error::{Result, StatsError};
