//! The page of a scenario of kind `opinion`.

use driftlead_report::{Chart, ChartKind};
use driftlead_sim::feed::opinion::numbers::{Course, Look, MEASURES};

use super::page;

/// Measures whose course is drawn: name, title and what it is.
const COURSES: [(&str, &str, &str); 6] = [
    (
        "variance",
        "How far apart positions are",
        "Variance of positions.",
    ),
    (
        "mean_abs",
        "How far from the middle",
        "Mean distance of a position from the middle of the scale.",
    ),
    (
        "bimodality",
        "Two groups or one",
        "Bimodality coefficient; two modes are usual above 0.556.",
    ),
    (
        "agreement",
        "Agreement",
        "Van der Eijk's A: 1 is all in one category, −1 two equal groups at the ends.",
    ),
    (
        "from_start",
        "How far people have moved",
        "Mean distance of a person from where they started.",
    ),
    (
        "jaccard",
        "How much two people share",
        "Jaccard index of what two people were shown since the look before.",
    ),
];

/// Measures that the arms are held against each other in.
const ARMS: [(&str, &str); 4] = [
    ("variance", "Variance of positions at the end, by arm"),
    ("from_start", "Distance from the start at the end, by arm"),
    (
        "from_natural",
        "Distance from the same people's natural course, by arm",
    ),
    ("reaction", "Reaction per thing shown at the end, by arm"),
];

/// The figures: courses as it is, then every arm at the end, then the world's own numbers.
pub(super) fn page(lead: &str, arms: &[Course]) -> String {
    let mut charts: Vec<Chart> = Vec::new();
    if let Some(as_is) = arms.first() {
        let drawn = COURSES.iter().filter_map(|c| course(c, &as_is.looks));
        charts.extend(drawn);
    }
    let own = arms.first().and_then(|a| a.looks.last());
    let own = own.into_iter().flat_map(|look| &look.numbers);
    let own = own.filter(|n| !MEASURES.contains(&n.name) && n.name != "value");
    let own: Vec<(&str, String)> = own
        .map(|n| {
            (
                n.name,
                format!("{} at the end, by arm", n.name.replace('_', " ")),
            )
        })
        .collect();
    let named = ARMS.iter().map(|(key, title)| (*key, (*title).to_owned()));
    charts.extend(
        named
            .chain(own)
            .filter_map(|(key, title)| bars(key, title, arms)),
    );
    page::titled("A world of opinion and exposure", lead, &charts)
}

fn course((key, title, what): &(&str, &str, &str), looks: &[Look]) -> Option<Chart> {
    let points: Vec<(f64, f64, f64)> = looks
        .iter()
        .filter_map(|look| {
            let e = look.get(key)?;
            Some((f64::from(look.step), e.mean, e.se.unwrap_or(0.0)))
        })
        .collect();
    (points.len() > 1).then(|| Chart {
        title: (*title).to_owned(),
        sentence: format!("{what} As it is; the band is two standard errors over replicates."),
        kind: ChartKind::Course {
            unit: "step".to_owned(),
            points,
        },
    })
}

fn bars(key: &str, title: String, arms: &[Course]) -> Option<Chart> {
    let rows: Vec<(String, f64, f64)> = arms
        .iter()
        .filter_map(|arm| {
            let e = arm.looks.last()?.get(key)?;
            Some((arm.arm.to_owned(), e.mean, e.se.unwrap_or(0.0)))
        })
        .collect();
    (!rows.is_empty()).then(|| Chart {
        title,
        sentence: "The same people with the same luck; lines are one standard error over \
                   replicates."
            .to_owned(),
        kind: ChartKind::Bars(rows),
    })
}
