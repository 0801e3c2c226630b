//! The page of a run of kind `clusters`.

use driftlead_report::{Chart, ChartKind, Simulation, simulation};
use driftlead_sim::feed::numbers::{Jackknifed, Numbers, Weekly};
use driftlead_sim::feed::sums::Estimate;

use super::LABEL;
use crate::VERSION;

/// The page.
pub(super) fn page(lead: &str, n: &Numbers) -> String {
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
    let points = n.front.iter();
    charts.push(Chart {
        title: "Welfare against reaction".to_owned(),
        sentence:
            "Ways to run the system on the same people with the same luck, last week; joined \
                   where no other way has more of both."
                .to_owned(),
        kind: ChartKind::Points {
            x: "reaction per place".to_owned(),
            y: "welfare per place".to_owned(),
            points: points
                .map(|p| (p.arm.clone(), p.reaction, p.welfare, p.on_front))
                .collect(),
        },
    });
    simulation(&Simulation {
        title: "A feed that learns from each person",
        version: VERSION,
        label: LABEL,
        lead,
        charts: &charts,
    })
}

fn course(title: &str, sentence: &str, n: &Numbers, of: fn(&Weekly) -> Estimate) -> Chart {
    let mean = |w: &Weekly| {
        let e = of(w);
        (e.mean, e.se.unwrap_or(0.0))
    };
    Chart {
        title: title.to_owned(),
        sentence: format!("{sentence} The band is two standard errors."),
        kind: ChartKind::Course(n.weekly.iter().map(mean).collect()),
    }
}

fn bars(title: &str, sentence: &str, rows: &[(&str, Jackknifed)]) -> Chart {
    let row = |(name, j): &(&str, Jackknifed)| ((*name).to_owned(), j.value, j.se);
    Chart {
        title: title.to_owned(),
        sentence: format!("{sentence} Lines are one standard error."),
        kind: ChartKind::Bars(rows.iter().map(row).collect()),
    }
}
