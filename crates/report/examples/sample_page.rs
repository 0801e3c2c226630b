//! Writes a page of invented data to the file named on the command line, to look at.

#![allow(missing_docs, unreachable_pub, clippy::print_stderr, dead_code)]

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::process::ExitCode;

use driftlead_record::{Accounting, Reason};
use driftlead_report::{Import, Page, Source, page};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: sample_page FILE.html");
        return ExitCode::from(2);
    };
    let mut accounting = Accounting::default();
    accounting.members.parse();
    accounting.units.parsed = 9_412;
    accounting.units.seen = 9_412;
    accounting.units.skip_many(Reason::StructuralRoot, 412);
    accounting.units.skip_many(Reason::ToolCall, 61);
    accounting.unknown("content_type", "model_editable_context");
    accounting.note("lone_surrogate_replaced");
    let courses = [sample::course(60, &sample::plans())];
    let cards = sample::cards();
    let input = Page {
        title: "Course of one person",
        version: "driftlead 0.1.0",
        label: Some("synthetic data"),
        courses: &courses,
        import: Some(Import {
            accounting: &accounting,
            sources: &[Source {
                name: "export.zip".into(),
                format: "ChatGPT data export".into(),
            }],
            warnings: &["export.zip: 1 content type that this version does not know".to_owned()],
        }),
        cards: &cards,
        cohort: Some(&sample::cohort(300, 52)),
    };
    match std::fs::write(&path, page(&input)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{path}: {e}");
            ExitCode::from(2)
        }
    }
}
