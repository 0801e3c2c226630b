use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Conversation, Kind};

const GENERATIONS: &str = include_str!("../../../tests/fixtures/otel/generations.jsonl");
const NESTED: &str = include_str!("../../../tests/fixtures/otel/nested.json");

fn try_read(bytes: &[u8], options: &Options) -> Result<(Vec<Conversation>, Accounting), UnitError> {
    let mut all = Parsed::default();
    let mut input = bytes;
    read_stream(&mut input, &Arc::from("spans"), options, &mut |part| {
        all.conversations.extend(part.conversations);
        all.accounting.merge(&part.accounting);
    })?;
    assert!(all.accounting.balances());
    let rows = all
        .conversations
        .iter()
        .flat_map(|c| &c.events)
        .filter(|e| e.kind != Kind::Note);
    assert_eq!(rows.count() as u64, all.accounting.units.parsed);
    Ok((all.conversations, all.accounting))
}

fn read(text: &str) -> (Vec<Conversation>, Accounting) {
    try_read(text.as_bytes(), &Options::default()).unwrap()
}

fn rows(c: &Conversation) -> Vec<(Kind, &str)> {
    c.events
        .iter()
        .map(|e| (e.kind, e.text.as_deref().unwrap_or("-")))
        .collect()
}

fn span(id: u32, attributes: &Value) -> String {
    json!({"traceId": "t", "spanId": id.to_string(), "startTimeUnixNano": "1772359200000000000",
           "endTimeUnixNano": "1772359201000000000", "attributes": attributes})
    .to_string()
}

#[test]
fn every_generation_gives_the_same_rows() {
    let (read, accounting) = read(GENERATIONS);
    assert_eq!(read.len(), GENERATIONS.lines().count());
    for c in &read {
        let expected = [
            (Kind::Message, "When do I sow peas?"),
            (Kind::Message, "In March."),
        ];
        assert_eq!(rows(c), expected, "{}", c.id);
        assert_eq!(c.person.as_deref(), Some("ada"), "{}", c.id);
        assert_eq!(c.events[1].system.as_deref(), Some("model-a"), "{}", c.id);
        let (asked, answered) = (c.events[0].time.unwrap(), c.events[1].time.unwrap());
        assert_eq!(answered.micros - asked.micros, 2_000_000, "{}", c.id);
    }
    assert_eq!(
        accounting.units.skipped.len(),
        0,
        "{:?}",
        accounting.units.skipped
    );
}

#[test]
fn nested_spans_are_read_once_and_take_the_person_of_the_root() {
    let compact = serde_json::from_str::<Value>(NESTED).unwrap().to_string();
    for text in [NESTED, &compact] {
        let (read, accounting) = read(text);
        let [c] = &read[..] else { panic!("{read:?}") };
        assert_eq!(
            (c.person.as_deref(), &*c.deployment, &*c.id),
            (Some("ada"), "garden", "g1")
        );
        assert_eq!(
            rows(c),
            [
                (Kind::Message, "Peas?"),
                (Kind::Message, "April."),
                (Kind::Replicate, "March."),
                (Kind::Message, "Beans?"),
                (Kind::Message, "May."),
            ]
        );
        assert_eq!(c.events[4].time.unwrap().micros, 1_772_359_263_000_000);
        let skipped = &accounting.containers.skipped;
        assert_eq!(
            (skipped[&Reason::Duplicate], skipped[&Reason::NotAMessage]),
            (1, 2)
        );
    }
}

#[test]
fn an_option_names_the_person() {
    let line = span(
        1,
        &json!({"gen_ai.operation.name": "chat", "app.who": 7, "input": "a", "output": "b"}),
    );
    let options = Options {
        person_attribute: Some("app.who".to_owned()),
        ..Options::default()
    };
    let (read, _) = try_read(line.as_bytes(), &options).unwrap();
    assert_eq!(read[0].person.as_deref(), Some("7"));
}

#[test]
fn cut_attributes_are_not_text() {
    let line = span(
        1,
        &json!({"gen_ai.operation.name": "chat",
                "gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"con"}),
    );
    let (read, accounting) = read(&line);
    assert_eq!(rows(&read[0]), [(Kind::Message, "-")]);
    assert_eq!(accounting.units.skipped[&Reason::MalformedJson], 1);
}

#[test]
fn indices_have_a_limit() {
    let line = span(
        1,
        &json!({"gen_ai.operation.name": "chat", "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "hi", "gen_ai.prompt.10000000.content": "far",
                "gen_ai.prompt.99999999999999999999.content": "farther"}),
    );
    let (read, accounting) = read(&line);
    assert_eq!(rows(&read[0])[0], (Kind::Message, "hi"));
    assert_eq!(accounting.units.skipped[&Reason::OverLimit], 2);
}

#[test]
fn a_span_without_words_tells_when() {
    let line = span(
        1,
        &json!({"gen_ai.operation.name": "chat", "gen_ai.conversation.id": "c", "user.id": "u"}),
    );
    let (read, _) = read(&line);
    assert_eq!(rows(&read[0]), [(Kind::Message, "-")]);
    assert_eq!(
        read[0].events[0].time.unwrap().micros,
        1_772_359_201_000_000
    );
}

#[test]
fn a_second_generation_is_named_and_not_read() {
    let line = span(
        1,
        &json!({"gen_ai.operation.name": "chat", "gen_ai.input.messages": [{"role": "user", "content": "a"}],
                "gen_ai.output.messages": [{"role": "assistant", "content": "b"}],
                "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "a"}),
    );
    let (read, accounting) = read(&line);
    assert_eq!(rows(&read[0]).len(), 2);
    assert_eq!(accounting.notes["generation_ignored openinference"], 1);
}

#[test]
fn agent_spans_count_where_nothing_nearer_exists() {
    let attributes = |op: &str| json!({"gen_ai.operation.name": op, "input": "a", "output": "b"});
    let mut inner: Value = serde_json::from_str(&span(2, &attributes("invoke_agent"))).unwrap();
    inner["parentSpanId"] = json!("1");
    let text = format!("{inner}\n{}\n", span(1, &attributes("chain")));
    let (read, accounting) = read(&text);
    assert_eq!(read.len(), 1);
    assert_eq!(rows(&read[0]), [(Kind::Message, "a"), (Kind::Message, "b")]);
    assert_eq!(accounting.containers.skipped[&Reason::Duplicate], 1);
}

#[test]
fn binary_is_refused_with_a_way_out() {
    let error = try_read(&[0x0a, 0x0b, b'\n'], &Options::default());
    let binary = try_read(&[0x0d, 0xff, 0xfe, 0x80], &Options::default()).unwrap_err();
    assert!(binary.to_string().contains("JSON only"), "{binary}");
    assert!(error.is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// `try_read` itself checks that the accounting balances and equals the rows.
    #[test]
    fn mutations_never_panic_and_balance(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        whole: bool,
    ) {
        let mut bytes = if whole { NESTED } else { GENERATIONS }.as_bytes().to_vec();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if changes.len() % 3 == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = try_read(&bytes, &Options::default());
    }

    /// Spans may arrive in any order.
    #[test]
    fn the_order_of_lines_does_not_matter(lines in Just(GENERATIONS.lines().collect::<Vec<_>>()).prop_shuffle()) {
        let key = |c: &Conversation| c.id.clone();
        let (mut shuffled, _) = read(&lines.join("\n"));
        let (mut sorted, _) = read(GENERATIONS);
        shuffled.sort_by_key(key);
        sorted.sort_by_key(key);
        for c in shuffled.iter_mut().chain(&mut sorted) {
            for e in &mut c.events {
                e.position = 0;
            }
        }
        prop_assert_eq!(shuffled, sorted);
    }
}
