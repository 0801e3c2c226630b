//! Measures how fast one core scans: `cargo run --release -p driftlead-metrics --example throughput`.
//!
//! The text is made of ordinary English sentences drawn at random; nothing is read or written.

#![allow(clippy::print_stdout, reason = "a measurement prints its result")]

use std::sync::Arc;
use std::time::Instant;

use driftlead_metrics::{Person, scan};
use driftlead_record::{Conversation, Event, Format, MICROS, Role, Time};

const SENTENCES: &[&str] = &[
    "I am not sure what I should tell my sister about the move.",
    "The train was late again, so we walked along the river instead.",
    "That sounds like a good plan, and there is still time to change it!",
    "Could you check whether the second paragraph says what I mean?",
    "Here are three options: wait a week, call them, or write a short letter.",
    "You’re right — the numbers in the table don’t add up.",
    "My friend said nobody ever answers at that desk before ten.",
    "I always forget how quiet the house is in the evening.",
    "Let me know how it goes tomorrow, and we can look at the rest.",
    "The function returns a list, which is then sorted by date.",
];

fn draw(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

fn message(state: &mut u64, sentences: usize, index: usize) -> Event {
    let role = if index.is_multiple_of(2) {
        Role::Person
    } else {
        Role::System
    };
    let sentences = if role == Role::Person {
        sentences
    } else {
        3 * sentences
    };
    let text: Vec<&str> = (0..sentences)
        .filter_map(|_| SENTENCES.get(draw(state) % SENTENCES.len()).copied())
        .collect();
    let mut event = Event::message(format!("m{index}"), role, text.join(" "));
    event.time = Some(Time::exact((1_700_000_000 + index as i64 * 300) * MICROS));
    event
}

fn main() {
    let mut state = 1;
    let conversations: Vec<Conversation> = (0..5000)
        .map(|c| Conversation {
            deployment: Arc::from("example"),
            person: None,
            id: Arc::from(format!("c{c}")),
            source: Arc::from("example"),
            format: Format::Driftlead,
            events: (0..40)
                .map(|m| message(&mut state, 2, c * 40 + m))
                .collect(),
        })
        .collect();
    let bytes: usize = conversations
        .iter()
        .flat_map(|c| &c.events)
        .filter_map(|e| e.text.as_ref())
        .map(|t| t.len())
        .sum();
    let messages = conversations.iter().map(|c| c.events.len()).sum::<usize>();
    conversations.iter().take(1).for_each(|c| drop(scan(c)));

    let start = Instant::now();
    let scans: Vec<_> = conversations.iter().map(scan).collect();
    let scanned = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut person = Person::default();
    scans.into_iter().for_each(|s| person.absorb(s));
    let absorbed = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let points: usize = person.finish().iter().map(|s| s.points.len()).sum();
    let finished = start.elapsed().as_secs_f64();
    println!(
        "{messages} messages, {:.1} MB of text, {points} points",
        bytes as f64 / 1e6
    );
    println!(
        "scan   {scanned:.3} s  {:.0} MB/s",
        bytes as f64 / 1e6 / scanned
    );
    println!("absorb {absorbed:.3} s");
    println!("finish {finished:.3} s");
}
