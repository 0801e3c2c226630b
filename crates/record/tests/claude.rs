//! Claude.ai exports.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::fs;

use common::{fixture, import, import_with, skipped};
use driftlead_record::{Kind, Options, ReadError};
use serde_json::{Value, json};

fn written(value: &Value) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conversations.json");
    fs::write(&path, value.to_string()).unwrap();
    (folder, path)
}

fn message(id: &str, sender: &str, text: &str) -> Value {
    json!({"uuid": id, "sender": sender, "text": text, "created_at": "2026-01-01T00:00:00Z"})
}

#[test]
fn fixtures_are_read() {
    let (import_a, rows) = import(&[fixture("mit-polylogue/claude_ai_minimal.json")]).unwrap();
    assert_eq!(
        (import_a.accounting.units.parsed, rows[0].events.len()),
        (1, 1)
    );
    let path = fixture("mit-openwebui-importer/claude_thinking_example.json");
    let (_, rows) = import(&[path]).unwrap();
    let words: Vec<_> = rows[0]
        .events
        .iter()
        .map(|e| e.text.as_deref().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "Can you greet me?",
            "Hello there! It's great to hear from you."
        ]
    );
    let path = fixture("mit-polylogue/claude_ai_schema_shape_generated.json");
    let (import_b, rows) = import(&[path]).unwrap();
    assert_eq!(import_b.accounting.units.parsed, 3);
    assert_eq!(import_b.accounting.unknown.len(), 8);
    assert!(rows[0].person.is_some());
}

#[test]
fn of_two_answers_in_a_row_the_earlier_is_an_alternative() {
    let (_folder, path) = written(&json!([{"uuid": "c", "chat_messages": [
        message("1", "human", "Hi"), message("2", "assistant", "Yes"),
        message("3", "assistant", "No"), message("4", "human", "Bye")]}]));
    let (_, rows) = import(&[path]).unwrap();
    let found: Vec<_> = rows[0]
        .events
        .iter()
        .map(|e| (&*e.id, e.kind, e.parent.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("1", Kind::Message, None),
            ("3", Kind::Message, Some("1")),
            ("2", Kind::Variant, Some("1")),
            ("4", Kind::Message, Some("3"))
        ]
    );
}

#[test]
fn tool_traffic_and_inline_tags_are_cut() {
    let (_folder, path) = written(&json!({"chats": [{"uuid": "c", "chat_messages": [
        message("1", "human", "Hi"),
        message("2", "assistant", "A<antThinking>x</antThinking>B<antArtifact id=1>y</antArtifact>C"),
        {"uuid": "3", "sender": "human", "text": "raw", "content": [{"type": "tool_result"}]},
        {"uuid": "4", "sender": "assistant", "text": "", "content": [{"type": "thinking"}]},
    ]}]}));
    let (import, rows) = import(&[path]).unwrap();
    assert_eq!(rows[0].events[1].text.as_deref(), Some("ABC"));
    assert_eq!(skipped(&import), [("reasoning", 1), ("tool_result", 1)]);
}

#[test]
fn several_accounts_are_refused_until_one_is_named() {
    let of = |account: &str| {
        json!({"uuid": account, "account": {"uuid": account},
            "chat_messages": [message("1", "human", "Hi")]})
    };
    let (_folder, path) = written(&json!([of("b"), of("a")]));
    let several = ReadError::SeveralAccounts {
        accounts: vec!["a".to_owned(), "b".to_owned()],
    };
    assert_eq!(import(std::slice::from_ref(&path)).unwrap_err(), several);
    let options = Options {
        account: Some("b".to_owned()),
        ..Options::default()
    };
    let (import, rows) = import_with(&[path], &options).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].person.as_deref(), Some("b"));
    assert_eq!(skipped(&import), [("other_account", 1)]);
}
