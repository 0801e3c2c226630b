//! Drives the built program the way people and scripts do.

mod bad_input;
mod canary;
mod demo;
mod export;
mod help;
mod me;
mod program;
