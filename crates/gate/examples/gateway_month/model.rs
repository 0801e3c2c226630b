//! The scripted model server: does what the system text asks for, and otherwise talks plainly, asks two
//! questions, and sometimes jokes where nobody asked for it. What it draws, it draws from the `seed` of the
//! request, so that a run can be repeated.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use driftlead_stats::rng::Stream;
use serde_json::{Value, json};

use crate::people::Tone;

/// Probability of a joke per reply, unless the system text speaks of an earlier reply that landed wrong.
const JOKE: f64 = 0.12;

const WARM: &str = "I really care about you, you know.";
const COOL: &str = "Noted.";
const JOKED: &str = "Here is one about a snail and a lamp.";

/// Serves until the process ends.
pub(crate) fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            // A connection that fails is the gateway's to report.
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    Ok(address)
}

fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let reply = json!({
            "model": "scripted-1",
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": reply(&serde_json::from_slice(&body)?) },
                "finish_reason": "stop",
            }],
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{reply}",
            reply.len()
        );
        writer.write_all(head.as_bytes())?;
    }
}

fn reply(request: &Value) -> String {
    let turns = request["messages"].as_array();
    let system: String = turns
        .into_iter()
        .flatten()
        .filter(|turn| turn["role"] == "system")
        .filter_map(|turn| turn["content"].as_str())
        .collect();
    let asked = |words: &str| system.contains(words);
    let mut said = Vec::new();
    if asked("warmer, more personal way of talking") {
        said.push(WARM);
    }
    if asked("matter-of-fact tone") {
        said.push(COOL);
    }
    said.push("That is how it goes with such things.");
    if asked("you are a program") {
        said.push("I am a program, not a human.");
    }
    if asked("a break is possible") {
        said.push("A break is possible.");
    }
    let seed = request["seed"].as_u64().unwrap_or(0);
    if !asked("landed wrong") && Stream::new(seed, 0, 0, 905).uniform() < JOKE {
        said.push(JOKED);
    }
    if !asked("Ask no question") {
        said.push("What did you do then?");
    }
    if !asked("Ask no question") && !asked("Ask at most one question") {
        said.push("And how is it now?");
    }
    said.join(" ")
}

/// How a reply reads to a person.
pub(crate) fn tone(reply: &str) -> Tone {
    if reply.contains(WARM) {
        Tone::Warm
    } else if reply.contains(COOL) {
        Tone::Cool
    } else {
        Tone::Plain
    }
}

pub(crate) fn jokes(reply: &str) -> bool {
    reply.contains(JOKED)
}

pub(crate) fn questions(reply: &str) -> u32 {
    reply.matches('?').count() as u32
}
