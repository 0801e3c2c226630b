use super::*;
use crate::import::testing::{attempt, check_mutations, note, parse_with, skipped};
use crate::{Format, Kind, TimeQuality};

const DUMP: &str = include_str!("../../../tests/fixtures/synthetic/cai_dump.json");
const TURNS: &str = include_str!("../../../tests/fixtures/synthetic/cai_turns.json");

fn rows(parsed: &Parsed, conversation: usize) -> Vec<(&str, Kind)> {
    let events = parsed.conversations[conversation].events.iter();
    events
        .map(|e| (e.text.as_deref().unwrap(), e.kind))
        .collect()
}

#[test]
fn a_dump_keeps_what_was_swiped_away() {
    let parsed = parse_with(parse, DUMP);
    assert_eq!(parsed.accounting.containers.seen, 3);
    assert_eq!(parsed.accounting.containers.parsed, 2);
    assert_eq!(
        (parsed.accounting.units.seen, parsed.accounting.units.parsed),
        (10, 8)
    );
    assert_eq!(skipped(&parsed), [("empty_text", 1), ("unknown_role", 1)]);
    let expected = [
        ("Hello, traveller.", Kind::Message),
        ("Where am I?", Kind::Message),
        ("At the inn.", Kind::Message),
        ("In the woods.", Kind::Replicate),
        ("At sea.", Kind::Replicate),
        ("Good.", Kind::Message),
    ];
    assert_eq!(rows(&parsed, 0), expected);
    // Nothing was chosen: the last was shown last.
    assert_eq!(
        rows(&parsed, 1),
        [("Two.", Kind::Message), ("One.", Kind::Replicate)]
    );
    let first = &parsed.conversations[0];
    assert_eq!(
        (&*first.deployment, first.format),
        ("Mira", Format::CaiTools)
    );
    assert_eq!(&*first.id, "history-1");
    assert!(first.events.iter().all(|e| e.system.is_none()));
    assert!(
        first
            .events
            .iter()
            .all(|e| e.time.unwrap().quality == TimeQuality::Conversation)
    );
    let parents: Vec<_> = first.events[2..5]
        .iter()
        .map(|e| e.parent.clone())
        .collect();
    assert!(
        parents
            .iter()
            .all(|p| p.as_ref() == Some(&first.events[1].id))
    );
    assert_eq!(note(&parsed, "same_model_assumed"), 4);
    assert_eq!(note(&parsed, "chosen_answer_unknown"), 1);
}

#[test]
fn one_history_alone() {
    let parsed = parse_with(
        parse,
        r#"{"external_id":"h","msgs":[{"text":"Hi.","src":{"name":"Ada","is_human":false}}]}"#,
    );
    assert_eq!(&*parsed.conversations[0].deployment, "Ada");
    assert_eq!(parsed.conversations[0].events[0].time, None);
}

#[test]
fn turns_come_newest_first_with_their_candidates() {
    let parsed = parse_with(parse, TURNS);
    assert_eq!(
        (parsed.accounting.units.seen, parsed.accounting.units.parsed),
        (4, 3)
    );
    assert_eq!(
        (
            parsed.accounting.swipes.seen,
            parsed.accounting.swipes.parsed
        ),
        (2, 1)
    );
    assert_eq!(skipped(&parsed), [("empty_text", 1)]);
    let expected = [
        ("Hello, traveller.", Kind::Message),
        ("Where am I?", Kind::Message),
        ("At the inn.", Kind::Message),
        ("At sea.", Kind::Replicate),
    ];
    assert_eq!(rows(&parsed, 0), expected);
    let conversation = &parsed.conversations[0];
    assert_eq!(&*conversation.id, "chat-1");
    assert_eq!(&*conversation.events[2].id, "c3");
    let time = conversation.events[2].time.unwrap();
    assert_eq!(
        (time.micros, time.quality),
        (1_728_400_060_500_000, TimeQuality::Exact)
    );
    let mut turned: serde_json::Value = serde_json::from_str(TURNS).unwrap();
    turned["turns"].as_array_mut().unwrap().reverse();
    assert_eq!(
        parse_with(parse, &turned.to_string()).conversations,
        parsed.conversations
    );
}

#[test]
fn other_shapes_are_refused() {
    for text in ["{}", r#"{"histories":{}}"#, r#"{"turns":3,"info":{}}"#] {
        let result = attempt(parse, text.as_bytes(), &Default::default());
        let is_refused = matches!(result, Err(UnitError::Structure(_)));
        let is_empty = result.is_ok_and(|p| p.conversations.is_empty());
        assert!(is_refused || is_empty, "{text}");
    }
}

#[test]
fn mutations_balance() {
    check_mutations(parse, DUMP);
    check_mutations(parse, TURNS);
}
