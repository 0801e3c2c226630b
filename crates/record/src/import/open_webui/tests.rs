use super::*;
use crate::Kind;
use crate::import::testing::{check_mutations, note, parse_with, skipped};

const FIXTURE: &str = include_str!("../../../tests/fixtures/synthetic/openwebui_export.json");

fn items() -> Vec<String> {
    let items: Vec<serde_json::Value> = serde_json::from_str(FIXTURE).unwrap();
    items.iter().map(ToString::to_string).collect()
}

fn kinds(parsed: &Parsed) -> Vec<(String, Kind)> {
    let events = &parsed.conversations[0].events;
    events.iter().map(|e| (e.id.to_string(), e.kind)).collect()
}

#[test]
fn a_standard_item_with_stale_children() {
    let parsed = parse_with(parse, &items()[0]);
    assert_eq!(
        (parsed.accounting.units.seen, parsed.accounting.units.parsed),
        (5, 5)
    );
    let expected = [
        ("m1", Kind::Message),
        ("m2", Kind::Message),
        ("m2:rating", Kind::Reaction),
        ("m3", Kind::Variant),
        ("m3:rating", Kind::Reaction),
        ("m4", Kind::Message),
        ("m5", Kind::Message),
    ];
    assert_eq!(kinds(&parsed), expected.map(|(id, k)| (id.to_owned(), k)));
    let events = &parsed.conversations[0].events;
    assert_eq!(
        (events[2].reaction, events[2].item.as_deref()),
        (Some(1.0), Some("m2"))
    );
    assert_eq!(events[4].reaction, Some(-1.0));
    assert_eq!(events[3].text.as_deref(), Some("Nile, Amazon, Yangtze."));
    assert_eq!(events[3].system.as_deref(), Some("local-b"));
    assert_eq!(
        events[0].time,
        Some(crate::Time::exact(1_767_600_000_000_000))
    );
    assert_eq!(
        parsed.conversations[0].person.as_deref(),
        Some("u-synthetic")
    );
}

#[test]
fn a_legacy_item() {
    let parsed = parse_with(parse, &items()[1]);
    assert_eq!(
        (parsed.accounting.units.seen, parsed.accounting.units.parsed),
        (2, 2)
    );
    let conversation = &parsed.conversations[0];
    assert_eq!(conversation.messages().count(), 2);
    assert!(conversation.events.iter().all(|e| e.time.is_none()));
    let again = parse_with(parse, &items()[1].replace("Hello to you.", "Hi."));
    assert_eq!(conversation.id, again.conversations[0].id);
}

#[test]
fn a_chat_with_messages_only() {
    let parsed = parse_with(
        parse,
        r#"{"chat":{"models":["a"],"messages":[
        {"role":"user","content":"One?"},{"role":"assistant","content":"One."},
        {"role":"user","content":"One?"},{"role":"assistant","content":[{"type":"text","text":"Two."}]}
        ]}}"#,
    );
    let events = &parsed.conversations[0].events;
    assert_eq!(events.len(), 4);
    assert_ne!(events[0].id, events[2].id);
    assert_eq!(events[3].parent.as_ref(), Some(&events[2].id));
    assert_eq!(events[1].system_source, SystemSource::Conversation);
}

#[test]
fn a_copy_of_the_path_is_not_counted_twice() {
    let mut item: serde_json::Value = serde_json::from_str(&items()[0]).unwrap();
    item["chat"]["messages"] =
        serde_json::json!([{"role": "user", "content": "Name three rivers."}]);
    assert_eq!(
        parse_with(parse, &item.to_string()).accounting.units.seen,
        5
    );
}

#[test]
fn a_bad_current_message_changes_nothing() {
    let expected = kinds(&parse_with(parse, &items()[0]));
    for replacement in ["\"currentId\":\"gone\"", "\"currentId\":7", "\"other\":1"] {
        let item = items()[0].replace("\"currentId\":\"m2\"", replacement);
        assert_ne!(item, items()[0]);
        assert_eq!(kinds(&parse_with(parse, &item)), expected, "{replacement}");
    }
}

#[test]
fn reasoning_is_no_answer_and_unfinished_ones_are_noted() {
    let parsed = parse_with(
        parse,
        r#"{"history":{"messages":{
        "a":{"id":"a","parentId":null,"role":"user","content":"Why <details type=\"reasoning\">?"},
        "b":{"id":"b","parentId":"a","role":"assistant","done":false,
             "content":"<details type=\"reasoning\" done=\"true\">hm</details>\nSo."},
        "c":{"id":"c","parentId":"b","role":"assistant","content":"<details type=\"reasoning\">hm"},
        "d":{"id":"d","parentId":"c","role":"system","content":"Be kind."},
        "e":{"id":"e","parentId":"d","role":"narrator","content":"Night."},
        "f":{"id":"f","parentId":"e","role":"user","content":"","files":[{}]},
        "g":3}}}"#,
    );
    assert_eq!(
        skipped(&parsed),
        [
            ("hidden_context", 1),
            ("attachment_only", 1),
            ("reasoning", 1),
            ("unknown_role", 1),
            ("bad_mapping", 1)
        ]
    );
    assert_eq!(note(&parsed, "unfinished_answer"), 1);
    assert_eq!(note(&parsed, "reasoning_removed"), 2);
    let texts: Vec<_> = parsed.conversations[0]
        .events
        .iter()
        .map(|e| e.text.as_deref())
        .collect();
    assert_eq!(
        texts,
        [Some("Why <details type=\"reasoning\">?"), Some("So.")]
    );
}

#[test]
fn other_shapes_are_refused() {
    use crate::import::testing::attempt;
    for text in ["{}", r#"{"chat":{}}"#, r#"{"history":{"messages":[]}}"#] {
        let result = attempt(parse, text.as_bytes(), &Default::default());
        assert!(matches!(result, Err(UnitError::Structure(_))), "{text}");
    }
}

#[test]
fn mutations_balance() {
    check_mutations(parse, &items()[0]);
}
