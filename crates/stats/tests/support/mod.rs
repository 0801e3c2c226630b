//! Reading of the oracle vectors and the comparison rule of `vectors/README.md`.
#![allow(dead_code, unreachable_pub)]

use serde_json::Value;

/// The parsed file `tests/vectors/<name>.json`.
pub fn vectors(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect(&path)).expect(&path)
}

/// A list of numbers; `null` becomes NaN.
pub fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|v| v.as_f64().unwrap_or(f64::NAN))
        .collect()
}

/// A list of indices.
pub fn indices(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|v| v.as_u64().expect("an index") as usize)
        .collect()
}

/// One number.
pub fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("not a number: {value}"))
}

/// `|ours - stored| / max(1, |stored|)`.
pub fn gap(ours: f64, stored: f64) -> f64 {
    (ours - stored).abs() / stored.abs().max(1.0)
}

/// Fails unless the gap is at most `tolerance`.
#[track_caller]
pub fn close(ours: f64, stored: f64, tolerance: f64, what: &str) {
    assert!(
        gap(ours, stored) <= tolerance,
        "{what}: ours {ours}, stored {stored}, gap {:e}",
        gap(ours, stored)
    );
}
