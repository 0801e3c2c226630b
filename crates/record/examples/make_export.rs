//! Writes a synthetic ChatGPT export, to measure the reader with.
//!
//! `make_export --messages 1000000 --out export.json` (or `export.zip`). The same arguments give the
//! same bytes. No word in it is anyone's.

#![allow(clippy::print_stderr)]

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use zip::write::{SimpleFileOptions, ZipWriter};

const WORDS: [&[&str]; 4] = [
    &[
        "the", "tide", "rises", "before", "noon", "and", "we", "walk", "along", "a", "quiet",
        "river", "while", "bread", "rests", "in", "warm", "light", "could", "you", "explain",
        "how",
    ],
    &[
        "das", "Wasser", "steigt", "langsam", "über", "die", "Brücke", "und", "wir", "gehen",
    ],
    &[
        "la", "marée", "monte", "après", "midi", "où", "le", "pain", "repose", "être", "déjà",
    ],
    &[
        "潮",
        "が",
        "満ちる",
        "前に",
        "川",
        "沿い",
        "を",
        "歩く",
        "静かな",
        "光",
    ],
];
const MODELS: [&str; 5] = [
    "model-a-1",
    "model-a-2",
    "model-b-1",
    "model-b-2",
    "model-c-1",
];
const START: f64 = 1_672_531_200.0;
const THREE_YEARS: f64 = 3.0 * 365.25 * 86_400.0;

/// SplitMix64 (Steele, Lea & Flood 2014): enough for filler text.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut messages = 10_000;
    let mut out = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or("every option takes a value")?;
        match name.as_str() {
            "--messages" => messages = value.parse()?,
            "--out" => out = Some(value),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let out = out.ok_or("--out FILE is missing")?;
    let file = BufWriter::with_capacity(1 << 20, File::create(&out)?);
    if out.ends_with(".zip") {
        let mut zip = ZipWriter::new(file);
        let options = SimpleFileOptions::default()
            .large_file(true)
            .compression_level(Some(3));
        zip.start_file("conversations.json", options)?;
        write_export(&mut zip, messages)?;
        zip.finish()?.flush()?;
    } else {
        let mut file = file;
        write_export(&mut file, messages)?;
        file.flush()?;
    }
    Ok(())
}

fn write_export(out: &mut dyn Write, messages: usize) -> io::Result<()> {
    let mut dice = Dice(1);
    let mut written = 0;
    let mut index = 0;
    let mut buffer = Vec::new();
    out.write_all(b"[")?;
    while written < messages {
        buffer.clear();
        if written > 0 {
            buffer.push(b',');
        }
        let size = (2 + 2 * dice.below(10)).min(messages - written).max(1);
        let time = START + THREE_YEARS * written as f64 / messages as f64;
        write_conversation(&mut buffer, &mut dice, index, size, time)?;
        out.write_all(&buffer)?;
        written += size;
        index += 1;
    }
    out.write_all(b"]")
}

fn write_conversation(
    out: &mut Vec<u8>,
    dice: &mut Dice,
    index: usize,
    size: usize,
    start: f64,
) -> io::Result<()> {
    let language = if dice.below(20) == 0 {
        1 + dice.below(3)
    } else {
        0
    };
    let age = (start - START) / THREE_YEARS;
    let model = MODELS[((age * MODELS.len() as f64) as usize).min(MODELS.len() - 1)];
    let id = format!(
        "{index:08x}-0000-4000-8000-{:012x}",
        dice.next() & 0xFFFF_FFFF_FFFF
    );
    write!(
        out,
        "{{\"title\":\"Synthetic {index}\",\"create_time\":{start:.6},\"update_time\":{:.6},\
         \"mapping\":{{\"root-{index}\":{{\"id\":\"root-{index}\",\"message\":null,\"parent\":null,\
         \"children\":[]}}",
        start + 60.0 * size as f64
    )?;
    let mut parent = format!("root-{index}");
    let mut time = start;
    for n in 0..size {
        time += 5.0 + dice.below(600) as f64 / 10.0;
        let is_person = n % 2 == 0;
        let node = format!("{:016x}-{n:04}", dice.next());
        write_node(
            out,
            dice,
            &node,
            &parent,
            time,
            is_person.then_some("user"),
            model,
            language,
        )?;
        // One answer in 25 was regenerated, on a branch that ends there. It replaces a message of
        // the count, so that the file holds as many as were asked for.
        let is_regenerated = !is_person && n + 2 < size && dice.below(25) == 0;
        if !is_regenerated {
            parent = node;
        }
    }
    write!(
        out,
        "}},\"moderation_results\":[],\"current_node\":\"{parent}\",\"plugin_ids\":null,\
         \"conversation_id\":\"{id}\",\"gizmo_id\":null,\"is_archived\":false,\"safe_urls\":[],\
         \"default_model_slug\":\"{model}\",\"voice\":null,\"async_status\":null,\"id\":\"{id}\"}}"
    )
}

#[allow(clippy::too_many_arguments)]
fn write_node(
    out: &mut Vec<u8>,
    dice: &mut Dice,
    node: &str,
    parent: &str,
    time: f64,
    person: Option<&str>,
    model: &str,
    language: usize,
) -> io::Result<()> {
    let role = person.unwrap_or("assistant");
    write!(
        out,
        ",\"{node}\":{{\"id\":\"{node}\",\"message\":{{\"id\":\"{node}\",\"author\":{{\"role\":\
         \"{role}\",\"name\":null,\"metadata\":{{}}}},\"create_time\":{time:.6},\"update_time\":null,\
         \"content\":{{\"content_type\":\"text\",\"parts\":[\""
    )?;
    let words = if person.is_some() {
        5 + dice.below(35)
    } else {
        30 + dice.below(120)
    };
    for n in 0..words {
        let list = WORDS[language];
        out.extend_from_slice(list[dice.below(list.len())].as_bytes());
        let end: &[u8] = if n % 13 == 12 { b".\\n" } else { b" " };
        out.extend_from_slice(end);
    }
    write!(
        out,
        "\"]}},\"status\":\"finished_successfully\",\"end_turn\":true,\"weight\":1.0,\"metadata\":{{"
    )?;
    if person.is_none() {
        write!(
            out,
            "\"finish_details\":{{\"type\":\"stop\",\"stop_tokens\":[200002]}},\"is_complete\":true,\
             \"citations\":[],\"content_references\":[],\"model_slug\":\"{model}\","
        )?;
    }
    write!(
        out,
        "\"message_type\":null,\"request_id\":\"{:016x}-{:016x}\",\"timestamp_\":\"absolute\",\
         \"default_model_slug\":\"{model}\",\"parent_id\":\"{parent}\"}},\"recipient\":\"all\",\
         \"channel\":null}},\"parent\":\"{parent}\",\"children\":[]}}",
        dice.next(),
        dice.next()
    )
}
