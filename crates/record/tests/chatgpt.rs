//! ChatGPT exports: accounting of the fixtures, and rows that do not depend on how they are written.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::fs;

use common::{fixture, import, skipped};
use driftlead_record::{Conversation, Kind, Role, SystemSource};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn kinds(rows: &[Conversation]) -> (usize, usize, usize, usize) {
    let of = |kind| {
        rows.iter()
            .flat_map(|c| &c.events)
            .filter(|e| e.kind == kind)
            .count()
    };
    (
        of(Kind::Message),
        of(Kind::Replicate),
        of(Kind::Variant),
        of(Kind::Edit),
    )
}

#[test]
fn an_edited_message_branches() {
    let (import, rows) = import(&[fixture("mit-mitkury/chatgpt_edit_branch.json")]).unwrap();
    assert_eq!(
        (import.accounting.units.seen, import.accounting.units.parsed),
        (6, 5)
    );
    assert_eq!(skipped(&import), [("empty_text", 1)]);
    assert_eq!(kinds(&rows), (4, 0, 0, 1));
}

#[test]
fn machinery_is_no_message() {
    let path = fixture("mit-polylogue/chatgpt_native_conversation_v1.json");
    let (import, rows) = import(&[path]).unwrap();
    assert_eq!(
        (import.accounting.units.seen, import.accounting.units.parsed),
        (9, 3)
    );
    assert_eq!(
        skipped(&import),
        [
            ("structural_root", 1),
            ("hidden_context", 1),
            ("reasoning", 2),
            ("tool_call", 1),
            ("tool_result", 1)
        ]
    );
    assert_eq!(kinds(&rows), (2, 0, 1, 0));
    let variant = &rows[0].events[2];
    assert_eq!(
        (variant.kind, variant.text.as_deref()),
        (Kind::Variant, Some("Superseded answer."))
    );
    assert_eq!(variant.parent.as_deref(), Some("user-message"));
}

#[test]
fn one_node_is_enough() {
    let (import, rows) = import(&[fixture("mit-polylogue/chatgpt_single_node.json")]).unwrap();
    assert_eq!(
        (import.accounting.units.seen, import.accounting.units.parsed),
        (1, 1)
    );
    assert_eq!(rows[0].events[0].role, Role::Person);
}

#[test]
fn shards_are_one_export() {
    let (import, rows) = import(&[fixture("synthetic/chatgpt_sharded")]).unwrap();
    let accounting = &import.accounting;
    assert_eq!(
        (accounting.containers.seen, accounting.containers.parsed),
        (4, 3)
    );
    assert_eq!((accounting.units.seen, accounting.units.parsed), (22, 13));
    assert_eq!(
        skipped(&import),
        [
            ("structural_root", 3),
            ("hidden_system", 1),
            ("hidden_context", 1),
            ("reasoning", 1),
            ("tool_call", 1),
            ("tool_result", 1),
            ("unknown_content_type", 1)
        ]
    );
    assert_eq!(kinds(&rows), (10, 1, 1, 1));
    assert_eq!(accounting.notes.get("current_node_off_main_path"), Some(&1));
    assert!(
        import.warnings.iter().any(|w| w.contains("25 %")),
        "{:?}",
        import.warnings
    );
    let bread = &rows[0].events;
    assert_eq!(
        bread[1].text.as_deref(),
        Some("Roughly an hour  in a warm room.")
    );
    assert_eq!(bread[1].system_source, SystemSource::Conversation);
    assert_eq!(
        (bread[2].kind, bread[2].system.as_deref()),
        (Kind::Variant, Some("model-x-1"))
    );
    assert_eq!(
        rows[2].events[0].text.as_deref(),
        Some("What is a tide table?")
    );
}

/// Everything about a row except where it stood in the file.
fn essence(rows: &[Conversation]) -> Vec<String> {
    let mut all: Vec<String> = rows
        .iter()
        .map(|c| {
            let events: Vec<_> = c
                .events
                .iter()
                .map(|e| (&e.id, &e.parent, e.time, e.kind, &e.text, &e.system))
                .collect();
            format!("{} {events:?}", c.id)
        })
        .collect();
    all.sort();
    all
}

fn conversations() -> Vec<Value> {
    ["conversations-000.json", "conversations-001.json"]
        .iter()
        .flat_map(|name| {
            let path = fixture("synthetic/chatgpt_sharded").join(name);
            let list: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            list
        })
        .collect()
}

fn rewritten(conversation: &Value, order: u64, drop_children: bool) -> Value {
    let mut conversation = conversation.clone();
    if let Some(mapping) = conversation["mapping"].as_object() {
        let mut nodes: Vec<(String, Value)> = mapping
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let n = nodes.len() as u64;
        nodes.rotate_left((order % n) as usize);
        if order.is_multiple_of(2) {
            nodes.reverse();
        }
        for (_, node) in &mut nodes {
            if drop_children {
                node.as_object_mut().unwrap().remove("children");
            }
        }
        conversation["mapping"] = Value::Object(nodes.into_iter().collect::<Map<_, _>>());
    }
    conversation
}

/// `serde_json` sorts keys, so an order of keys has to be written by hand.
fn written(conversation: &Value, order: u64) -> String {
    let object = conversation.as_object().unwrap();
    let mut fields: Vec<String> = object
        .iter()
        .map(
            |(key, value)| match value.as_object().filter(|_| key == "mapping") {
                None => format!("{}:{value}", json!(key)),
                Some(nodes) => {
                    let mut nodes: Vec<String> = nodes
                        .iter()
                        .map(|(k, v)| format!("{}: {v}", json!(k)))
                        .collect();
                    let n = nodes.len().max(1) as u64;
                    nodes.rotate_left((order % n) as usize);
                    if order.is_multiple_of(2) {
                        nodes.reverse();
                    }
                    format!("\"mapping\":{{{}}}", nodes.join(",\n"))
                }
            },
        )
        .collect();
    let n = fields.len() as u64;
    fields.rotate_left((order % n) as usize);
    format!("{{{}}}", fields.join(" , "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn rows_do_not_depend_on_how_they_are_written(
        orders in proptest::collection::vec(0u64..1000, 4),
        cut in 0usize..=4,
        drop_children: bool,
    ) {
        let (_, expected) = import(&[fixture("synthetic/chatgpt_sharded")]).unwrap();
        let all: Vec<String> = conversations()
            .iter()
            .zip(&orders)
            .map(|(c, &order)| written(&rewritten(c, order, drop_children), order))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        for (i, shard) in [&all[..cut], &all[cut..]].iter().enumerate() {
            let path = folder.path().join(format!("conversations-{i:03}.json"));
            fs::write(path, format!("[{}]", shard.join(","))).unwrap();
        }
        let (_, rows) = import(&[folder.path().to_owned()]).unwrap();
        prop_assert_eq!(essence(&rows), essence(&expected));
    }
}

#[test]
fn the_later_state_of_a_conversation_counts() {
    let conversation = |text: &str, updated: f64| {
        json!([{"conversation_id": "c", "update_time": updated, "mapping": {
            "n": {"id": "n", "parent": null, "message": {"id": "n", "author": {"role": "user"},
                "content": {"content_type": "text", "parts": [text]}}}}}])
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: Value| {
        let path = folder.path().join(name);
        fs::write(&path, value.to_string()).unwrap();
        path
    };
    let new = write("a.json", conversation("newer", 1_767_000_100.0));
    let old = write("b.json", conversation("older", 1_767_000_000.0));
    for paths in [[new.clone(), old.clone()], [old, new]] {
        let (import, rows) = import(&paths).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].events[0].text.as_deref(), Some("newer"));
        assert_eq!(import.accounting.containers.parsed, 1);
        assert_eq!(skipped(&import), [("duplicate", 1)]);
    }
}

#[test]
fn reading_twice_adds_nothing() {
    let path = fixture("synthetic/chatgpt_sharded");
    let (once, _) = import(std::slice::from_ref(&path)).unwrap();
    let (twice, rows) = import(&[path.clone(), path]).unwrap();
    assert_eq!(rows.len() as u64, once.conversations);
    assert_eq!(twice.accounting.units.parsed, once.accounting.units.parsed);
}

#[test]
fn ratings_are_attached() {
    let folder = tempfile::tempdir().unwrap();
    let source = fixture("mit-mitkury/chatgpt_edit_branch.json");
    fs::copy(source, folder.path().join("conversations.json")).unwrap();
    let feedback = json!([{"id": "msg-3", "conversation_id": "conv-123", "rating": "thumbs_down"}]);
    fs::write(
        folder.path().join("message_feedback.json"),
        feedback.to_string(),
    )
    .unwrap();
    let (_, rows) = import(&[folder.path().to_owned()]).unwrap();
    let at = rows[0]
        .events
        .iter()
        .position(|e| e.kind == Kind::Reaction)
        .unwrap();
    let reaction = &rows[0].events[at];
    assert_eq!(
        (reaction.reaction, reaction.item.as_deref()),
        (Some(-1.0), Some("msg-3"))
    );
    assert_eq!(&*rows[0].events[at - 1].id, "msg-3");
}

#[test]
fn a_page_is_read_where_there_is_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let json = fs::read_to_string(fixture("mit-mitkury/chatgpt_edit_branch.json")).unwrap();
    let page = folder.path().join("chat.html");
    let literal = format!("var jsonData = JSON.parse({});", json!(json));
    for script in [format!("var jsonData = {json};\nvar x = 1;"), literal] {
        fs::write(&page, format!("<html><script>{script}</script></html>")).unwrap();
        let (import, _) = import(&[folder.path().to_owned()]).unwrap();
        assert_eq!(import.accounting.units.parsed, 5);
    }
    fs::write(folder.path().join("conversations.json"), json).unwrap();
    let (import, _) = import(&[folder.path().to_owned()]).unwrap();
    assert_eq!(import.accounting.units.seen, 6);
}
