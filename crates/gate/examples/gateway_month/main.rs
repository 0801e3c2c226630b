//! A month of simulated people through the gateway under each policy, and the estimated effect of pauses
//! beside the planted one.
//!
//! `cargo run --example gateway_month -p driftlead-gate -- [--people N] [--days N] [--seed N] [--repeat N]`
//!
//! The gateway is the real one, with listeners, log, store and record; only its clock is set by hand, and
//! the model server behind it is scripted. The same arguments print the same bytes.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table at a terminal"
)]

mod client;
mod estimate;
mod model;
mod month;
mod people;

use std::process::ExitCode;

use driftlead_gate::audit::verify;
use driftlead_gate::policy::Point;
use estimate::{Effect, Estimates, estimate};
use month::{Lived, Month, live};
use serde_json::Value;

fn main() -> ExitCode {
    let (month, repeat) = match arguments(std::env::args().skip(1)) {
        Ok(given) => given,
        Err(what) => {
            eprintln!("{what}");
            return ExitCode::from(2);
        }
    };
    match tables(&month, repeat) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::from(3)
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<(Month, u32), String> {
    let (mut people, mut days, mut seed, mut repeat) = (60, 28, 1, 0);
    while let Some(name) = given.next() {
        let value = given.next().ok_or(format!("{name} needs a number"))?;
        let number: u32 = value
            .parse()
            .map_err(|_| format!("{name} {value}: not a whole number"))?;
        match name.as_str() {
            "--people" => people = number,
            "--days" => days = number,
            "--seed" => seed = u64::from(number),
            "--repeat" => repeat = number,
            _ => {
                return Err(format!(
                    "{name}: known are --people, --days, --seed and --repeat"
                ));
            }
        }
    }
    // Each person has a share of the day, and a conversation has to fit into it.
    if !(10..=120).contains(&people) || !(14..=60).contains(&days) {
        return Err("--people must be 10 to 120, --days 14 to 60".to_owned());
    }
    Ok((Month { people, days, seed }, repeat))
}

fn tables(month: &Month, repeat: u32) -> Result<(), String> {
    let (people, days, seed) = (month.people, month.days, month.seed);
    println!("{people} people, {days} days, seed {seed}\n");
    let mut columns = Vec::new();
    let mut estimates = None;
    for point in Point::ALL {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let lived = live(point, month, folder.path()).map_err(|e| e.to_string())?;
        let log = verify(&folder.path().join("audit.log")).map_err(|e| e.to_string())?;
        columns.push(column(&lived, log.entries));
        if point == Point::Monitored {
            estimates = Some(estimate(folder.path(), month, &lived)?);
        }
    }
    print_policies(&columns);
    if let Some(estimates) = estimates {
        print_estimates(&estimates);
    }
    if repeat > 0 {
        repeated(month, repeat)?;
    }
    Ok(())
}

/// One policy's figures, by name.
fn column(lived: &Lived, entries: u64) -> Vec<(String, String)> {
    let seen = &lived.seen;
    let per = |n: u64, of: u64| format!("{:.2}", n as f64 / of.max(1) as f64);
    let mut rows = vec![
        ("conversations".to_owned(), seen.conversations.to_string()),
        ("replies".to_owned(), seen.replies.to_string()),
        ("replies with an act".to_owned(), seen.governed.to_string()),
    ];
    for act in ACTS {
        let count = lived.acts.get(*act).copied().unwrap_or(0);
        rows.push((format!("  {act}"), count.to_string()));
    }
    rows.extend([
        (
            "questions per reply".to_owned(),
            per(seen.questions, seen.replies),
        ),
        (
            "jokes per 100 replies".to_owned(),
            per(100 * seen.jokes, seen.replies),
        ),
        (
            "repairs by command".to_owned(),
            seen.repairs_by_command.to_string(),
        ),
        (
            "complaints in plain words".to_owned(),
            seen.complaints_in_words.to_string(),
        ),
        (
            "repairs taken".to_owned(),
            sum(lived, "/summary/outcomes_of_repairs/repairs").to_string(),
        ),
    ]);
    for changes in [true, false] {
        let (moved, of) = evidence(lived, changes);
        let who = if changes { "change" } else { "do not change" };
        rows.push((
            format!("evidence stands, who {who}"),
            format!("{moved} of {of}"),
        ));
    }
    rows.push((
        "entries of the log, verified".to_owned(),
        entries.to_string(),
    ));
    rows
}

const ACTS: &[&str] = &[
    "warmth.warm",
    "warmth.cool",
    "warmth.tapered",
    "truth",
    "questions",
    "disclosure",
    "break",
    "pause",
    "repair",
    "commands_left_out",
];

fn sum(lived: &Lived, place: &str) -> u64 {
    let number = |export: &Value| export.pointer(place).and_then(Value::as_u64);
    lived.exports.iter().filter_map(number).sum()
}

/// People with a count that has moved, of those whose counts are kept to the end.
fn evidence(lived: &Lived, changes: bool) -> (usize, usize) {
    let kept = lived
        .people
        .iter()
        .zip(&lived.exports)
        .filter(|(person, export)| {
            person.changes == changes && export["summary"]["conversations_kept"] != 0
        });
    let moved = |export: &Value| {
        let course = export["summary"]["course"].as_array();
        course
            .into_iter()
            .flatten()
            .any(|of| of["verdict"] == "moved")
    };
    let verdicts: Vec<bool> = kept.map(|(_, export)| moved(export)).collect();
    (
        verdicts.iter().filter(|moved| **moved).count(),
        verdicts.len(),
    )
}

fn print_policies(columns: &[Vec<(String, String)>]) {
    print!("{:<34}", "");
    for point in Point::ALL {
        print!("{:>13}", point.name());
    }
    println!();
    let Some(first) = columns.first() else {
        return;
    };
    for (at, (name, _)) in first.iter().enumerate() {
        print!("{name:<34}");
        for column in columns {
            print!("{:>13}", column.get(at).map_or("", |(_, value)| value));
        }
        println!();
    }
}

fn print_estimates(of: &Estimates) {
    println!(
        "\nPauses under monitored: {} drawn, {} of them in the log too with the same outcome and probability.",
        of.drawn, of.confirmed
    );
    println!(
        "{} decisions of {} people with what came after, {} of them pauses. Pause minus no pause:\n",
        of.decisions, of.people, of.paused
    );
    println!(
        "{:<46}{:>9}{:>20}{:>9}",
        "", "estimate", "95 % interval", "planted"
    );
    for (name, effect) in [
        ("came the next day, WCLS, one look", &of.comes),
        ("came the next day, valid at all times", &of.comes_anytime),
        ("messages the next day, WCLS, one look", &of.messages),
        (
            "came the day before (nothing can be there)",
            &of.came_before,
        ),
    ] {
        let Effect {
            estimate,
            interval,
            truth,
        } = effect;
        let interval = format!("[{:.3}, {:.3}]", interval.low, interval.high);
        println!("{name:<46}{estimate:>9.3}{interval:>20}{truth:>9.3}");
    }
    println!(
        "\nRung: randomised, within person. The gateway drew each pause with a probability of 1/2, fixed and\n\
         logged before (level A0: nothing else is assumed of the outcomes). Assumed: that one person's pause\n\
         changes nothing for another. One look: valid for a look at a time fixed before, with many people."
    );
}

/// The same month with other people and other luck, again and again: how often intervals hold the truth.
fn repeated(month: &Month, times: u32) -> Result<(), String> {
    let mut all = Vec::new();
    for again in 1..=u64::from(times) {
        let month = Month {
            seed: month.seed + 1000 * again,
            ..*month
        };
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let lived = live(Point::Monitored, &month, folder.path()).map_err(|e| e.to_string())?;
        all.push(estimate(folder.path(), &month, &lived)?);
    }
    let holds = |of: &dyn Fn(&Estimates) -> bool| all.iter().filter(|e| of(e)).count();
    println!(
        "\n{times} more months under monitored, each with people and luck of its own: intervals that hold the truth"
    );
    println!(
        "came the next day, WCLS                         {}",
        holds(&|e| e.comes.covers())
    );
    println!(
        "came the next day, valid at all times, the end  {}",
        holds(&|e| e.comes_anytime.covers())
    );
    println!(
        "  the same, after every single decision         {}",
        holds(&|e| e.always)
    );
    println!(
        "messages the next day, WCLS                     {}",
        holds(&|e| e.messages.covers())
    );
    println!(
        "came the day before, WCLS (truth 0)             {}",
        holds(&|e| e.came_before.covers())
    );
    println!(
        "intervals without 0: WCLS {}, valid at all times {}",
        holds(&|e| !e.comes.interval.contains(0.0)),
        holds(&|e| !e.comes_anytime.interval.contains(0.0))
    );
    let mean = |of: &dyn Fn(&Estimates) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
    println!(
        "mean estimate less truth: came {:+.4}, messages {:+.4}",
        mean(&|e| e.comes.estimate - e.comes.truth),
        mean(&|e| e.messages.estimate - e.messages.truth)
    );
    Ok(())
}
