use std::io::Write;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::import::{Options, Parsed};
use crate::schema::Word;
use crate::write::Writer;
use crate::{Accounting, Conversation, Event, Format, Kind, Role, SystemSource, Time};

fn word() -> impl Strategy<Value = Arc<str>> {
    prop_oneof!["[a-c]", "\\PC{0,6}"].prop_map(Arc::from)
}

fn one_of<T: Word + std::fmt::Debug>() -> impl Strategy<Value = T> {
    proptest::sample::select(T::WORDS.iter().map(|(v, _)| *v).collect::<Vec<_>>())
}

prop_compose! {
    fn time()(micros: i64, offset_seconds: Option<i32>, quality in one_of()) -> Time {
        Time { micros, offset_seconds, quality }
    }
}

prop_compose! {
    fn event()(
        id in word(),
        parent in proptest::option::of(word()),
        time in proptest::option::of(time()),
        (role, kind, system_source) in (one_of::<Role>(), one_of::<Kind>(), one_of::<SystemSource>()),
        text in proptest::option::of("\\PC{0,40}|a\nb\"\\\u{0}"),
        item in proptest::option::of(word()),
        reaction in proptest::option::of(proptest::num::f64::NORMAL | proptest::num::f64::ZERO),
        system in proptest::option::of(word()),
        policy in proptest::option::of(word()),
        propensity in proptest::option::of(0.0f64..=1.0),
        position: u64,
    ) -> Event {
        Event {
            id, parent, time, role, kind, text: text.map(String::into_boxed_str), item, reaction,
            system, system_source, policy, propensity, position,
        }
    }
}

prop_compose! {
    fn conversation()(
        deployment in word(),
        person in proptest::option::of(word()),
        id in word(),
        source in word(),
        format in one_of::<Format>(),
        events in proptest::collection::vec(event(), 1..20),
    ) -> Conversation {
        Conversation { deployment, person, id, source, format, events }
    }
}

type Read = Result<(Vec<Conversation>, Accounting), UnitError>;

fn collect(
    read: impl FnOnce(&Arc<str>, &Options, &mut dyn FnMut(Parsed)) -> Result<(), UnitError>,
) -> Read {
    let mut all = Parsed::default();
    read(&Arc::from("test"), &Options::default(), &mut |part| {
        all.conversations.extend(part.conversations);
        all.accounting.merge(&part.accounting);
    })?;
    assert!(all.accounting.balances());
    Ok((all.conversations, all.accounting))
}

fn read_table(bytes: &[u8]) -> Read {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    collect(|s, o, d| read_parquet(file, s, o, d))
}

fn read_lines(mut bytes: &[u8]) -> Read {
    collect(|s, o, d| read_stream(&mut bytes, s, o, d))
}

fn table(conversations: &[Conversation], text: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::parquet(&mut out, text).unwrap();
    writer.write(conversations).unwrap();
    writer.finish().unwrap();
    out
}

fn lines(conversations: &[Conversation], text: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::json_lines(&mut out, text).unwrap();
    writer.write(conversations).unwrap();
    writer.finish().unwrap();
    out
}

fn rows(of: &[Conversation]) -> u64 {
    of.iter().map(|c| c.events.len() as u64).sum()
}

fn without_text(mut of: Vec<Conversation>) -> Vec<Conversation> {
    for event in of.iter_mut().flat_map(|c| &mut c.events) {
        event.text = None;
    }
    of
}

fn fixed() -> Vec<Conversation> {
    let head = |id: &str, n: usize| Conversation {
        deployment: "d".into(),
        person: Some("p".into()),
        id: id.into(),
        source: "s".into(),
        format: Format::Driftlead,
        events: (0..n)
            .map(|i| Event::message(format!("{id}{i}"), Role::Person, "marker-of-a-text"))
            .collect(),
    };
    vec![head("a", 3), head("b", 2)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(
        conversations in proptest::collection::vec(conversation(), 0..8),
        text: bool,
    ) {
        let expected = if text { conversations.clone() } else { without_text(conversations.clone()) };
        let (read, accounting) = read_table(&table(&conversations, text)).unwrap();
        prop_assert_eq!(&read, &expected);
        prop_assert_eq!(accounting.units.parsed, rows(&conversations));
        let (read, accounting) = read_lines(&lines(&conversations, text)).unwrap();
        prop_assert_eq!(&read, &expected);
        prop_assert_eq!(accounting.units.parsed, rows(&conversations));
        prop_assert_eq!(accounting.units.seen, rows(&conversations) + 1);
    }

    #[test]
    fn damaged_files_never_panic(
        conversations in proptest::collection::vec(conversation(), 1..4),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        for (mut bytes, is_table) in [(table(&conversations, true), true), (lines(&conversations, true), false)] {
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if changes.len() == 1 {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = if is_table { read_table(&bytes) } else { read_lines(&bytes) };
        }
    }
}

#[test]
fn long_conversations_and_texts_cross_batches() {
    let mut conversations = fixed();
    let long: Vec<Event> = (0..20_000)
        .map(|i| Event::message(format!("m{i}"), Role::System, "x".repeat(i % 1500)))
        .collect();
    conversations[0].events = long;
    let (read, _) = read_table(&table(&conversations, true)).unwrap();
    assert!(read == conversations);
}

#[test]
fn text_is_left_out_unless_asked_for() {
    let find = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("marker-of-a-text");
    assert!(find(&lines(&fixed(), true)));
    assert!(!find(&lines(&fixed(), false)));
    assert!(!find(&table(&fixed(), false)));
}

#[test]
fn another_version_is_refused() {
    let text = String::from_utf8(lines(&fixed(), true)).unwrap();
    let other = text.replacen("version\":1", "version\":7", 1);
    assert_ne!(text, other);
    let error = read_lines(other.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("version \"7\""), "{error}");
}

#[test]
fn rows_that_do_not_stand_together_are_refused() {
    let text = String::from_utf8(lines(&fixed(), true)).unwrap();
    let mut rows: Vec<&str> = text.lines().collect();
    rows.swap(2, 4);
    let error = read_lines(rows.join("\n").as_bytes()).unwrap_err();
    assert!(error.to_string().contains("stand together"), "{error}");
}

#[test]
fn a_repeated_conversation_is_delivered_twice() {
    let mut twice = fixed();
    twice.extend(fixed());
    let (read, _) = read_table(&table(&twice, true)).unwrap();
    assert_eq!(read, twice);
}

#[test]
fn unknown_words_are_counted() {
    let text = String::from_utf8(lines(&fixed(), true)).unwrap();
    let other = text.replacen("\"role\":\"person\"", "\"role\":\"robot\"", 1);
    let (read, accounting) = read_lines(other.as_bytes()).unwrap();
    assert_eq!(rows(&read), 4);
    assert_eq!(accounting.units.skipped[&crate::Reason::UnknownRole], 1);
    assert_eq!(accounting.unknown["role \"robot\""], 1);
}

/// One million rows in both directions. Run with `--release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn a_million_rows() {
    let text =
        "The quick brown fox jumps over the lazy dog, then sits down and thinks about it all. ";
    let conversations: Vec<Conversation> = (0..50_000i64)
        .map(|c| {
            let mut parent: Option<Arc<str>> = None;
            let system: Arc<str> = "model-1".into();
            let events = (0..20)
                .map(|i| {
                    let at = ((c * 7 + i * 13) % 60) as usize;
                    let words = format!("{}{}{}", &text[at..], c, &text[..at]);
                    let mut e = Event::message(format!("m-{c:08x}-{i}"), Role::Person, words);
                    e.parent = parent.replace(e.id.clone());
                    e.time = Some(Time::exact(
                        1_700_000_000_000_000 + c * 86_400_000 + i * 1_000_000,
                    ));
                    if i % 2 == 1 {
                        e.role = Role::System;
                        e.system = Some(system.clone());
                    }
                    e
                })
                .collect();
            Conversation {
                deployment: "demo".into(),
                person: Some(format!("p{}", c / 50).into()),
                id: format!("c{c}").into(),
                source: "demo".into(),
                format: Format::Driftlead,
                events,
            }
        })
        .collect();
    let time = |what: &str, start: std::time::Instant, bytes: usize| {
        let line = format!("{what}: {:?}, {bytes} bytes\n", start.elapsed());
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    };
    let start = std::time::Instant::now();
    let bytes = table(&conversations, true);
    time("write parquet", start, bytes.len());
    let start = std::time::Instant::now();
    let (read, _) = read_table(&bytes).unwrap();
    time("read parquet", start, bytes.len());
    assert!(read == conversations);
    let start = std::time::Instant::now();
    let bytes = lines(&conversations, true);
    time("write lines", start, bytes.len());
    let start = std::time::Instant::now();
    let (read, _) = read_lines(&bytes).unwrap();
    time("read lines", start, bytes.len());
    assert!(read == conversations);
}
