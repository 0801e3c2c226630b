//! What counts as an export, and what a file with other things in it costs.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use std::fs;

use common::{fixture, import};
use serde_json::json;

#[test]
fn one_person_may_use_several_services() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "synthetic/openwebui_export.json",
        "mit-polylogue/claude_ai_minimal.json",
    ] {
        let path = fixture(name);
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let (import, rows) = import(&[folder.path().to_owned()]).unwrap();
    assert_eq!((import.files.len(), rows.len()), (2, 3));
}

#[test]
fn a_broken_line_costs_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.jsonl");
    let line = |id: &str| {
        let turns = [
            json!({"from": "human", "value": id}),
            json!({"from": "gpt", "value": "Yes."}),
        ];
        json!({"id": id, "conversations": turns}).to_string()
    };
    fs::write(&path, format!("{}\n{{\"id\": \n{}\n", line("a"), line("b"))).unwrap();
    let (import, rows) = import(&[path]).unwrap();
    assert_eq!((rows.len(), import.accounting.containers.seen), (2, 3));
}

#[test]
fn an_element_of_unknown_shape_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conversations.json");
    let text = fs::read_to_string(fixture("mit-mitkury/chatgpt_edit_branch.json")).unwrap();
    let list = text.trim().trim_start_matches('[');
    fs::write(&path, format!("[{{\"new\": 1}}, {list}")).unwrap();
    let (import, _) = import(&[path]).unwrap();
    let containers = &import.accounting.containers;
    assert_eq!((containers.seen, containers.parsed), (2, 1));
}

#[test]
fn a_named_file_that_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.json");
    fs::write(&other, "{\"colour\": \"private\"}").unwrap();
    let good = fixture("mit-mitkury/chatgpt_edit_branch.json");
    let (named, _) = import(&[good.clone(), other]).unwrap();
    assert!(
        named
            .warnings
            .iter()
            .any(|w| w.contains("colour") && !w.contains("private"))
    );
    fs::copy(&good, folder.path().join("conversations.json")).unwrap();
    let (around, _) = import(&[folder.path().to_owned()]).unwrap();
    assert!(around.warnings.is_empty(), "{:?}", around.warnings);
    assert_eq!(
        (
            around.accounting.members.seen,
            around.accounting.members.parsed
        ),
        (2, 1)
    );
}

#[test]
fn missing_shards_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = fixture("mit-mitkury/chatgpt_edit_branch.json");
    fs::copy(&good, folder.path().join("conversations-000.json")).unwrap();
    let manifest =
        json!({"files": [{"name": "conversations-000.json"}, {"name": "conversations-001.json"}]});
    fs::write(
        folder.path().join("export_manifest.json"),
        manifest.to_string(),
    )
    .unwrap();
    let (import, _) = import(&[folder.path().to_owned()]).unwrap();
    assert_eq!(import.missing_shards, ["conversations-001.json"]);
}

#[test]
fn times_of_an_import_are_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conversations.json");
    let conversation = |id: &str, times: &[f64]| {
        let mut mapping = serde_json::Map::new();
        for (i, time) in times.iter().enumerate() {
            let role = ["user", "assistant"][i % 2];
            let node = json!({"parent": i.checked_sub(1).map(|p| p.to_string()), "message": {
                "id": format!("{id}{i}"), "author": {"role": role}, "create_time": time,
                "content": {"content_type": "text", "parts": ["x"]}}});
            mapping.insert(i.to_string(), node);
        }
        json!({"conversation_id": id, "mapping": mapping})
    };
    let real = conversation("a", &[1_767_000_000.5, 1_767_000_009.5, 1_767_000_090.5]);
    let stamped = conversation("b", &[1_767_000_000.5, 1_767_000_000.5, 1_767_000_090.5]);
    let odd = conversation("c", &[-5.0, 1_767_000_000.5, 99_999_999_999.0]);
    fs::write(&path, json!([real, stamped, odd]).to_string()).unwrap();
    let (import, rows) = import(&[path]).unwrap();
    let trusted: Vec<Vec<Option<bool>>> = rows
        .iter()
        .map(|c| {
            c.events
                .iter()
                .map(|e| e.time.map(|t| t.is_trustworthy()))
                .collect()
        })
        .collect();
    assert_eq!(trusted[0], [Some(true); 3]);
    assert_eq!(trusted[1], [Some(false); 3]);
    assert_eq!(trusted[2], [None, Some(true), None]);
    assert_eq!(
        import
            .accounting
            .notes
            .get("conversation_with_import_times"),
        Some(&1)
    );
    assert_eq!(import.first_micros, Some(1_767_000_000_500_000));
}
