//! How often the intervals are wrong, and what a history like this one can show.

use driftlead_drift::Course;

use crate::coverage::active_weeks;
use crate::figure::Table;
use crate::html::Html;
use crate::num::{decimals, difference_unit, factor, percent, sig3};
use crate::strings;

/// Writes the calibration box of a course.
pub(crate) fn write(h: &mut Html, course: &Course) {
    h.el("section", &[("class", "box")], |h| {
        h.leaf("h3", &[], strings::CALIBRATION);
        let wrong = percent(course.alpha);
        let text = strings::calibration(active_weeks(&course.coverage), course.family, &wrong);
        h.leaf("p", &[], &text);
        h.leaf("p", &[], strings::VISIBLE);
        h.el("div", &[("class", "scroll")], |h| table(course).write(h));
    });
}

fn table(course: &Course) -> Table {
    let or_dash = |x: Option<f64>| x.map_or_else(|| strings::NO_VALUE.to_owned(), sig3);
    let fixed = |x: Option<f64>| {
        x.filter(|x| x.is_finite())
            .map_or_else(|| strings::NO_VALUE.to_owned(), |x| decimals(x, 2))
    };
    let rows = course.lines.iter().map(|l| {
        let (v, k) = (&l.verdict, factor(&l.series));
        let natural = v.smallest_visible.map_or_else(
            || strings::NO_VALUE.to_owned(),
            |x| strings::with_unit(&sig3(x * k), difference_unit(&l.series)),
        );
        vec![
            strings::capital(l.series.name),
            v.weeks.to_string(),
            or_dash(v.noise.map(|n| n.sd * k)),
            fixed(v.noise.map(|n| n.phi)),
            fixed(v.noise.map(|n| n.phi_high)),
            natural,
            or_dash(v.smallest_visible_sd),
        ]
    });
    Table {
        caption: strings::CALIBRATION_CAPTION.to_owned(),
        head: strings::CALIBRATION_HEAD
            .iter()
            .map(|s| (*s).to_owned())
            .collect(),
        rows: rows.collect(),
    }
}
