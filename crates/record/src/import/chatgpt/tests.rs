use std::sync::Arc;

use super::*;
use crate::{Kind, Options};

fn parsed(json: &str) -> Result<Parsed, UnitError> {
    let unit = Unit {
        bytes: json.as_bytes(),
        position: 7,
        source: &Arc::from("file"),
        options: &Options::default(),
    };
    let parsed = parse(&unit)?;
    assert!(parsed.accounting.balances());
    Ok(parsed)
}

/// A conversation of bare nodes: (id, parent, message without its id).
fn conversation(nodes: &[(&str, &str, &str)]) -> String {
    let nodes: Vec<String> = nodes
        .iter()
        .map(|(id, parent, message)| {
            format!(r#""{id}":{{"parent":"{parent}","message":{message}}}"#)
        })
        .collect();
    format!(
        r#"{{"conversation_id":"c","mapping":{{{}}}}}"#,
        nodes.join(",")
    )
}

fn said(role: &str, text: &str) -> String {
    format!(
        r#"{{"author":{{"role":"{role}"}},"content":{{"content_type":"text","parts":["{text}"]}}}}"#
    )
}

#[test]
fn fields_of_other_kinds_cost_nothing() {
    let message = r#"{"author":{"role":"user"},"create_time":"1767348000.5","weight":null,
        "metadata":null,"recipient":null,"content":{"content_type":"text","parts":[null,"a",3,"b"]}}"#;
    let json = conversation(&[("n", "gone", message)]);
    let parsed = parsed(&json).unwrap();
    let event = &parsed.conversations[0].events[0];
    assert_eq!(
        (event.text.as_deref(), &*event.id, event.position),
        (Some("a\nb"), "n", 7)
    );
    assert_eq!(event.time.unwrap().micros, 1_767_348_000_500_000);
    assert_eq!(parsed.accounting.notes.get("orphan_parent"), Some(&1));
}

#[test]
fn hidden_nodes_are_no_text() {
    let hidden = r#"{"author":{"role":"user"},"weight":0,"content":{"parts":["x"]}}"#;
    let system = said("system", "You are helpful.");
    let image = r#"{"author":{"role":"user"},"content":{"content_type":"multimodal_text",
        "parts":[{"content_type":"image_asset_pointer"}]}}"#;
    let other = said("critic", "x");
    let json = conversation(&[
        ("a", "", hidden),
        ("b", "a", &system),
        ("c", "b", image),
        ("d", "c", &other),
        ("e", "d", "[]"),
    ]);
    let parsed = parsed(&json).unwrap();
    assert!(parsed.conversations.is_empty());
    let skipped: Vec<&str> = parsed
        .accounting
        .units
        .skipped
        .keys()
        .map(|r| r.word())
        .collect();
    assert_eq!(
        skipped,
        [
            "structural_root",
            "hidden_system",
            "hidden_context",
            "attachment_only",
            "unknown_role"
        ]
    );
    assert_eq!(
        parsed.accounting.containers.skipped.get(&Reason::EmptyText),
        Some(&1)
    );
}

#[test]
fn a_cycle_loses_nothing() {
    let (p, s) = (said("user", "p"), said("assistant", "s"));
    let json = conversation(&[("a", "b", &p), ("b", "a", &s), ("c", "b", &p)]);
    let parsed = parsed(&json).unwrap();
    assert_eq!(parsed.conversations[0].events.len(), 3);
    assert_eq!(parsed.accounting.notes.get("cycle_cut"), Some(&1));
}

#[test]
fn a_hundred_thousand_nodes_deep_is_fine() {
    let nodes: Vec<(String, String, String)> = (0..100_000)
        .map(|i| {
            (
                i.to_string(),
                (i - 1).to_string(),
                said(["user", "assistant"][i as usize % 2], "x"),
            )
        })
        .collect();
    let nodes: Vec<(&str, &str, &str)> = nodes
        .iter()
        .map(|(a, b, c): &(String, String, String)| (&**a, &**b, &**c))
        .collect();
    let parsed = parsed(&conversation(&nodes)).unwrap();
    assert_eq!(parsed.conversations[0].messages().count(), 100_000);
}

#[test]
fn a_list_as_mapping_is_counted_and_anything_else_is_no_conversation() {
    let found = parsed(r#"{"mapping":[]}"#).unwrap();
    assert_eq!(
        found.accounting.containers.skipped.get(&Reason::BadMapping),
        Some(&1)
    );
    assert!(matches!(parsed(r#"{"x":1}"#), Err(UnitError::Structure(_))));
    assert!(matches!(
        parsed(r#"{"mapping":{"#),
        Err(UnitError::Json { .. })
    ));
}

#[test]
fn edits_and_regenerations_are_told_apart() {
    let (p, s) = (said("user", "p"), said("assistant", "s"));
    let with_model = s.replace(
        "\"author\"",
        "\"metadata\":{\"model_slug\":\"m\"},\"author\"",
    );
    let json = conversation(&[
        ("1", "", &p),
        ("2", "1", &with_model),
        ("2b", "1", &with_model),
        ("2c", "1", &s),
        ("3", "2", &p),
        ("3b", "2", &p),
        ("4", "3", &s),
        ("4b", "3b", &s),
        ("5", "4", &p),
    ]);
    let parsed = parsed(&json).unwrap();
    let rows: Vec<(&str, Kind)> = parsed.conversations[0]
        .events
        .iter()
        .map(|e| (&*e.id, e.kind))
        .collect();
    assert_eq!(
        rows,
        [
            ("1", Kind::Message),
            ("2", Kind::Message),
            ("2b", Kind::Replicate),
            ("2c", Kind::Variant),
            ("3", Kind::Message),
            ("3b", Kind::Edit),
            ("4b", Kind::Variant),
            ("4", Kind::Message),
            ("5", Kind::Message),
        ]
    );
}
