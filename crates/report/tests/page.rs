//! The promises of a page, held against rendered pages.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::expect_used)]

mod sample;

use driftlead_drift::{Course, Word};
use driftlead_record::{Accounting, Reason};
use driftlead_report::{CardText, Import, Page, Source, page};
use sample::{Plan, cards, cohort, course, plans};

const HOSTILE: &str =
    "</title><script>alert('x')</script>\"><img src=http://evil.example onerror=x>\u{202e}";

fn render(courses: &[Course], label: Option<&str>) -> String {
    let cards = cards();
    page(&Page {
        title: "Course of one person",
        version: "driftlead 0.1.0",
        label,
        courses,
        import: None,
        cards: &cards,
        cohort: Some(&cohort(80, 30)),
    })
}

fn full() -> String {
    render(&[course(60, &plans())], Some("synthetic data"))
}

/// Panics where a tag is not closed in order; returns the names of the elements.
fn elements(html: &str) -> Vec<String> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    let mut rest = html
        .strip_prefix("<!doctype html>\n")
        .expect("starts with the doctype");
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        assert!(!tag.contains('<'), "nested tag: {tag}");
        let name = tag
            .trim_matches('/')
            .split(' ')
            .next()
            .expect("a name")
            .to_owned();
        if tag.starts_with('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name.as_str()),
                "closed out of order"
            );
        } else {
            all.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "left open: {open:?}");
    all
}

#[test]
fn every_tag_is_closed() {
    let names = elements(&full());
    for name in ["svg", "table", "details", "dl", "figure"] {
        assert!(names.iter().any(|n| n == name), "{name} is missing");
    }
    for name in [
        "script", "img", "link", "iframe", "object", "form", "use", "image", "a",
    ] {
        assert!(!names.iter().any(|n| n == name), "{name} on the page");
    }
}

#[test]
fn nothing_is_asked_for_from_elsewhere() {
    let html = full();
    for word in [
        "http://",
        "https://",
        "url(",
        "@import",
        "src=",
        "href=",
        "onload",
        "javascript:",
    ] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(html.contains("default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"));
}

#[test]
fn every_figure_has_a_title_a_sentence_its_label_and_its_table() {
    let html = full();
    let figures: Vec<&str> = html.split("<figure>").skip(1).collect();
    assert_eq!(figures.len(), html.matches("<svg").count());
    for figure in figures {
        let figure = figure.split("</figure>").next().expect("closed");
        let (svg, after) = figure.split_once("</svg>").expect("an image");
        for part in [
            "role=\"img\"",
            "<title id=",
            "<desc id=",
            "aria-labelledby=",
            ">synthetic data</text>",
        ] {
            assert!(svg.contains(part), "{part} missing in {}", &svg[..200]);
        }
        let body = after.split("<tbody>").nth(1).expect("a table follows");
        assert!(body.starts_with("<tr>"), "the table is empty");
    }
    assert!(!render(&[course(60, &plans())], None).contains("synthetic data"));
}

#[test]
fn parts_of_counts_are_shown_without_a_verdict() {
    let html = full();
    let (_, shown) = html
        .split_once("2 counts and parts of counts, shown without a verdict")
        .expect("the parts");
    let shown = shown.split("</details></div></details>").next();
    let panel = shown
        .and_then(|s| s.split("<article").nth(1))
        .and_then(|s| s.split("</article>").next())
        .expect("a panel");
    assert!(!panel.contains("class=\"chip"), "a verdict on a part");
    assert!(panel.contains("<svg") && panel.contains("<table"));
}

#[test]
fn ids_are_unique() {
    let html = full();
    let mut ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .filter_map(|s| s.split('"').next())
        .collect();
    let n = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n);
}

#[test]
fn hostile_names_stay_text() {
    let mut hostile = course(30, &plans()[..3]);
    hostile.deployment = HOSTILE.into();
    for week in &mut hostile.coverage.weeks {
        week.system = Some(HOSTILE.into());
    }
    for step in hostile.lines.iter_mut().flat_map(|l| &mut l.verdict.steps) {
        (step.from, step.to) = (HOSTILE.into(), HOSTILE.into());
    }
    let mut accounting = Accounting::default();
    accounting.units.skip(Reason::ToolCall);
    accounting.unknown("content_type", HOSTILE);
    accounting.note(HOSTILE);
    let mut cohort = cohort(10, 10);
    cohort.rows[0].name = HOSTILE.into();
    cohort.rows[0].planted = Some(HOSTILE.into());
    let html = page(&Page {
        title: HOSTILE,
        version: HOSTILE,
        label: Some(HOSTILE),
        courses: &[hostile],
        import: Some(Import {
            accounting: &accounting,
            sources: &[Source {
                name: HOSTILE.into(),
                format: HOSTILE.into(),
            }],
            warnings: &[HOSTILE.to_owned()],
        }),
        cards: &[CardText {
            id: HOSTILE.into(),
            name: HOSTILE.into(),
            hash: HOSTILE.into(),
            rows: vec![(HOSTILE.into(), HOSTILE.into())],
        }],
        cohort: Some(&cohort),
    });
    let names = elements(&html);
    assert!(!names.iter().any(|n| n == "script" || n == "img"));
    assert!(!html.contains('\u{202e}'));
    assert!(html.contains("&lt;script&gt;"));
}

#[test]
fn values_that_no_table_knows_stay_out() {
    let mut accounting = Accounting::default();
    accounting.unknown("content_type", "dear diary");
    let html = page(&Page {
        title: "x",
        version: "x",
        label: None,
        courses: &[],
        import: Some(Import {
            accounting: &accounting,
            sources: &[],
            warnings: &[],
        }),
        cards: &[],
        cohort: None,
    });
    assert!(html.contains("content_type"));
    assert!(!html.contains("dear diary"));
}

#[test]
fn sums_that_do_not_add_up_are_said_first() {
    let mut accounting = Accounting::default();
    accounting.units.seen = 10;
    accounting.units.parsed = 9;
    let html = page(&Page {
        title: "x",
        version: "x",
        label: None,
        courses: &[],
        import: Some(Import {
            accounting: &accounting,
            sources: &[],
            warnings: &[],
        }),
        cards: &[],
        cohort: None,
    });
    assert!(html.contains("<p>Cannot be relied on"));
}

#[test]
fn three_years_of_25_series_stay_below_a_megabyte() {
    let plans: Vec<Plan> = plans().into_iter().chain(plans()).take(25).collect();
    let html = render(&[course(156, &plans)], Some("synthetic data"));
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(full(), full());
}

#[test]
fn cannot_tell_comes_first_and_12_panels_are_open() {
    let html = full();
    assert!(html.contains("In 55 weeks with Lumen, 9 of 14 counts cannot tell, "));
    let open = html
        .split("class=\"more\"")
        .next()
        .expect("before the fold");
    assert_eq!(open.matches("<article class=\"panel\">").count(), 12);
}

#[test]
fn the_line_is_never_drawn_across_a_gap() {
    let html = full();
    let fit = html
        .split("<path class=\"fit\" d=\"")
        .nth(1)
        .and_then(|s| s.split('"').next());
    // Weeks 23 to 26 and 40 have no value: three runs.
    assert_eq!(fit.expect("a fitted line").matches('M').count(), 3);
}

#[test]
fn the_measured_panel_depends_on_the_seed_and_on_nothing_else() {
    let at = |seed| {
        let mut c = course(40, &plans()[..4]);
        c.seed = seed;
        let html = render(&[c], None);
        let after = html
            .split("Which panel was measured?</summary><p>")
            .nth(1)
            .expect("a line-up");
        after.split('<').next().expect("text").to_owned()
    };
    assert_eq!(at(1), at(1));
    let places: std::collections::BTreeSet<String> = (0..40).map(at).collect();
    assert!(places.len() >= 6, "{places:?}");
}

#[test]
fn without_values_the_page_says_that_it_cannot_tell() {
    let mut empty = course(20, &plans()[..1]);
    empty.lines.clear();
    empty.coverage.weeks.clear();
    let html = render(&[empty], None);
    elements(&html);
    assert!(html.contains("Cannot tell anything about Lumen"));
    assert!(html.contains("Cannot tell anything over time"));
}

#[test]
fn broken_numbers_do_not_break_the_page() {
    let mut c = course(20, &plans()[..3]);
    for line in &mut c.lines {
        for point in &mut line.series.points {
            point.value = f64::NAN;
        }
        if let Some(change) = &mut line.verdict.change {
            change.high_sd = f64::INFINITY;
            change.low = f64::NEG_INFINITY;
        }
        line.verdict.word = Word::CannotTell;
    }
    let html = render(&[c], None);
    elements(&html);
    assert!(
        !html.contains("NaN") && !html.contains("inf "),
        "a broken number is printed"
    );
}

#[test]
fn a_small_page_looks_as_agreed() {
    let mut c = course(16, &plans()[1..2]);
    c.lines[0].verdict.steps.truncate(1);
    let cards = cards();
    let html = page(&Page {
        title: "A small page",
        version: "driftlead 0.1.0",
        label: Some("synthetic data"),
        courses: &[c],
        import: None,
        cards: &cards[..1],
        cohort: None,
    });
    insta::assert_snapshot!(html);
}
