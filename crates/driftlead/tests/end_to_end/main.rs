//! Drives the built program the way people and scripts do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod canary;
mod demo;
mod export;
mod gate;
#[cfg(unix)]
mod governed;
mod help;
mod large;
mod me;
mod program;
mod shapes;
#[cfg(all(feature = "postgres", unix))]
mod shared;
mod sim;
mod sim_input;
mod sim_opinion;
mod sim_resume;
#[cfg(target_os = "linux")]
mod soak;
