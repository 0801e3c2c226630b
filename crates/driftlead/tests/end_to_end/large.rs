//! One conversation of 200 MB: exact account, and a bound on memory.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::export::{START, plain};
use crate::program::Desk;

const MESSAGES: usize = 170_000;
/// Peak memory per byte of the file. One conversation is one unit: its bytes, what is parsed of them, and a
/// part of its text at a time are held together.
const PEAK_PER_BYTE: f64 = 3.0;

/// Writes one ChatGPT conversation piece by piece and returns its size.
fn write(path: &Path) -> u64 {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    out.write_all(
        br#"[{"title":"one","mapping":{"n0":{"id":"n0","message":null,"parent":null,"children":["n1"]}"#,
    )
    .unwrap();
    for n in 1..=MESSAGES {
        let role = if n % 2 == 1 { "user" } else { "assistant" };
        let parts: Vec<String> = (0..8).map(|i| plain(role, 8 * n + i)).collect();
        let children = if n < MESSAGES {
            format!("\"n{}\"", n + 1)
        } else {
            String::new()
        };
        write!(
            out,
            r#","n{n}":{{"id":"n{n}","parent":"n{}","children":[{children}],"message":{{"id":"m{n}","author":{{"role":"{role}"}},"create_time":{},"content":{{"content_type":"text","parts":["{}"]}},"weight":1.0,"recipient":"all"}}}}"#,
            n - 1,
            START + 60.0 * n as f64,
            parts.join(" "),
        )
        .unwrap();
    }
    write!(
        out,
        r#"}},"current_node":"n{MESSAGES}","conversation_id":"c","id":"c"}}]"#
    )
    .unwrap();
    out.flush().unwrap();
    path.metadata().unwrap().len()
}

#[test]
fn one_conversation_of_200_mb() {
    let desk = Desk::new();
    let bytes = write(&desk.path("conversations.json"));
    assert!((190_000_000..260_000_000).contains(&bytes), "{bytes}");
    let (run, peak) = desk.run_measured(&["me", "conversations.json"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    for part in [
        "1 conversation = 1 read + 0 skipped",
        "170,001 entries = 170,000 read + 1 skipped (structural_root 1)",
    ] {
        assert!(
            run.stdout.contains(part),
            "{part} is not in:\n{}",
            run.stdout
        );
    }
    let per_byte = peak as f64 / bytes as f64;
    assert!(
        per_byte < PEAK_PER_BYTE,
        "{peak} bytes of memory for {bytes} bytes: {per_byte:.2} each"
    );
    assert!(per_byte > 0.5, "{peak} was not measured");
}
