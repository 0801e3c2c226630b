//! The page of a run of kind `clusters`.

use driftlead_report::Chart;
use driftlead_sim::feed::numbers::{Numbers, Weekly};
use driftlead_sim::feed::sums::Estimate;

use super::page::{self, bars};
use crate::number::thousands;

/// The page.
pub(super) fn page(lead: &str, contents: &[&str], n: &Numbers) -> String {
    let mut charts = vec![
        course("Reaction", "Mean reaction per place.", n, |w| w.reaction),
        course(
            "Welfare",
            "Mean welfare per place, standard of the start.",
            n,
            |w| w.welfare,
        ),
        course(
            "Hooked",
            "Share of places that met a hooked person.",
            n,
            |w| w.hooked,
        ),
        course(
            "Displacement",
            "Mean displacement at the end of a week.",
            n,
            |w| w.displacement,
        ),
    ];
    let who = format!("all {} people", thousands(n.people));
    charts.extend(page::histograms(contents, &n.policy, &who, "week"));
    if let Some(ends) = &n.ends {
        let sentence =
            "What the first people were shown in the last week, by three groups of contents.";
        charts.push(page::ends(ends, sentence));
    }
    lock_in(&mut charts, n);
    if !n.phase.is_empty() {
        charts.push(page::phase(&n.phase, "their own best"));
    }
    charts.push(page::front(
        &n.front,
        "reaction per place",
        "welfare per place",
    ));
    page::render(lead, &charts)
}

fn lock_in(charts: &mut Vec<Chart>, n: &Numbers) {
    let l = &n.lock_in;
    charts.push(bars(
        "Two people end with different contents",
        "D = H + C + E: what people bring, luck with nobody sensitised, what sensitisation adds.",
        &[
            ("D: all", l.dispersion),
            ("H: people", l.heterogeneity),
            ("C: luck", l.commitment),
            ("E: sensitisation", l.sensitisation),
        ],
    ));
    charts.push(bars(
        "Locked people",
        "Share of all people with more than 90 % of one content, then parts of the locked.",
        &[
            ("Locked, of all people", l.locked),
            ("At their own best", l.to_own_best),
            ("Elsewhere by luck", l.by_luck),
            ("Elsewhere by sensitisation", l.by_sensitisation),
            ("Elsewhere by both", l.by_both),
        ],
    ));
}

fn course(title: &str, sentence: &str, n: &Numbers, of: fn(&Weekly) -> Estimate) -> Chart {
    page::course(title, sentence, n.weekly.iter().map(of))
}
