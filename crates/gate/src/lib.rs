//! A gateway in front of model servers. It forwards unchanged by default, decodes a copy of what
//! passes, and acts only where a person has consented or a policy says so.
//!
//! The *wire* half (everything but what implements [`govern::Governor`]) knows bytes, dialects,
//! connections and limits, and nothing of people beyond an opaque name. The two halves meet in
//! [`govern`].

pub mod audit;
pub mod clock;
pub mod command;
pub mod config;
pub mod consent;
pub mod dialect;
pub mod govern;
pub mod governance;
pub mod identity;
pub mod policy;
pub mod request;
pub mod sse;
pub mod store;
mod wire;

pub use wire::{Event, ServeError, Server, run};
