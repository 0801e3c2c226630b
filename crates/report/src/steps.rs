//! Level shifts in the weeks in which the system version changed.

use driftlead_drift::{Course, Step};
use driftlead_metrics::Series;

use crate::coverage::version_changes;
use crate::figure::Table;
use crate::forest::{Forest, Row};
use crate::html::Html;
use crate::input::Interval;
use crate::num::{difference_unit, factor, interval_text};
use crate::strings;

/// Rows in the figure; the table holds all.
const SHOWN: usize = 24;

/// Writes the steps of a course.
pub(crate) fn write(h: &mut Html, course: &Course, mark: Option<&str>) {
    h.leaf("h3", &[], strings::STEPS);
    let mut all: Vec<(&Series, &Step)> = course
        .lines
        .iter()
        .flat_map(|l| l.verdict.steps.iter().map(|s| (&l.series, s)))
        .collect();
    if all.is_empty() {
        h.leaf("p", &[], strings::NO_STEPS);
        return;
    }
    all.sort_by(|a, b| {
        let size = |s: &Step| s.change.estimate_sd.abs();
        (b.1.moved.cmp(&a.1.moved)).then(size(b.1).total_cmp(&size(a.1)))
    });
    let moved = all.iter().filter(|(_, s)| s.moved).count();
    let sentence = strings::steps_sentence(all.len(), moved);
    h.leaf("p", &[], &sentence);
    let events = version_changes(&course.coverage.weeks);
    let event = |step: &Step| events.iter().position(|w| *w == step.week);
    let rows = all.iter().take(SHOWN).map(|(series, step)| Row {
        name: strings::step_name(event(step), series.name),
        glyph: Some(if step.moved { '▲' } else { '?' }),
        interval: sd(step),
        class: if step.moved { "strong" } else { "weak" },
    });
    let forest = Forest {
        title: strings::STEPS,
        sentence: &sentence,
        label: mark,
        delta: course.delta_sd,
        rows: rows.collect(),
    };
    forest.draw(h, &table(&all, event));
}

fn sd(step: &Step) -> Interval {
    let c = &step.change;
    Interval {
        estimate: c.estimate_sd,
        low: c.low_sd,
        high: c.high_sd,
    }
}

fn table(steps: &[(&Series, &Step)], event: impl Fn(&Step) -> Option<usize>) -> Table {
    let rows = steps.iter().map(|(series, step)| {
        let (c, k) = (&step.change, factor(series));
        let natural = interval_text(c.estimate * k, c.low * k, c.high * k);
        vec![
            strings::capital(series.name),
            strings::coincided(event(step), &step.from, &step.to, &step.week.date()),
            strings::with_unit(&natural, difference_unit(series)),
            interval_text(c.estimate_sd, c.low_sd, c.high_sd),
            strings::step_word(step.moved).to_owned(),
        ]
    });
    Table {
        caption: strings::STEPS.to_owned(),
        head: strings::STEPS_HEAD
            .iter()
            .map(|s| (*s).to_owned())
            .collect(),
        rows: rows.collect(),
    }
}
