//! Simulated people and systems with known ground truth, emitted as the common record.
//! Randomness is [`driftlead_stats::rng`], keyed by (seed, person, time, purpose).
