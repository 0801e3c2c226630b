use super::*;
use crate::{Kind, MICROS};

fn turn(role: Role, words: &str) -> Turn {
    Turn::new(role, words, &[], Ok(Some(words.into())))
}

/// Request `n` of a conversation that grows by a question and an answer each time.
fn exchange(person: &str, n: usize) -> Exchange {
    let mut turns = Vec::new();
    for i in 0..n {
        turns.push(turn(Role::Person, &format!("{person} asks {i}")));
        turns.push(turn(Role::System, &format!("{person} hears {i}")));
    }
    turns.push(turn(Role::Person, &format!("{person} asks {n}")));
    let time = Time::exact((1_750_000_000 + n as i64 * 60) * MICROS);
    Exchange {
        person: Some(person.into()),
        turns,
        answers: vec![turn(Role::System, &format!("{person} hears {n}"))],
        asked: Some(time),
        answered: Some(time),
        ..Exchange::default()
    }
}

fn read(
    limits: Limits,
    exchanges: impl IntoIterator<Item = Exchange>,
) -> (Vec<Conversation>, Accounting) {
    let mut all = Parsed::default();
    let mut deliver = |part: Parsed| {
        all.conversations.extend(part.conversations);
        all.accounting.merge(&part.accounting);
    };
    let mut threads = Threads::new(&Arc::from("s"), Format::RequestLog, &mut deliver);
    threads.limits = limits;
    for exchange in exchanges {
        threads.take(exchange);
    }
    threads.finish();
    (all.conversations, all.accounting)
}

fn words_of(conversations: &[Conversation], person: &str) -> Vec<String> {
    let own = conversations
        .iter()
        .filter(|c| c.person.as_deref() == Some(person));
    own.flat_map(|c| &c.events)
        .filter(|e| e.kind == Kind::Message)
        .filter_map(|e| e.text.as_deref().map(str::to_owned))
        .collect()
}

fn expected(person: &str, n: usize) -> Vec<String> {
    (0..n)
        .flat_map(|i| [format!("{person} asks {i}"), format!("{person} hears {i}")])
        .collect()
}

#[test]
fn early_delivery_loses_and_repeats_nothing() {
    let requests = || (0..20).flat_map(|n| ["ada", "bob", "cyd"].map(|p| exchange(p, n)));
    let (whole, _) = read(LIMITS, requests());
    assert_eq!(whole.len(), 3);
    let small = Limits {
        held: 2000,
        ..LIMITS
    };
    let (parts, accounting) = read(small, requests());
    assert!(parts.len() > 10);
    for person in ["ada", "bob", "cyd"] {
        assert_eq!(words_of(&whole, person), expected(person, 20));
        assert_eq!(words_of(&parts, person), expected(person, 20));
    }
    assert_eq!(accounting.units.parsed, 120);
    // Only the number in the id tells the parts of a conversation apart.
    let ids: std::collections::BTreeSet<_> = parts.iter().map(|c| c.id.clone()).collect();
    assert_eq!(ids.len(), parts.len());
    // The parent of a part's first row is the last row of the part before.
    let ada: Vec<_> = parts
        .iter()
        .filter(|c| c.person.as_deref() == Some("ada"))
        .collect();
    for pair in ada.windows(2) {
        assert_eq!(
            pair[1].events[0].parent,
            pair[0].events.last().map(|e| e.id.clone())
        );
    }
}

#[test]
fn forgetting_is_bounded_and_said() {
    let small = Limits {
        turns: 40,
        ..LIMITS
    };
    let (read, accounting) = read(small, (0..100).map(|p| exchange(&format!("p{p}"), 1)));
    assert_eq!(read.len(), 100);
    assert_eq!(accounting.units.parsed, 400);
    assert!(accounting.notes["history_forgotten"] > 80);
}

#[test]
fn a_greeting_after_silence_opens_a_conversation() {
    let mut again = exchange("ada", 0);
    again.asked = Some(Time::exact((1_750_000_000 + 3600) * MICROS));
    let (read, _) = read(LIMITS, [exchange("ada", 0), again]);
    assert_eq!(read.len(), 2);
    assert_ne!(read[0].id, read[1].id);
}
