//! The page of a run of kind `catalogue`.

use driftlead_report::{Chart, ChartKind};
use driftlead_sim::feed::catalogue::numbers::{Numbers, Parts, THIRDS, Weekly};
use driftlead_sim::feed::numbers::Point;
use driftlead_sim::feed::sums::Estimate;

use super::page;

/// The page.
pub(super) fn page(lead: &str, n: &Numbers) -> String {
    let weekly = n.arms.first().map_or(&[][..], |a| a.weekly.as_slice());
    let course = |title: &str, sentence: &str, of: fn(&Weekly) -> Estimate| {
        page::course(title, sentence, weekly.iter().map(of))
    };
    let mut charts = vec![
        course("Reaction", "Mean reaction per place for an item.", |w| {
            w.reaction
        }),
        course(
            "Welfare",
            "Mean worth on reflection per place for an item.",
            |w| w.welfare,
        ),
        course(
            "Moved",
            "1 − cosine of a person's vector to their first one, mean over people.",
            |w| w.moved,
        ),
        course(
            "Toward what was shown",
            "Change of the cosine to all that was shown so far; below 0 is away from it.",
            |w| w.toward,
        ),
    ];
    charts.extend(page::histograms(
        &THIRDS,
        &n.policy,
        "all people; thirds of the items by their worth to the person",
        "week",
    ));
    charts.push(page::ends(
        &n.ends,
        "What people were shown in the last week, by what the items are worth to them.",
    ));
    if let Some(parts) = &n.parts {
        charts.push(apart(parts));
    }
    charts.push(front(&n.front));
    page::render(lead, &charts)
}

fn apart(p: &Parts) -> Chart {
    let row = |name: &str, e: &Estimate| (name.to_owned(), e.mean, e.se.unwrap_or(0.0));
    Chart {
        title: "Two people are shown different items".to_owned(),
        sentence:
            "D = H + C + E: part of the last week that two people do not share; what people bring, \
                   luck with nobody moved, what being moved adds. Lines are one standard error."
                .to_owned(),
        kind: ChartKind::Bars(vec![
            row("D: all", &p.dispersion),
            row("H: people", &p.heterogeneity),
            row("C: luck", &p.commitment),
            row("E: being moved", &p.moved),
        ]),
    }
}

fn front(points: &[Point]) -> Chart {
    page::front(points, "reaction per place", "welfare per place")
}
