use super::*;
use crate::Kind;
use crate::import::testing::{attempt, check_mutations, note, parse_with, skipped};

const THOUGHTS: &str = include_str!("../../../tests/fixtures/synthetic/aistudio_thoughts.json");
const MINIMAL: &str = include_str!("../../../tests/fixtures/mit-polylogue/aistudio_minimal.json");

fn texts(parsed: &Parsed) -> Vec<&str> {
    let events = &parsed.conversations[0].events;
    events.iter().filter_map(|e| e.text.as_deref()).collect()
}

#[test]
fn thoughts_both_ways_attachment_and_draft() {
    let parsed = parse_with(parse, THOUGHTS);
    assert_eq!(
        (parsed.accounting.units.seen, parsed.accounting.units.parsed),
        (7, 4)
    );
    assert_eq!(
        skipped(&parsed),
        [
            ("attachment_only", 1),
            ("reasoning", 1),
            ("pending_draft", 1)
        ]
    );
    assert_eq!(texts(&parsed)[3], "Century years not divisible by 400.");
    let events = &parsed.conversations[0].events;
    assert!(
        events
            .iter()
            .all(|e| e.kind == Kind::Message && e.time.is_none())
    );
    assert_eq!(events[1].system.as_deref(), Some("models/synthetic-pro"));
    assert_eq!(events[1].system_source, SystemSource::Conversation);
    assert_eq!(events[1].parent.as_ref(), Some(&events[0].id));
    assert_eq!(note(&parsed, "reasoning_removed"), 1);
    assert_eq!(note(&parsed, "instructions_present"), 0);
}

#[test]
fn the_published_file() {
    let parsed = parse_with(parse, MINIMAL);
    assert_eq!(&*parsed.conversations[0].id, "origin-matrix-aistudio");
    assert_eq!(parsed.accounting.units.parsed, 2);
    assert_eq!(skipped(&parsed), []);
}

#[test]
fn a_files_time_is_that_of_the_conversation() {
    let file = r#"{"createTime":"2026-01-06T10:00:00Z","updateTime":"2026-02-06T10:00:00Z",
        "systemInstruction":{"parts":[{"text":"Be brief."}]},
        "chunks":[{"role":"user","text":"Hi"},{"role":"model","text":"Hi.","isEdited":true}],
        "chunkedPrompt":{"pendingInputs":[{"text":"unsent","role":"user"}]}}"#;
    let parsed = parse_with(parse, file);
    let time = parsed.conversations[0].events[0].time.unwrap();
    assert_eq!(
        (time.micros, time.quality),
        (1_767_693_600_000_000, TimeQuality::Conversation)
    );
    assert_eq!(note(&parsed, "instructions_present"), 1);
    assert_eq!(note(&parsed, "edited_message"), 1);
    assert_eq!(skipped(&parsed), [("pending_draft", 1)]);
}

#[test]
fn branches_keep_the_longer_path() {
    let file = r#"{"runSettings":{"model":"m"},"chunks":[
        {"id":"a","role":"user","text":"One?"},
        {"id":"b","role":"model","text":"One."},
        {"id":"c","role":"model","text":"Uno.","branchParent":"a"},
        {"id":"d","role":"user","text":"Two?"},
        {"id":"e","role":"model","text":"Due."}]}"#;
    let parsed = parse_with(parse, file);
    let rows: Vec<_> = parsed.conversations[0]
        .events
        .iter()
        .map(|e| (&*e.id, e.kind))
        .collect();
    assert_eq!(
        rows,
        [
            ("a", Kind::Message),
            ("c", Kind::Message),
            ("b", Kind::Replicate),
            ("d", Kind::Message),
            ("e", Kind::Message)
        ]
    );
    let listed = file.replace(r#","branchParent":"a""#, "").replace(
        r#""text":"One?""#,
        r#""text":"One?","branchChildren":["c"]"#,
    );
    assert_eq!(
        parse_with(parse, &listed).conversations,
        parsed.conversations
    );
}

#[test]
fn a_child_of_two_parents_has_none() {
    let file = r#"{"chunks":[
        {"id":"a","role":"user","text":"One?","branchChildren":["c"]},
        {"id":"b","role":"model","text":"One.","branchChildren":["c"]},
        {"id":"c","role":"user","text":"Two?"}]}"#;
    let parsed = parse_with(parse, file);
    let last = parsed.conversations[0]
        .events
        .iter()
        .find(|e| &*e.id == "c")
        .unwrap();
    assert_eq!((last.parent.as_ref(), last.kind), (None, Kind::Edit));
}

#[test]
fn code_and_unknown_roles_are_counted() {
    let file = r#"{"chunks":[{"role":"model","executableCode":{"code":"1+1"}},
        {"role":"model","codeExecutionResult":{"output":"2"}},{"role":"tool","text":"x"},
        {"role":"model","parts":[{"text":"hm","thought":true}],"text":"hm"},
        {"role":"model","text":"","errorMessage":"quota"},1]}"#;
    let parsed = parse_with(parse, file);
    assert_eq!(
        skipped(&parsed),
        [
            ("empty_text", 1),
            ("reasoning", 1),
            ("tool_call", 1),
            ("tool_result", 1),
            ("unknown_role", 1),
            ("bad_mapping", 1)
        ]
    );
    assert!(parsed.conversations.is_empty());
}

#[test]
fn other_shapes_are_refused() {
    let result = attempt(parse, b"{\"chunkedPrompt\":{}}", &Default::default());
    assert!(matches!(result, Err(UnitError::Structure(_))));
}

#[test]
fn mutations_balance() {
    check_mutations(parse, THOUGHTS);
    check_mutations(parse, MINIMAL);
}
