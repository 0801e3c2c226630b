//! driftlead
fn main() {}
