//! The figures that kinds of scenarios share, and the page around them.

use driftlead_report::{Chart, ChartKind, Heat, Simulation, Triangle, simulation};
use driftlead_sim::feed::numbers::{Jackknifed, Point, PolicyAt};
use driftlead_sim::feed::phase::Cell;
use driftlead_sim::feed::simplex::Simplex;
use driftlead_sim::feed::sums::Estimate;

use super::LABEL;
use crate::VERSION;
use crate::number::thousands;

/// Share of people at which a phase diagram draws its line.
const LINE: f64 = 0.05;

/// A page of these figures.
pub(super) fn render(lead: &str, charts: &[Chart]) -> String {
    titled("A feed that learns from each person", lead, charts)
}

/// The same under another title.
pub(super) fn titled(title: &str, lead: &str, charts: &[Chart]) -> String {
    simulation(&Simulation {
        title,
        version: VERSION,
        label: LABEL,
        lead,
        charts,
    })
}

/// A mean over weeks with its band.
pub(super) fn course(title: &str, sentence: &str, means: impl Iterator<Item = Estimate>) -> Chart {
    let point = |(week, e): (u32, Estimate)| (f64::from(week), e.mean, e.se.unwrap_or(0.0));
    Chart {
        title: title.to_owned(),
        sentence: format!("{sentence} The band is two standard errors."),
        kind: ChartKind::Course {
            unit: "week".to_owned(),
            points: (1..).zip(means).map(point).collect(),
        },
    }
}

/// Values with their standard errors.
pub(super) fn bars(title: &str, sentence: &str, rows: &[(&str, Jackknifed)]) -> Chart {
    let row = |(name, j): &(&str, Jackknifed)| ((*name).to_owned(), j.value, j.se);
    Chart {
        title: title.to_owned(),
        sentence: format!("{sentence} Lines are one standard error."),
        kind: ChartKind::Bars(rows.iter().map(row).collect()),
    }
}

/// People by the probability of each content over time, one figure per content. `who` says which
/// people, `when` the unit of the times.
pub(super) fn histograms(names: &[&str], policy: &[PolicyAt], who: &str, when: &str) -> Vec<Chart> {
    let of = |(j, name): (usize, &&str)| {
        let columns: Vec<&Vec<u64>> = policy.iter().filter_map(|p| p.contents.get(j)).collect();
        let bins = columns.first().map_or(0, |c| c.len());
        let share = |column: &&Vec<u64>, bin: usize| {
            let all: u64 = column.iter().sum();
            let n = column.get(bin).copied().unwrap_or(0);
            if all > 0 { n as f64 / all as f64 } else { 0.0 }
        };
        let edge = |bin: usize| 100 * bin / bins.max(1);
        let quarter = (bins / 4).max(1);
        let rows = (0..=bins).map(|b| match b % quarter {
            0 => format!("{} %", edge(b)),
            _ => String::new(),
        });
        let cells = |bin: usize| columns.iter().map(|c| (share(c, bin), 0.0)).collect();
        Chart {
            title: format!("How likely people are shown {name}"),
            sentence: format!(
                "Share of people by their probability of {name}, at several times; each column adds up \
                 to 100 % of {who}. A stronger colour is more people, by the root of the share."
            ),
            kind: ChartKind::Heat(Heat {
                x: when.to_owned(),
                columns: policy.iter().map(|p| thousands(p.at as u64)).collect(),
                y: format!("probability of {name}"),
                rows: rows.collect(),
                table_rows: (0..bins)
                    .map(|b| format!("{} to {} %", edge(b), edge(b + 1)))
                    .collect(),
                cells: (0..bins).map(cells).collect(),
                line: None,
            }),
        }
    };
    names.iter().enumerate().map(of).collect()
}

/// Where people end among three groups.
pub(super) fn ends(ends: &Simplex, sentence: &str) -> Chart {
    let all = ends.people.max(1) as f64;
    let cells = ends.cells.iter();
    Chart {
        title: "Where people end".to_owned(),
        sentence: format!(
            "{sentence} {} people; a corner is all of one, the middle a third of each. A stronger colour \
             is more people, by the root of the share.",
            thousands(ends.people)
        ),
        kind: ChartKind::Triangle(Triangle {
            corners: ends.corners.clone(),
            side: ends.side,
            cells: cells
                .map(|c| (c.least, c.turned, c.people as f64 / all))
                .collect(),
        }),
    }
}

/// Ways to run the system by two numbers.
pub(super) fn front(points: &[Point], x: &str, y: &str) -> Chart {
    let point = |p: &Point| (p.arm.clone(), p.reaction, p.welfare, p.on_front);
    Chart {
        title: "Welfare against reaction".to_owned(),
        sentence:
            "Ways to run the system on the same people with the same luck, means of the last week; \
                   joined where no other way has more of both."
                .to_owned(),
        kind: ChartKind::Points {
            x: x.to_owned(),
            y: y.to_owned(),
            points: points.iter().map(point).collect(),
        },
    }
}

/// A phase diagram over step size and sensitisation.
pub(super) fn phase(cells: &[Cell], best: &str) -> Chart {
    let rows: Vec<&[Cell]> = cells.chunk_by(|a, b| a.alpha == b.alpha).collect();
    let alphas = || {
        rows.iter()
            .filter_map(|r| r.first())
            .map(|c| c.alpha.to_string())
    };
    let first = rows.first().copied().unwrap_or(&[]);
    let of = |c: &Cell| (c.elsewhere.mean, c.elsewhere.se.unwrap_or(0.0));
    Chart {
        title: "Who ends elsewhere: step size by sensitisation".to_owned(),
        sentence: format!(
            "Share of people who end at another content than {best}, for each pair; the same people with \
             the same luck in each cell. The line is at {:.0} %; standard errors are in the table.",
            100.0 * LINE
        ),
        kind: ChartKind::Heat(Heat {
            x: "sensitisation eta: part of the way to the cap per exposure".to_owned(),
            columns: first.iter().map(|c| c.eta.to_string()).collect(),
            y: "step size alpha".to_owned(),
            rows: alphas().collect(),
            table_rows: alphas().collect(),
            cells: (rows.iter())
                .map(|row| row.iter().map(of).collect())
                .collect(),
            line: Some(LINE),
        }),
    }
}
