//! Reads an export and prints how long that took: `read_export PATH...`.

#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Instant;

use driftlead_record::{Conversation, Options, Sink, read};

#[derive(Default)]
struct Count {
    words: u64,
}

impl Sink for Count {
    fn take(&mut self, batch: Vec<Conversation>) {
        let texts = batch
            .iter()
            .flat_map(|c| &c.events)
            .filter_map(|e| e.text.as_ref());
        self.words += texts.map(|t| t.len() as u64).sum::<u64>();
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let mut count = Count::default();
    let start = Instant::now();
    let import = read(&paths, &Options::default(), &mut count)?;
    println!(
        "{} conversations, {} rows, {} bytes of text in {:.2} s",
        import.conversations,
        import.events,
        count.words,
        start.elapsed().as_secs_f64()
    );
    for warning in &import.warnings {
        println!("{warning}");
    }
    Ok(())
}
