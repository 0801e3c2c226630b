//! Helpers of the importers' own tests.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Options, Parsed, Unit, UnitError};

pub(super) type Parse = fn(&Unit<'_>) -> Result<Parsed, UnitError>;

pub(super) fn attempt(parse: Parse, bytes: &[u8], options: &Options) -> Result<Parsed, UnitError> {
    let source: Arc<str> = "test".into();
    parse(&Unit {
        bytes,
        position: 0,
        source: &source,
        options,
    })
}

/// Reads one unit that must be readable, and checks what holds for all.
pub(super) fn parse_with(parse: Parse, text: &str) -> Parsed {
    let parsed = attempt(parse, text.as_bytes(), &Options::default()).unwrap();
    check(&parsed);
    parsed
}

/// Skipped units by word.
pub(super) fn skipped(parsed: &Parsed) -> Vec<(&'static str, u64)> {
    let skipped = &parsed.accounting.units.skipped;
    skipped
        .iter()
        .map(|(reason, n)| (reason.word(), *n))
        .collect()
}

pub(super) fn note(parsed: &Parsed, what: &str) -> u64 {
    parsed.accounting.notes.get(what).copied().unwrap_or(0)
}

fn check(parsed: &Parsed) {
    use crate::Kind::{Edit, Message, Replicate, Variant};
    assert!(parsed.accounting.balances());
    let is_said = |k| matches!(k, Message | Replicate | Variant | Edit);
    for conversation in &parsed.conversations {
        let said = || conversation.events.iter().filter(|e| is_said(e.kind));
        assert!(said().all(|e| e.text.as_deref().is_some_and(|t| !t.trim().is_empty())));
        assert!(conversation.messages().next().is_some());
    }
}

/// Cuts, deletions and changed bytes: an error, or accounts that balance; never a panic.
pub(super) fn check_mutations(parse: Parse, fixture: &str) {
    let bytes = fixture.as_bytes();
    let n = bytes.len();
    let change = (0..n, 0..n.min(40), any::<Option<u8>>());
    let changes = prop::collection::vec(change, 1..4);
    let mut runner = TestRunner::new(Config {
        cases: 500,
        ..Config::default()
    });
    let options = Options {
        zone: jiff::tz::TimeZone::get("Europe/Berlin").ok(),
        ..Options::default()
    };
    let result = runner.run(
        &(changes, prop::option::weighted(0.2, 0..n)),
        |(changes, cut)| {
            let mut bytes = bytes.to_vec();
            for (at, len, by) in changes {
                let at = at.min(bytes.len());
                let end = at
                    .saturating_add(if by.is_some() { 1 } else { len })
                    .min(bytes.len());
                bytes.splice(at..end, by);
            }
            bytes.truncate(cut.unwrap_or(n));
            if let Ok(parsed) = attempt(parse, &bytes, &options) {
                check(&parsed);
            }
            Ok(())
        },
    );
    result.unwrap();
    check_replaced_values(parse, fixture);
}

/// Every value of the fixture in turn becomes a value of another kind, or goes. The bytes stay JSON,
/// so that importers see the wrong shapes and not only parse errors.
fn check_replaced_values(parse: Parse, fixture: &str) {
    use serde_json::{Value, json};
    for line in fixture.lines().chain([fixture]) {
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let mut paths = Vec::new();
        collect_paths(&value, String::new(), &mut paths);
        for path in paths {
            for other in [
                json!(null),
                json!(-7.5),
                json!("x"),
                json!([]),
                json!({}),
                json!([{}]),
                json!(true),
            ] {
                let mut changed = value.clone();
                if let Some(slot) = changed.pointer_mut(&path) {
                    *slot = other;
                }
                let text = fixture.replacen(line, &changed.to_string(), 1);
                if let Ok(parsed) = attempt(parse, text.as_bytes(), &Options::default()) {
                    check(&parsed);
                }
            }
        }
    }
}

fn collect_paths(value: &serde_json::Value, at: String, paths: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            map.iter()
                .for_each(|(key, v)| collect_paths(v, format!("{at}/{key}"), paths));
        }
        serde_json::Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(i, v)| collect_paths(v, format!("{at}/{i}"), paths));
        }
        _ => {}
    }
    paths.push(at);
}
