//! `driftlead metrics`: what is counted, and how far to trust it.

use std::fmt::Write as _;
use std::path::Path;

use driftlead_metrics::{Card, MISSING, Missing, card, cards};
use serde::Serialize;

use crate::args::{Common, Metrics};
use crate::failure::Failure;
use crate::{Outcome, VERSION, file, summary, terminal};

/// Columns of the ids in the list.
const ID_WIDTH: usize = 20;

/// All cards as data.
#[derive(Serialize)]
struct Content<'a> {
    program: &'a str,
    verb: &'a str,
    cards: &'a [&'a Card],
    missing: &'a [Missing],
}

/// Runs it.
pub(crate) fn run(args: &Metrics, common: &Common) -> Result<Outcome, Failure> {
    if let Some(folder) = &args.markdown {
        pages(folder)?;
        return Ok(Outcome::Done);
    }
    let chosen: Vec<&Card> = match &args.name {
        None => cards().iter().collect(),
        Some(name) => vec![find(name)?],
    };
    if let Some(target) = &args.json.json {
        let content = Content {
            program: VERSION,
            verb: "metrics",
            cards: &chosen,
            missing: MISSING,
        };
        file::write_json(target, &content)?;
        return Ok(Outcome::Done);
    }
    if !common.quiet {
        terminal::print(&match (&args.name, chosen.as_slice()) {
            (Some(_), [card]) => card.to_markdown(),
            _ => list(&chosen),
        })?;
    }
    Ok(Outcome::Done)
}

/// A card by the id of its metric or of one of its series.
fn find(name: &str) -> Result<&'static Card, Failure> {
    let metric = name.split('.').next().unwrap_or(name);
    card(metric).ok_or_else(|| {
        let ids: Vec<&str> = cards().iter().map(|c| c.id.as_str()).collect();
        Failure::Input(format!(
            "there is no metric {name:?}.\n  The metrics are {}.",
            ids.join(", ")
        ))
    })
}

fn list(cards: &[&Card]) -> String {
    let width = terminal::width();
    let mut out = String::new();
    for card in cards {
        let grade = format!("{:?}", card.evidence_grade);
        let _ = writeln!(
            out,
            "{:<ID_WIDTH$} {} (grade {grade})",
            card.id, card.user_facing_name
        );
    }
    out.push_str("\nNot counted:\n");
    for gap in MISSING {
        out.push_str(&summary::wrap(
            &format!("{}, {}: {}", gap.metric, gap.what, gap.why),
            width,
        ));
    }
    out.push_str("\nOne card in full: driftlead metrics NAME\n");
    out
}

/// One page per card, and one of what is not counted.
fn pages(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|e| Failure::cannot_write(folder, &e))?;
    file::write(&folder.join("missing.md"), missing().as_bytes())?;
    cards().iter().try_for_each(|c| {
        file::write(
            &folder.join(format!("{}.md", c.id)),
            c.to_markdown().as_bytes(),
        )
    })
}

fn missing() -> String {
    let mut out = "# What is not counted, and why\n\n".to_owned();
    for gap in MISSING {
        let _ = writeln!(out, "- {}, {}: {}", gap.metric, gap.what, gap.why);
    }
    out
}
