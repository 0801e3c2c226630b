//! How often a person who follows nobody is called a follower by the other weeks of `voice_distance`:
//! `cargo run --release -p driftlead-metrics --example other_weeks [PEOPLE]`.
//!
//! Both sides write 68 weeks of words at random and keep to the words of a subject, which changes at random every
//! so many weeks for each side by itself. In the last row the person repeats lines that the system wrote in the
//! week before.

#![allow(clippy::print_stdout, reason = "a measurement prints its result")]

use std::sync::Arc;

use driftlead_metrics::{Person, scan};
use driftlead_record::{Conversation, Event, Format, MICROS, Role, Time};

const WEEKS: u64 = 68;
const MESSAGES: u64 = 30;
const WORDS: u64 = 40;
const START: i64 = 1_700_000_000;
const SMALL: &[&str] = &[
    "the", "and", "of", "to", "a", "in", "that", "it", "is", "was", "for", "on", "with", "as",
    "at", "by", "from", "they", "we", "this", "but", "not", "what", "all", "when", "there",
    "which", "so",
];

/// One step of SplitMix64 over a key: the same numbers in any order of asking.
fn draw(key: [u64; 4]) -> u64 {
    key.iter().fold(0x9E37_79B9_7F4A_7C15, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// What people do.
#[derive(Clone, Copy)]
struct World {
    /// Weeks that a side keeps a subject.
    keeps: u64,
    /// Lines of the person, in a hundred, that the system wrote in the week before.
    follows: u64,
}

/// A line of a side; `subject` tilts which of its words are common.
fn line(person: u64, side: u64, week: u64, number: u64, world: World) -> String {
    // Each side changes subjects at weeks of its own.
    let phase = draw([person, side, 0, 2]) % world.keeps;
    let subject = draw([person, side, (week + phase) / world.keeps, 1]) % 6;
    let words: Vec<&str> = (0..WORDS)
        .map(|i| {
            let luck = draw([person, side, week, number * 1000 + i]);
            let from = if luck & 1 == 0 { subject * 4 } else { 0 };
            let index = (from + (luck >> 1) % (SMALL.len() as u64 - from)) as usize;
            SMALL.get(index).copied().unwrap_or("the")
        })
        .collect();
    words.join(" ")
}

fn history(person: u64, world: World) -> Conversation {
    let mut events = Vec::new();
    for week in 0..WEEKS {
        for number in 0..MESSAGES {
            let at = START + (week * 604_800 + number * 3600) as i64;
            let follows = week > 12 && draw([person, 3, week, number]) % 100 < world.follows;
            let said = if follows {
                line(person, 2, week - 1, number, world)
            } else {
                line(person, 1, week, number, world)
            };
            let heard = line(person, 2, week, number, world);
            for (role, text, at) in [(Role::Person, said, at), (Role::System, heard, at + 60)] {
                let mut event = Event::message(format!("{at}"), role, text);
                event.time = Some(Time::exact(at * MICROS));
                events.push(event);
            }
        }
    }
    Conversation {
        deployment: Arc::from("example"),
        person: None,
        id: Arc::from(format!("p{person}")),
        source: Arc::from("example"),
        format: Format::Driftlead,
        events,
    }
}

/// Shares of people whose `uptake` and `toward` lie beyond chance.
fn found(people: u64, world: World) -> [f64; 2] {
    let mut found = [0_u64; 2];
    for person in 0..people {
        let mut all = Person::default();
        all.absorb(scan(&history(person, world)));
        for series in all.finish() {
            let is_found = series.other_weeks.is_some_and(|s| s.is_beyond_chance());
            match series.id {
                "voice_distance.uptake" => found[0] += u64::from(is_found),
                "voice_distance.toward" => found[1] += u64::from(is_found),
                _ => {}
            }
        }
    }
    found.map(|n| 100.0 * n as f64 / people as f64)
}

fn main() {
    let people = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1000);
    let se = (5.0_f64 * 95.0 / people as f64).sqrt();
    println!(
        "{people} people, {WEEKS} weeks, {MESSAGES} messages a week and side; % beyond chance"
    );
    println!("(5 % +- {se:.1} is one standard error)");
    println!("{:<52} uptake  toward", "");
    for (name, keeps, follows) in [
        ("nobody follows, a subject a week", 1, 0),
        ("nobody follows, subjects kept for 4 weeks", 4, 0),
        ("nobody follows, subjects kept for 10 weeks", 10, 0),
        ("2 in 100 lines repeat the system's week before", 1, 2),
    ] {
        let [uptake, toward] = found(people, World { keeps, follows });
        println!("{name:<52} {uptake:>6.1}  {toward:>6.1}");
    }
}
