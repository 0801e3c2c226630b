//! All changes of a course on one scale.

use driftlead_drift::{Course, Word};

use crate::figure::Table;
use crate::forest::{Forest, Row};
use crate::html::Html;
use crate::input::Interval;
use crate::num::{difference_unit, factor, interval_text};
use crate::strings;

/// Writes the figure, unless no change could be estimated.
pub(crate) fn write(h: &mut Html, course: &Course, mark: Option<&str>) {
    let rows: Vec<Row> = course
        .lines
        .iter()
        .filter_map(|l| {
            let c = l.verdict.change.as_ref()?;
            let word = l.verdict.word;
            Some(Row {
                name: strings::capital(l.series.name),
                glyph: Some(word.glyph()),
                interval: Interval {
                    estimate: c.estimate_sd,
                    low: c.low_sd,
                    high: c.high_sd,
                },
                class: if word == Word::Moved {
                    "strong"
                } else {
                    "weak"
                },
            })
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    let forest = Forest {
        title: strings::OVERVIEW,
        sentence: strings::OVERVIEW_SENTENCE,
        label: mark,
        delta: course.delta_sd,
        rows,
    };
    forest.draw(h, &table(course));
}

fn table(course: &Course) -> Table {
    let rows = course.lines.iter().map(|l| {
        let k = factor(&l.series);
        let (natural, own) = l.verdict.change.as_ref().map_or_else(
            || (strings::NO_VALUE.to_owned(), strings::NO_VALUE.to_owned()),
            |c| {
                let natural = interval_text(c.estimate * k, c.low * k, c.high * k);
                let own = interval_text(c.estimate_sd, c.low_sd, c.high_sd);
                (
                    strings::with_unit(&natural, difference_unit(&l.series)),
                    own,
                )
            },
        );
        let word = l.verdict.word;
        let shown = format!("{} {}", word.glyph(), word.label(course.delta_sd));
        vec![strings::capital(l.series.name), shown, natural, own]
    });
    Table {
        caption: strings::OVERVIEW.to_owned(),
        head: strings::OVERVIEW_HEAD
            .iter()
            .map(|s| (*s).to_owned())
            .collect(),
        rows: rows.collect(),
    }
}
