//! Figures and self-contained pages: verdicts in, one HTML file out.
//!
//! [`page`] is a pure function: the same input gives the same bytes. The page works without script,
//! asks for nothing from elsewhere, and cannot hold a message: no input type has a field for one.

#![deny(clippy::indexing_slicing)]

mod calibration;
mod cohort;
mod coverage;
mod figure;
mod forest;
mod html;
mod input;
mod lineup;
#[cfg(test)]
mod lint;
mod notes;
mod num;
mod overview;
mod page;
mod plot;
mod seeded;
mod series;
mod simulation;
mod steps;
mod strings;

pub use input::{CardText, Cohort, CohortRow, Import, Interval, Page, PersonLine, Shares, Source};
pub use page::page;
pub use simulation::{Chart, ChartKind, Heat, Simulation, Triangle, simulation};
