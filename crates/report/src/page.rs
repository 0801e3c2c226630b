//! The page as a whole: its order is fixed (one sentence first, methods last).

use driftlead_drift::Course;

use crate::html::Html;
use crate::input::Page;
use crate::{calibration, cohort, coverage, lineup, notes, overview, series, steps, strings};

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Renders a page: one self-contained HTML file, a pure function of its input.
///
/// The page holds no script and asks for nothing from elsewhere. Names from the input are escaped.
pub fn page(input: &Page<'_>) -> String {
    document(input.title, |h| body(h, input))
}

/// A whole file around a body.
pub(crate) fn document(title: &str, body: impl FnOnce(&mut Html)) -> String {
    let mut h = Html::default();
    h.fixed("<!doctype html>\n");
    h.el("html", &[("lang", "en")], |h| {
        head(h, title);
        h.el("body", &[], body);
    });
    h.line();
    h.finish()
}

fn head(h: &mut Html, title: &str) {
    h.el("head", &[], |h| {
        h.empty("meta", &[("charset", "utf-8")]);
        h.empty(
            "meta",
            &[
                ("http-equiv", "Content-Security-Policy"),
                ("content", POLICY),
            ],
        );
        h.empty(
            "meta",
            &[
                ("name", "viewport"),
                ("content", "width=device-width, initial-scale=1"),
            ],
        );
        h.empty(
            "meta",
            &[("name", "color-scheme"), ("content", "light dark")],
        );
        h.empty("meta", &[("name", "referrer"), ("content", "no-referrer")]);
        h.leaf("title", &[], title);
        h.el("style", &[], |h| h.fixed(include_str!("page.css")));
    });
    h.line();
}

fn body(h: &mut Html, input: &Page<'_>) {
    h.el("main", &[], |h| {
        h.el("header", &[("class", "top")], |h| {
            h.el("h1", &[], |h| h.name(input.title));
            if let Some(label) = input.label {
                h.leaf("p", &[("class", "stamp")], label);
            }
            for course in input.courses {
                h.leaf("p", &[("class", "lead")], &sentence(course));
            }
            if let Some(cohort) = input.cohort {
                h.leaf("p", &[("class", "lead")], &cohort::sentence(cohort));
            }
        });
        if let Some(import) = &input.import {
            coverage::write_import(h, import);
        }
        for course in input.courses {
            section(h, course, input.label);
        }
        if let Some(cohort) = input.cohort {
            cohort::write(h, cohort, input.label);
        }
        notes::write_limits(h, input.courses);
        notes::write_cards(h, input.cards);
        h.leaf("footer", &[], &strings::generated_by(input.version));
    });
}

fn sentence(course: &Course) -> String {
    let words: Vec<_> = course.lines.iter().map(|l| l.verdict.word).collect();
    let active = coverage::active_weeks(&course.coverage);
    strings::first_sentence(&course.deployment, active, &words, course.delta_sd)
}

fn section(h: &mut Html, course: &Course, label: Option<&str>) {
    h.el("section", &[("class", "course")], |h| {
        h.el("h2", &[], |h| h.name(&course.deployment));
        coverage::write(h, &course.coverage, label);
        h.leaf("h3", &[], strings::COUNTS);
        h.leaf("p", &[("class", "key")], strings::COUNTS_KEY);
        overview::write(h, course, label);
        series::write(h, course, label);
        steps::write(h, course, label);
        calibration::write(h, course);
        lineup::write(h, course, label);
    });
    h.line();
}
