//! Writes raw draws to standard output without end, for batteries of statistical tests:
//!
//! ```sh
//! cargo run --release -p driftlead-sim --example draws -- users | dieharder -a -g 200
//! ```
//!
//! The argument says which coordinate runs fastest: `users` (all people of a step, step after step),
//! `steps` (a person's whole life, person after person), `streams` (three streams of a step, as the
//! engine uses them), or `seeds`.

use std::io::{self, Write};

use driftlead_sim::draw::Draws;

fn main() -> io::Result<()> {
    let order = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "users".to_owned());
    let draws = Draws::new(1);
    let word: fn(&Draws, u64) -> u32 = match order.as_str() {
        "users" => |d, i| d.word(i % 1_000_000, (i / 1_000_000) as u32, 0),
        "steps" => |d, i| d.word(i / 250, (i % 250) as u32, 0),
        "streams" => |d, i| d.word(i / 750, (i / 3 % 250) as u32, (i % 3) as u32),
        "seeds" => |_, i| Draws::new(i).word(0, 0, 0),
        other => {
            return Err(io::Error::other(format!(
                "{other}: users, steps, streams or seeds"
            )));
        }
    };
    let mut out = io::stdout().lock();
    let mut buffer = Vec::with_capacity(1 << 16);
    for i in 0u64.. {
        buffer.extend_from_slice(&word(&draws, i).to_le_bytes());
        if buffer.len() == 1 << 16 {
            match out.write_all(&buffer) {
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                other => other?,
            }
            buffer.clear();
        }
    }
    Ok(())
}
