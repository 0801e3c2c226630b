//! Literal counts over conversations, each with its card.

#![deny(clippy::indexing_slicing)]

mod series;

pub use series::{Abstain, Measure, Point, Series, Side};
