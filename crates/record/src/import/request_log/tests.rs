use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Conversation, Kind};

fn read(bytes: &[u8]) -> (Vec<Conversation>, Accounting) {
    let mut all = Parsed::default();
    let mut input = bytes;
    read_stream(
        &mut input,
        &Arc::from("log"),
        &Options::default(),
        &mut |part| {
            all.conversations.extend(part.conversations);
            all.accounting.merge(&part.accounting);
        },
    )
    .unwrap();
    assert!(all.accounting.balances());
    let texts: usize = all
        .conversations
        .iter()
        .flat_map(|c| &c.events)
        .filter(|e| e.kind != Kind::Note)
        .count();
    assert_eq!(texts as u64, all.accounting.units.parsed);
    (all.conversations, all.accounting)
}

fn read_lines(lines: &[Value]) -> (Vec<Conversation>, Accounting) {
    let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
    read(text.as_bytes())
}

fn m(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}

fn line(at: u64, messages: &[Value], answers: &[&str]) -> Value {
    let choices: Vec<Value> = answers
        .iter()
        .enumerate()
        .map(|(i, a)| json!({"index": i, "message": m("assistant", a), "finish_reason": "stop"}))
        .collect();
    json!({
        "time": 1_750_000_000 + at,
        "request": {"model": "model-a", "messages": messages, "user": "ada"},
        "response": {"id": format!("r{at}"), "model": "model-a-1", "choices": choices,
                     "created": 1_750_000_002 + at},
    })
}

fn kinds(c: &Conversation) -> Vec<(Kind, &str)> {
    c.events
        .iter()
        .map(|e| (e.kind, e.text.as_deref().unwrap_or("-")))
        .collect()
}

fn skipped(a: &Accounting) -> BTreeMap<&'static str, u64> {
    a.units
        .skipped
        .iter()
        .map(|(r, n)| (r.word(), *n))
        .collect()
}

/// A reader that hands out three bytes at a time.
struct Slowly<'a>(&'a [u8]);

impl std::io::Read for Slowly<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = into.len().min(3);
        self.0.read(&mut into[..n])
    }
}

#[test]
fn an_array_is_read_like_lines() {
    let logged = [
        line(0, &[m("user", "hi")], &["hello"]),
        line(
            60,
            &[m("user", "hi"), m("assistant", "hello"), m("user", "so?")],
            &["so [it] is }"],
        ),
    ];
    let (expected, lines) = read_lines(&logged);
    for text in [
        Value::from(logged.to_vec()).to_string(),
        format!("\u{feff}\n \t[\n  {},\n  {}\n]\n", logged[0], logged[1]),
    ] {
        let (found, array) = read(text.as_bytes());
        assert_eq!((found.len(), &array), (expected.len(), &lines));
        assert_eq!(kinds(&found[0]), kinds(&expected[0]));
        let mut slowly = std::io::BufReader::with_capacity(3, Slowly(text.as_bytes()));
        let mut events = 0;
        read_stream(
            &mut slowly,
            &Arc::from("log"),
            &Options::default(),
            &mut |part| {
                events += part
                    .conversations
                    .iter()
                    .map(|c| c.events.len())
                    .sum::<usize>()
            },
        )
        .unwrap();
        assert_eq!(events, expected[0].events.len());
    }
    // Where an element stands, not where the file begins.
    let (found, _) = read(Value::from(logged.to_vec()).to_string().as_bytes());
    let positions: Vec<u64> = found[0].events.iter().map(|e| e.position).collect();
    let second = 2 + logged[0].to_string().len() as u64;
    assert_eq!(positions, [1, 1, second, second]);
}

#[test]
fn a_broken_array_keeps_what_came_before() {
    let one = line(0, &[m("user", "hi")], &["hello"]).to_string();
    for (text, at) in [
        (format!("[{one}, {{\"request\": {{\"mess"), one.len() + 21),
        (format!("[{one}}}"), one.len() + 1),
    ] {
        let mut all = Parsed::default();
        let result = read_stream(
            &mut text.as_bytes(),
            &Arc::from("log"),
            &Options::default(),
            &mut |part| {
                all.conversations.extend(part.conversations);
                all.accounting.merge(&part.accounting);
            },
        );
        let Err(UnitError::Json { offset, .. }) = result else {
            panic!("{result:?}");
        };
        assert_eq!(offset as usize, at, "{text}");
        assert!(all.accounting.balances());
        assert_eq!(all.conversations.len(), 1);
        assert_eq!(
            skipped(&all.accounting),
            BTreeMap::from([("malformed_json", 1)])
        );
    }
    let (_, accounting) = read(format!("[{one}, 3, {{\"a\": tru}}]").as_bytes());
    assert_eq!(
        skipped(&accounting),
        BTreeMap::from([("malformed_json", 1), ("not_a_message", 1)])
    );
}

#[test]
fn a_growing_history_is_read_once() {
    let (read, accounting) = read_lines(&[
        line(0, &[m("system", "Be kind."), m("user", "hi")], &["hello"]),
        line(
            60,
            &[
                m("system", "Be kind."),
                m("user", "hi"),
                m("assistant", "hello "),
                m("user", "how?"),
            ],
            &["so"],
        ),
    ]);
    let [c] = &read[..] else { panic!("{read:?}") };
    assert_eq!(
        kinds(c),
        [
            (Kind::Message, "hi"),
            (Kind::Message, "hello"),
            (Kind::Message, "how?"),
            (Kind::Message, "so")
        ]
    );
    assert_eq!(c.person.as_deref(), Some("ada"));
    assert_eq!(c.events[3].time.unwrap().micros, 1_750_000_062_000_000);
    assert_eq!(c.events[2].time.unwrap().micros, 1_750_000_060_000_000);
    assert_eq!(c.events[1].system.as_deref(), Some("model-a-1"));
    assert_eq!(c.events[1].id.as_ref(), "r0");
    assert_eq!(c.events[2].parent.as_deref(), Some("r0"));
    assert_eq!(
        skipped(&accounting),
        [("duplicate", 2), ("hidden_context", 2)].into()
    );
}

#[test]
fn the_answer_that_goes_on_was_chosen() {
    let (read, _) = read_lines(&[
        line(0, &[m("user", "hi")], &["one", "two"]),
        line(5, &[m("user", "hi")], &["three"]),
        line(
            60,
            &[m("user", "hi"), m("assistant", "two"), m("user", "next")],
            &["end"],
        ),
    ]);
    let [c] = &read[..] else { panic!("{read:?}") };
    let mut found = kinds(c);
    found[2..4].sort_by_key(|k| k.1);
    assert_eq!(
        found,
        [
            (Kind::Message, "hi"),
            (Kind::Message, "two"),
            (Kind::Replicate, "one"),
            (Kind::Replicate, "three"),
            (Kind::Message, "next"),
            (Kind::Message, "end"),
        ]
    );
}

#[test]
fn an_edit_branches() {
    let start = [m("user", "hi"), m("assistant", "hello"), m("user", "first")];
    let edited = [
        m("user", "hi"),
        m("assistant", "hello"),
        m("user", "second"),
    ];
    let (read, _) = read_lines(&[
        line(0, &start[..1], &["hello"]),
        line(10, &start, &["a"]),
        line(20, &edited, &["b"]),
    ]);
    let [c] = &read[..] else { panic!("{read:?}") };
    let main: Vec<&str> = c.messages().filter_map(|e| e.text.as_deref()).collect();
    assert_eq!(main, ["hi", "hello", "second", "b"]);
    assert!(kinds(c).contains(&(Kind::Edit, "first")));
    assert!(kinds(c).contains(&(Kind::Variant, "a")));
}

#[test]
fn a_cut_front_is_aligned_with_the_tail() {
    let all: Vec<Value> = (0..9)
        .map(|i| {
            m(
                if i % 2 == 0 { "user" } else { "assistant" },
                &format!("m{i}"),
            )
        })
        .collect();
    let (read, accounting) = read_lines(&[
        line(0, &all[..5], &["m5"]),
        line(10, &all[3..7], &["m7"]),
        line(20, &all[5..9], &["m9"]),
    ]);
    let [c] = &read[..] else { panic!("{read:?}") };
    let main: Vec<&str> = c.messages().filter_map(|e| e.text.as_deref()).collect();
    assert_eq!(
        main,
        ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"]
    );
    assert_eq!(accounting.units.skipped[&Reason::Duplicate], 6);
}

#[test]
fn a_changed_prompt_is_a_note_without_its_words() {
    let (read, _) = read_lines(&[
        line(0, &[m("system", "Be kind."), m("user", "hi")], &["hello"]),
        line(
            9,
            &[
                m("system", "Be curt."),
                m("user", "hi"),
                m("assistant", "hello"),
                m("user", "x"),
            ],
            &["y"],
        ),
    ]);
    let notes: Vec<&crate::Event> = read[0]
        .events
        .iter()
        .filter(|e| e.kind == Kind::Note)
        .collect();
    let [note] = &notes[..] else {
        panic!("{notes:?}")
    };
    assert!(note.item.as_deref().unwrap().starts_with("system_prompt:"));
    assert_eq!(note.text, None);
    assert_eq!(read[0].events[2].kind, Kind::Note);
}

#[test]
fn answers_without_words_keep_their_time_and_get_their_words_later() {
    let silent = json!({"time": 1_750_000_000, "user_id": "u", "request": {"model": "m", "stream": true,
        "messages": [m("user", "hi")]}, "response": {"id": "r", "usage": {"total_tokens": 9}}});
    let (read, accounting) = read_lines(std::slice::from_ref(&silent));
    assert_eq!(
        kinds(&read[0]),
        [(Kind::Message, "hi"), (Kind::Message, "-")]
    );
    assert_eq!(accounting.units.parsed, 2);
    let next = json!({"time": 1_750_000_050, "user_id": "u", "request": {"model": "m",
        "messages": [m("user", "hi"), m("assistant", "late words"), m("user", "b")]}, "response": {"id": "s"}});
    let (read, _) = read_lines(&[silent, next]);
    assert_eq!(
        kinds(&read[0]),
        [
            (Kind::Message, "hi"),
            (Kind::Message, "late words"),
            (Kind::Message, "b"),
            (Kind::Message, "-")
        ]
    );
}

#[test]
fn parts_tools_and_summaries() {
    let (read, accounting) = read_lines(&[
        json!({"timestamp": "2026-03-01T10:00:00Z", "user": "u", "model": "m",
        "messages": [
            {"role": "user", "content": "Conversation so far: they met."},
            {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:"}}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "t1", "type": "function", "function": {}}]},
            {"role": "tool", "tool_call_id": "t1", "content": "42"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
            {"role": "narrator", "content": "Then."},
        ],
        "response": {"choices": [{"message": {"role": "assistant", "content": "nice"}}]}}),
    ]);
    assert_eq!(
        kinds(&read[0]),
        [(Kind::Message, "look"), (Kind::Message, "nice")]
    );
    assert_eq!(
        skipped(&accounting),
        [
            ("hidden_context", 1),
            ("tool_call", 1),
            ("tool_result", 1),
            ("attachment_only", 1),
            ("unknown_role", 1)
        ]
        .into()
    );
}

#[test]
fn bodies_inside_strings_and_lines_that_are_none() {
    let body = json!({"model": "m", "messages": [m("user", "hi")], "user": "u"}).to_string();
    let answer = json!({"id": "x", "choices": [{"message": m("assistant", "yo")}]}).to_string();
    let line = json!({"request_body": body, "response_body": answer, "request_created_at": "2026-03-01T10:00:00Z"});
    let text = format!("{line}\n{{\"a\":1}}\n{{broken\n\n");
    let (read, accounting) = read(text.as_bytes());
    assert_eq!(
        kinds(&read[0]),
        [(Kind::Message, "hi"), (Kind::Message, "yo")]
    );
    assert_eq!(read[0].person.as_deref(), Some("u"));
    assert_eq!(
        skipped(&accounting),
        [("malformed_json", 1), ("not_a_message", 1)].into()
    );
}

#[test]
fn people_and_conversations_are_kept_apart() {
    let by = |user: &str, text: &str| json!({"user_id": user, "time": 1_750_000_000, "messages": [m("user", text)], "response": {"choices": [{"message": m("assistant", "ok")}]}});
    let (read, _) = read_lines(&[by("a", "hi"), by("b", "hi"), by("a", "bye")]);
    let people: Vec<Option<&str>> = read.iter().map(|c| c.person.as_deref()).collect();
    assert_eq!(people, [Some("a"), Some("b"), Some("a")]);
}

#[test]
fn the_same_line_twice_adds_nothing() {
    let one = line(0, &[m("user", "hi")], &["hello"]);
    let (once, _) = read_lines(std::slice::from_ref(&one));
    let (twice, accounting) = read_lines(&[one.clone(), one]);
    assert_eq!(once, twice);
    assert_eq!(accounting.units.skipped[&Reason::Duplicate], 2);
}

fn sample() -> String {
    include_str!("../../../tests/fixtures/request_log/proxy.jsonl").to_owned()
}

#[test]
fn the_fixture_counts_are_exact() {
    let (read, accounting) = read(sample().as_bytes());
    let rows: Vec<usize> = read.iter().map(|c| c.events.len()).collect();
    assert_eq!(rows, [5, 2]);
    assert_eq!(accounting.units.parsed, 6);
    assert_eq!(
        skipped(&accounting),
        [("duplicate", 2), ("hidden_context", 3)].into()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// `read` itself checks that the accounting balances and equals the rows.
    #[test]
    fn mutations_never_panic_and_balance(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = sample().into_bytes();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if changes.len() % 3 == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        read(&bytes);
    }

    /// However a conversation is cut into requests, its main path is the conversation.
    #[test]
    fn any_way_of_logging_gives_the_same_messages(words in proptest::collection::vec("[a-e]{1,2}", 2..12)) {
        let mut all = Vec::new();
        let mut lines = Vec::new();
        for (i, w) in words.iter().enumerate() {
            all.push(m("user", w));
            lines.push(line(i as u64 * 60, &all, &[&format!("re {w}")]));
            all.push(m("assistant", &format!("re {w}")));
        }
        let (read, _) = read_lines(&lines);
        prop_assert_eq!(read.len(), 1);
        let main: Vec<String> = read[0].messages().filter_map(|e| e.text.as_deref().map(str::to_owned)).collect();
        let expected: Vec<String> = words.iter().flat_map(|w| [w.clone(), format!("re {w}")]).collect();
        prop_assert_eq!(main, expected);
    }
}
