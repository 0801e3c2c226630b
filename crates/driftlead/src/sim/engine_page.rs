//! The page of a run of kind `mirror` or `mirror4`.

use driftlead_report::{Chart, ChartKind};
use driftlead_sim::engine::{Sample, Totals};

use super::feed::{Found, Step};
use super::page;
use crate::number::thousands;

/// Steps that a course draws, at most.
const DRAWN: usize = 240;

/// The page.
pub(super) fn page(lead: &str, found: &Found<'_>, sample: &Sample) -> String {
    let mut charts = vec![course("Reaction", "Mean reaction at a step.", found, |s| {
        s.mean_reaction
    })];
    for (i, state) in found.states.iter().enumerate() {
        let sentence = format!("Share of people who are {state} after a step.");
        let of = |s: &Step| s.states.get(i).copied().unwrap_or(0.0);
        charts.push(course(&capital(state), &sentence, found, of));
    }
    let who = match sample.people == found.totals.people {
        true => format!("all {} people", thousands(sample.people)),
        false => format!(
            "{} people spread evenly over the population",
            thousands(sample.people)
        ),
    };
    charts.extend(page::histograms(
        found.contents,
        &sample.policy,
        &who,
        "steps done",
    ));
    if let Some(ends) = &sample.ends {
        let sentence = "Policy after the last step, in the state that a person is in then.";
        charts.push(page::ends(ends, sentence));
    }
    charts.push(locked(found));
    page::render(lead, &charts)
}

fn course(title: &str, sentence: &str, found: &Found<'_>, of: impl Fn(&Step) -> f64) -> Chart {
    let every = found.steps.len().div_ceil(DRAWN).max(1);
    let last = found.steps.len();
    let drawn = (found.steps.iter()).filter(|s| (s.step - 1) % every == 0 || s.step == last);
    let people = thousands(found.totals.people);
    Chart {
        title: title.to_owned(),
        sentence: format!("{sentence} All {people} people."),
        kind: ChartKind::Course {
            unit: "step".to_owned(),
            points: drawn.map(|s| (s.step as f64, of(s), 0.0)).collect(),
        },
    }
}

/// Shares of people with their binomial standard errors.
fn locked(found: &Found<'_>) -> Chart {
    let n = found.totals.people.max(1) as f64;
    let row = |name: String, p: f64| (name, p, (p * (1.0 - p) / n).sqrt());
    let totals: &Totals = found.totals;
    let mut rows = Vec::new();
    for (i, policy) in found.policies.iter().enumerate() {
        let of = match policy.state {
            "all" => "Locked".to_owned(),
            state => format!("Locked when {state}"),
        };
        rows.push(row(of, totals.locked(i)));
        if let Some(wrong) = policy.locked_to_less_reaction {
            rows.push(row("to what they react to less".to_owned(), wrong));
        }
    }
    Chart {
        title: "Locked people".to_owned(),
        sentence: "Share of all people with more than 90 % of one content in their policy after the last \
                   step. Those who are locked to what they react to less are there by luck alone: people \
                   are not sensitised here. Lines are one standard error."
            .to_owned(),
        kind: ChartKind::Bars(rows),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
