use super::*;
use crate::import::Options;
use crate::import::testing::{attempt, check_mutations, note, parse_with, skipped};

const OLD: &str = include_str!("../../../tests/fixtures/synthetic/sillytavern_2024_swipes.jsonl");
const NEW: &str =
    include_str!("../../../tests/fixtures/synthetic/sillytavern_2026_iso_header_unused.jsonl");
const QUIRKS: &str = include_str!("../../../tests/fixtures/synthetic/sillytavern_quirks.jsonl");
const CAI: &str = include_str!("../../../tests/fixtures/synthetic/cai_tavern_chat.jsonl");

const QUARTER_PAST_FIVE: i64 = 1_727_536_440_000_000; // 2024-09-28T15:14:00Z

fn units(parsed: &Parsed) -> (u64, u64) {
    (parsed.accounting.units.seen, parsed.accounting.units.parsed)
}

fn swipes(parsed: &Parsed) -> (u64, u64) {
    (
        parsed.accounting.swipes.seen,
        parsed.accounting.swipes.parsed,
    )
}

fn rows(parsed: &Parsed) -> Vec<(&str, Kind, Option<&str>)> {
    let events = parsed.conversations[0].events.iter();
    events
        .map(|e| (e.text.as_deref().unwrap(), e.kind, e.system.as_deref()))
        .collect()
}

#[test]
fn the_chat_of_2024() {
    let parsed = parse_with(parse, OLD);
    assert_eq!((units(&parsed), swipes(&parsed)), ((3, 3), (1, 1)));
    assert_eq!(skipped(&parsed), []);
    let conversation = &parsed.conversations[0];
    assert_eq!(
        (&*conversation.deployment, conversation.format),
        ("Mira", Format::SillyTavern)
    );
    // The first text of a character is its author's greeting, and no reply to be compared.
    let expected = [
        ("*waves* You came back!", Kind::Message, Some("gpt-4o")),
        ("Hello.", Kind::Variant, None),
        ("hi", Kind::Message, None),
    ];
    assert_eq!(rows(&parsed), expected);
    let times: Vec<_> = conversation
        .events
        .iter()
        .map(|e| e.time.unwrap())
        .collect();
    assert_eq!(times[0].quality, TimeQuality::Exact);
    assert_eq!(times[0].micros, QUARTER_PAST_FIVE + 7_000_000);
    // The person's wall clock becomes an instant through the offset that the answer gives away.
    assert_eq!(times[2].quality, TimeQuality::Local);
    assert_eq!(times[2].micros, QUARTER_PAST_FIVE + 120_000_000);
    assert!(times.iter().all(|t| t.offset_seconds == Some(7200)));
    assert_eq!(note(&parsed, "clock_offset_from_answers"), 1);
}

#[test]
fn a_given_zone_wins() {
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let options = Options {
        zone: Some(zone),
        ..Options::default()
    };
    let parsed = attempt(parse, OLD.as_bytes(), &options).unwrap();
    let hi = parsed.conversations[0].events[2].time.unwrap();
    // 17:16 in New York is 21:16 UTC.
    assert_eq!(hi.micros, QUARTER_PAST_FIVE + (6 * 3600 + 120) * 1_000_000);
    assert_eq!(hi.offset_seconds, Some(-14_400));
    let without = parse_with(parse, OLD);
    let ids = |p: &Parsed| {
        let rows = p.conversations[0].events.iter().map(|e| e.id.clone());
        rows.chain([p.conversations[0].id.clone()])
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&parsed), ids(&without));
}

#[test]
fn the_chat_of_2026() {
    let parsed = parse_with(parse, NEW);
    assert_eq!((units(&parsed), swipes(&parsed)), ((6, 4), (2, 2)));
    assert_eq!(
        skipped(&parsed),
        [("hidden_from_prompt", 1), ("malformed_json", 1)]
    );
    assert_eq!(&*parsed.conversations[0].deployment, "Mira");
    let expected = [
        ("Good evening.", Kind::Message, Some("local-a")),
        ("Evening. What shall we cook?", Kind::Message, None),
        ("Lentil soup.", Kind::Message, Some("local-b")),
        ("Pasta.", Kind::Variant, Some("local-a")),
        ("Rice and beans.", Kind::Variant, Some("local-a")),
    ];
    assert_eq!(rows(&parsed), expected);
    let events = &parsed.conversations[0].events;
    assert_eq!(events[3].system_source, SystemSource::Swipe);
    assert_eq!(events[3].parent, Some(Arc::clone(&events[1].id)));
    assert_eq!(events[2].position, 4);
}

#[test]
fn holes_edits_groups_and_wrapped_messages() {
    let parsed = parse_with(parse, QUIRKS);
    // Header, nine messages, one line that is none.
    assert_eq!(units(&parsed), (11, 8));
    assert_eq!(
        skipped(&parsed),
        [
            ("empty_text", 1),
            ("attachment_only", 1),
            ("not_a_message", 1)
        ]
    );
    assert_eq!(swipes(&parsed), (6, 5));
    assert_eq!(&*parsed.conversations[0].deployment, "Ada + Ben");
    let expected = [
        ("Welcome.", Kind::Message, None),
        ("Come in.", Kind::Variant, Some("m")),
        ("Tea?", Kind::Message, None),
        ("Tea!", Kind::Edit, None),
        ("Green, please.", Kind::Message, Some("m")),
        ("Black.", Kind::Replicate, Some("m")),
        ("White.", Kind::Variant, Some("m")),
        ("Fine.", Kind::Message, None),
        ("So it is.", Kind::Message, Some("m")),
        ("Unrecorded.", Kind::Variant, None),
        ("Flat.", Kind::Message, None),
        ("Bye.", Kind::Message, None),
    ];
    assert_eq!(rows(&parsed), expected);
    assert_eq!(note(&parsed, "swipe_mismatch"), 1);
    assert_eq!(note(&parsed, "chosen_swipe_unknown"), 1);
    assert_eq!(note(&parsed, "alternate_greetings"), 1);
    assert_eq!(note(&parsed, "group_chat"), 1);
    assert_eq!(note(&parsed, "lone_surrogate_replaced"), 1);
}

#[test]
fn times_of_an_export_are_not_those_of_messages() {
    let parsed = parse_with(parse, CAI);
    let conversation = &parsed.conversations[0];
    assert_eq!(
        (&*conversation.deployment, conversation.format),
        ("Mira", Format::CaiTools)
    );
    assert_eq!(units(&parsed), (4, 4));
    let imported = |e: &Event| e.time.unwrap().quality == TimeQuality::Imported;
    assert!(conversation.events.iter().all(imported));
    assert_eq!(note(&parsed, "times_of_a_conversion"), 1);
    // The same header with honest dates is a chat of an older program.
    let honest = CAI.replace("1728400000003", "1728400090003");
    let parsed = parse_with(parse, &honest);
    assert_eq!(parsed.conversations[0].format, Format::SillyTavern);
    assert!(!parsed.conversations[0].events.iter().any(imported));
}

#[test]
fn a_chat_keeps_its_ids_as_it_grows() {
    let shorter = OLD.lines().take(2).collect::<Vec<_>>().join("\n");
    let (long, short) = (parse_with(parse, OLD), parse_with(parse, &shorter));
    assert_eq!(long.conversations[0].id, short.conversations[0].id);
    let ids = |p: &Parsed| {
        p.conversations[0]
            .events
            .iter()
            .map(|e| e.id.clone())
            .collect::<Vec<_>>()
    };
    assert!(ids(&long).starts_with(&ids(&short)));
}

#[test]
fn bytes_that_are_no_text_cost_one_line() {
    let mut bytes = OLD.as_bytes().to_vec();
    bytes.extend_from_slice(b"\xff\xfe{}\n\r\n");
    let parsed = attempt(parse, &bytes, &Options::default()).unwrap();
    assert_eq!(units(&parsed), (4, 3));
    assert_eq!(skipped(&parsed), [("not_utf8", 1)]);
}

#[test]
fn other_lines_are_refused() {
    for text in ["", "[]", "{}", "{\"a\":1}\n{\"b\":2}\n", "x"] {
        let result = attempt(parse, text.as_bytes(), &Options::default());
        assert!(matches!(result, Err(UnitError::Structure(_))), "{text}");
    }
}

#[test]
fn mutations_balance() {
    for fixture in [OLD, NEW, QUIRKS, CAI] {
        check_mutations(parse, fixture);
    }
}
