//! Many people side by side: lines of some of them under quantiles of all, never a mean line alone.

use std::collections::BTreeMap;

use driftlead_record::Week;

use crate::figure::{Figure, Table};
use crate::forest::{Forest, Row};
use crate::html::Html;
use crate::input::{Cohort, CohortRow};
use crate::num::{count, decimals, interval_text, percent};
use crate::plot::{Calendar, Path, Scale, label, months, rule};
use crate::{seeded, strings};

/// People whose lines are drawn.
const DRAWN: usize = 60;
const WIDTH: u32 = 400;
const HEIGHT: u32 = 190;
const LEFT: f64 = 32.0;
const RIGHT: f64 = 394.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 166.0;

/// Writes the cohort block.
pub(crate) fn write(h: &mut Html, cohort: &Cohort, mark: Option<&str>) {
    h.el("section", &[("class", "cohort")], |h| {
        h.leaf("h2", &[], strings::COHORT);
        h.leaf(
            "p",
            &[],
            &strings::cohort_text(&count(u64::from(cohort.people))),
        );
        let rows = cohort.rows.iter().map(|r| Row {
            name: strings::capital(&r.name),
            glyph: None,
            interval: r.mean,
            class: if r.planted.is_some() {
                "planted"
            } else {
                "unchanged"
            },
        });
        let forest = Forest {
            title: strings::COHORT_MEANS,
            sentence: strings::COHORT_MEANS_SENTENCE,
            label: mark,
            delta: cohort.delta_sd,
            rows: rows.collect(),
        };
        h.leaf("h3", &[], strings::COHORT_MEANS);
        h.el("p", &[("class", "key")], key);
        forest.draw(h, &table(cohort));
        histories(h, cohort);
        people(h, cohort, mark);
    });
}

/// The cohort in one sentence.
pub(crate) fn sentence(cohort: &Cohort) -> String {
    let histories: f64 = cohort.rows.iter().map(|r| f64::from(r.people)).sum();
    let unsure: f64 = cohort
        .rows
        .iter()
        .map(|r| r.shares.cannot_tell * f64::from(r.people))
        .sum();
    let apart = cohort
        .rows
        .iter()
        .filter(|r| r.mean.low > 0.0 || r.mean.high < 0.0)
        .count();
    let share = percent(unsure / histories);
    strings::cohort_sentence(cohort.people, &share, apart, cohort.rows.len())
}

fn key(h: &mut Html) {
    for (class, text) in [
        ("sw planted", strings::PLANTED),
        ("sw unchanged", strings::UNCHANGED),
    ] {
        h.leaf("span", &[("class", class), ("aria-hidden", "true")], "●");
        h.text(text);
    }
}

/// What single histories of the cohort say: most cannot tell, and that is printed first.
fn histories(h: &mut Html, cohort: &Cohort) {
    h.leaf("h3", &[], strings::SINGLE_HISTORIES);
    h.el("div", &[("class", "scroll")], |h| {
        let rows = cohort.rows.iter().map(|r| {
            vec![
                strings::capital(&r.name),
                group(r),
                count(u64::from(r.people)),
                percent(r.shares.cannot_tell),
                percent(r.shares.no_movement),
                percent(r.shares.moved),
            ]
        });
        let table = Table {
            caption: strings::SINGLE_CAPTION.to_owned(),
            head: strings::SINGLE_HEAD
                .iter()
                .map(|s| (*s).to_owned())
                .collect(),
            rows: rows.collect(),
        };
        table.write(h);
    });
}

fn group(row: &CohortRow) -> String {
    row.planted
        .clone()
        .unwrap_or_else(|| strings::UNCHANGED.to_owned())
}

fn table(cohort: &Cohort) -> Table {
    let rows = cohort.rows.iter().map(|r| {
        let people = count(u64::from(r.people));
        let mean = interval_text(r.mean.estimate, r.mean.low, r.mean.high);
        vec![strings::capital(&r.name), group(r), people, mean]
    });
    Table {
        caption: strings::COHORT_MEANS.to_owned(),
        head: strings::COHORT_HEAD
            .iter()
            .map(|s| (*s).to_owned())
            .collect(),
        rows: rows.collect(),
    }
}

fn people(h: &mut Html, cohort: &Cohort, mark: Option<&str>) {
    if cohort.rows.iter().all(|r| quantiles(r).is_empty()) {
        return;
    }
    h.leaf("h3", &[], strings::PEOPLE);
    h.leaf("p", &[("class", "key")], strings::PEOPLE_KEY);
    h.el("div", &[("class", "panels pairs")], |h| {
        for row in &cohort.rows {
            let of_name: Vec<Vec<Quantiles>> = cohort
                .rows
                .iter()
                .filter(|r| r.name == row.name)
                .map(quantiles)
                .collect();
            let quantiles = quantiles(row);
            if let (Some(first), Some(last)) = (quantiles.first(), quantiles.last()) {
                let calendar = Calendar::new(first.week, last.week, LEFT, RIGHT);
                let y = Scale::new(reach(&of_name), (BOTTOM, TOP));
                People {
                    row,
                    quantiles: &quantiles,
                    calendar,
                    y,
                    seed: cohort.seed,
                    mark,
                }
                .write(h);
            }
        }
    });
}

/// The same scale for all groups of one count: the widest 90 % band and half as much again.
fn reach(groups: &[Vec<Quantiles>]) -> (f64, f64) {
    let all = groups.iter().flatten();
    let (low, high) = all.fold((-1.0f64, 1.0f64), |(l, h), q| {
        (l.min(q.low90), h.max(q.high90))
    });
    let room = (high - low) * 0.25;
    (low - room, high + room)
}

/// Quantiles over people in one week, own SDs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quantiles {
    week: Week,
    people: usize,
    low90: f64,
    low50: f64,
    middle: f64,
    high50: f64,
    high90: f64,
}

fn quantiles(row: &CohortRow) -> Vec<Quantiles> {
    let mut weeks = BTreeMap::<Week, Vec<f64>>::new();
    for (week, value) in row
        .lines
        .iter()
        .flat_map(|l| &l.0)
        .filter(|(_, v)| v.is_finite())
    {
        weeks.entry(*week).or_default().push(*value);
    }
    let of_week = |(week, mut values): (Week, Vec<f64>)| {
        values.sort_by(f64::total_cmp);
        let q = |p| quantile(&values, p);
        Quantiles {
            week,
            people: values.len(),
            low90: q(0.05),
            low50: q(0.25),
            middle: q(0.5),
            high50: q(0.75),
            high90: q(0.95),
        }
    };
    weeks.into_iter().map(of_week).collect()
}

/// Quantile of sorted values by linear interpolation (Hyndman & Fan 1996, type 7).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * sorted.len().saturating_sub(1) as f64;
    let get = |i: f64| sorted.get(i as usize).copied().unwrap_or(f64::NAN);
    let (below, above) = (get(at.floor()), get(at.ceil()));
    below + (above - below) * at.fract()
}

struct People<'a> {
    row: &'a CohortRow,
    quantiles: &'a [Quantiles],
    calendar: Calendar,
    y: Scale,
    seed: u64,
    mark: Option<&'a str>,
}

impl People<'_> {
    fn write(&self, h: &mut Html) {
        let name = strings::capital(&self.row.name);
        let group = group(self.row);
        h.el("article", &[("class", "panel two")], |h| {
            h.el("header", &[], |h| {
                h.leaf("h4", &[], &name);
                h.leaf(
                    "p",
                    &[("class", "unit")],
                    &strings::group_line(&group, self.row.people),
                );
            });
            let figure = Figure {
                title: &name,
                sentence: &strings::people_sentence(&name, &group, self.row.people),
                width: WIDTH,
                height: HEIGHT,
                label: self.mark,
            };
            figure.draw(h, &self.table(&name), |h| self.plot(h));
        });
    }

    fn plot(&self, h: &mut Html) {
        let class = if self.row.planted.is_some() {
            "planted"
        } else {
            "unchanged"
        };
        self.band(h, &format!("q90 {class}"), |q| (q.low90, q.high90));
        self.band(h, &format!("q50 {class}"), |q| (q.low50, q.high50));
        for (value, text) in self.y.ticks(5) {
            let at = self.y.at(value);
            rule(
                h,
                if value == 0.0 { "zero" } else { "grid" },
                (LEFT, at),
                (RIGHT, at),
            );
            label(h, LEFT - 5.0, at + 3.5, "e", &text);
        }
        self.lines(h, &format!("person {class}"));
        rule(h, "axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
        months(h, &self.calendar, BOTTOM);
    }

    fn band(&self, h: &mut Html, class: &str, ends: impl Fn(&Quantiles) -> (f64, f64)) {
        let mut path = Path::default();
        for run in self.quantiles.chunk_by(|a, b| b.week.0 - a.week.0 == 1) {
            let top = run
                .iter()
                .map(|q| (self.calendar.mid(q.week), self.y.at(ends(q).1)));
            let bottom = run
                .iter()
                .rev()
                .map(|q| (self.calendar.mid(q.week), self.y.at(ends(q).0)));
            path.polyline(top.chain(bottom));
            path.close();
        }
        path.draw(h, class);
    }

    fn lines(&self, h: &mut Html, class: &str) {
        let chosen = seeded::sample(self.seed, &self.row.name, self.row.lines.len(), DRAWN);
        let mut path = Path::default();
        for line in chosen.iter().filter_map(|i| self.row.lines.get(*i)) {
            for run in line.0.chunk_by(|a, b| b.0.0 - a.0.0 == 1) {
                path.polyline(
                    run.iter()
                        .map(|(w, v)| (self.calendar.mid(*w), self.y.at(*v))),
                );
            }
        }
        path.draw(h, class);
    }

    fn table(&self, name: &str) -> Table {
        let rows = self.quantiles.iter().map(|q| {
            let values = [q.low90, q.low50, q.middle, q.high50, q.high90];
            let cells = values.iter().map(|v| decimals(*v, 2));
            [q.week.date(), count(q.people as u64)]
                .into_iter()
                .chain(cells)
                .collect()
        });
        Table {
            caption: strings::quantile_caption(name),
            head: strings::QUANTILE_HEAD
                .iter()
                .map(|s| (*s).to_owned())
                .collect(),
            rows: rows.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.5);
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.25), 1.5);
        assert_eq!(quantile(&[7.0], 0.95), 7.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
