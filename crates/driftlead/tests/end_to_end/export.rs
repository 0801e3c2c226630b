//! Writes exports to test with.

use std::io::{Cursor, Write};

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Monday, 2024-01-01, in seconds since 1970.
pub(crate) const START: f64 = 1_704_067_200.0;
pub(crate) const WEEK: f64 = 7.0 * 86_400.0;

/// What one message says, by role and a number that no other message has.
pub(crate) type Says<'a> = &'a dyn Fn(&str, usize) -> String;

/// One ChatGPT conversation of `pairs` exchanges that starts at `start` seconds since 1970.
pub(crate) fn conversation(id: usize, start: f64, pairs: usize, says: Says<'_>) -> Value {
    let mut mapping = serde_json::Map::new();
    let name = |n: usize| format!("n{id}-{n}");
    let mut add = |n: usize, message: Value, last: bool| {
        let parent = n.checked_sub(1).map(name);
        let children: Vec<String> = if last { Vec::new() } else { vec![name(n + 1)] };
        let node =
            json!({"id": name(n), "message": message, "parent": parent, "children": children});
        mapping.insert(name(n), node);
    };
    add(0, Value::Null, pairs == 0);
    for n in 1..=2 * pairs {
        let role = if n % 2 == 1 { "user" } else { "assistant" };
        let message = json!({
            "id": format!("m{id}-{n}"),
            "author": {"role": role, "metadata": {}},
            "create_time": start + 40.0 * n as f64,
            "content": {"content_type": "text", "parts": [says(role, 100 * id + n)]},
            "weight": 1.0,
            "metadata": if role == "user" { json!({}) } else { json!({"model_slug": "example-1"}) },
            "recipient": "all",
        });
        add(n, message, n == 2 * pairs);
    }
    json!({
        "title": format!("conversation {id}"),
        "create_time": start,
        "update_time": start + 3600.0,
        "mapping": mapping,
        "current_node": name(2 * pairs),
        "conversation_id": format!("c{id}"),
        "id": format!("c{id}"),
    })
}

/// Exchanges of one conversation of a history: 11 to 15, different from week to week.
pub(crate) fn pairs(week: usize, part: usize) -> usize {
    11 + (week * week + 3 * week + 2 * part) % 5
}

/// Two conversations a week for the given weeks, each week thick enough to count.
pub(crate) fn history(weeks: impl IntoIterator<Item = usize>, says: Says<'_>) -> Value {
    let conversations: Vec<Value> = weeks
        .into_iter()
        .flat_map(|week| {
            let monday = START + week as f64 * WEEK;
            [
                conversation(2 * week, monday + 30_000.0, pairs(week, 0), says),
                conversation(2 * week + 1, monday + 300_000.0, pairs(week, 1), says),
            ]
        })
        .collect();
    Value::Array(conversations)
}

/// Plain English, different from message to message: identical ones would count as scripted.
pub(crate) fn plain(role: &str, n: usize) -> String {
    let mixed = n.wrapping_mul(0x9E37_79B1) >> 7;
    let thing = [
        "dough", "shelf", "chain", "fern", "lamp", "recipe", "canvas",
    ][mixed % 7];
    let place = ["window", "oven", "door", "wall", "table"][mixed / 7 % 5];
    let more = [
        "",
        " and we left it there",
        " because I had no more time for it",
    ][mixed / 35 % 3];
    if role == "user" {
        format!(
            "I moved the {thing} to the {place} this morning and it was still not dry{more}, see note {n}."
        )
    } else {
        format!(
            "The {thing} needs about {} more days near the {place} before the next step{more}. \
             How warm is the room at night?",
            mixed % 9
        )
    }
}

/// An archive with one member.
pub(crate) fn zip(member: &str, content: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    archive.start_file(member, options).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap().into_inner()
}
