//! The page of a simulated population: courses, bars, points on two axes, shaded tables and triangles.

mod heat;
mod triangle;

use crate::figure::{Figure, Table};
use crate::html::Html;
use crate::num::{decimals, sig3};
use crate::plot::{Dots, Path, Scale, fit, label, rule};
use crate::{page, strings};

pub use heat::Heat;
pub use triangle::Triangle;

const WIDTH: u32 = 480;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 470.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 176.0;
const HEIGHT: u32 = 212;
/// Where bars begin, and the height of one.
const BARS: (f64, f64) = (228.0, 400.0);
const ROW: f64 = 20.0;

/// Everything a page shows.
#[derive(Debug, Clone)]
pub struct Simulation<'a> {
    /// Title.
    pub title: &'a str,
    /// Name and version of the program.
    pub version: &'a str,
    /// Stands over every figure.
    pub label: &'a str,
    /// What was simulated, in a sentence or two.
    pub lead: &'a str,
    /// The figures, in order.
    pub charts: &'a [Chart],
}

/// One figure with its table.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Short name.
    pub title: String,
    /// One sentence that says what it shows.
    pub sentence: String,
    /// What is drawn.
    pub kind: ChartKind,
}

/// What is drawn.
#[derive(Debug, Clone)]
pub enum ChartKind {
    /// A mean over time, with its standard error.
    Course {
        /// What the times are, such as "week".
        unit: String,
        /// Time, mean and its standard error.
        points: Vec<(f64, f64, f64)>,
    },
    /// Shares by row and column.
    Heat(Heat),
    /// People among three groups.
    Triangle(Triangle),
    /// Named values with their standard errors.
    Bars(Vec<(String, f64, f64)>),
    /// Named points; those with `true` are joined in order and named in the figure.
    Points {
        /// What x is.
        x: String,
        /// What y is.
        y: String,
        /// The points.
        points: Vec<(String, f64, f64, bool)>,
    },
}

/// Renders the page: one self-contained HTML file, a pure function of its input.
pub fn simulation(input: &Simulation<'_>) -> String {
    page::document(input.title, |h| {
        h.el("main", &[], |h| {
            h.el("header", &[("class", "top")], |h| {
                h.el("h1", &[], |h| h.name(input.title));
                h.leaf("p", &[("class", "stamp")], input.label);
                h.leaf("p", &[("class", "lead")], input.lead);
            });
            h.el("div", &[("class", "panels pairs")], |h| {
                for chart in input.charts {
                    h.el("section", &[], |h| {
                        h.leaf("h3", &[], &chart.title);
                        h.leaf("p", &[("class", "key")], &chart.sentence);
                        chart.write(h, input.label);
                    });
                }
            });
            h.leaf("footer", &[], &strings::generated_by(input.version));
        });
    })
}

impl Chart {
    fn write(&self, h: &mut Html, mark: &str) {
        let height = match &self.kind {
            ChartKind::Bars(rows) => (TOP + ROW * rows.len() as f64 + 8.0) as u32,
            ChartKind::Heat(_) => HEIGHT + 14,
            ChartKind::Triangle(_) => triangle::HEIGHT,
            _ => HEIGHT,
        };
        let figure = Figure {
            title: &self.title,
            sentence: &self.sentence,
            width: WIDTH,
            height,
            label: Some(mark),
        };
        figure.draw(h, &self.table(), |h| match &self.kind {
            ChartKind::Course { unit, points } => course(h, unit, points),
            ChartKind::Bars(rows) => bars(h, rows),
            ChartKind::Heat(shares) => heat::draw(h, shares),
            ChartKind::Triangle(shares) => triangle::draw(h, shares),
            ChartKind::Points { x, y, points } => scatter(h, x, y, points),
        });
    }

    fn table(&self) -> Table {
        let own = |s: &[&str]| s.iter().map(|s| (*s).to_owned()).collect();
        let (head, rows) = match &self.kind {
            ChartKind::Course { unit, points } => {
                let mut head: Vec<String> = own(&strings::COURSE_HEAD);
                head.insert(0, unit.clone());
                let row =
                    |(t, mean, se): &(f64, f64, f64)| vec![decimals(*t, 0), sig3(*mean), sig3(*se)];
                (head, points.iter().map(row).collect())
            }
            ChartKind::Bars(rows) => (
                own(&strings::BARS_HEAD),
                rows.iter()
                    .map(|(name, value, se)| vec![name.clone(), sig3(*value), sig3(*se)])
                    .collect(),
            ),
            ChartKind::Heat(shares) => heat::table(shares),
            ChartKind::Triangle(shares) => triangle::table(shares),
            ChartKind::Points { x, y, points } => (
                vec![String::new(), x.clone(), y.clone()],
                points
                    .iter()
                    .map(|(name, x, y, _)| vec![name.clone(), decimals(*x, 3), decimals(*y, 3)])
                    .collect(),
            ),
        };
        Table {
            caption: self.title.clone(),
            head,
            rows,
        }
    }
}

/// Lowest and highest of values, with some room.
fn reach(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
        (l.min(v), h.max(v))
    });
    if low > high {
        return (0.0, 1.0);
    }
    let room = 0.06 * (high - low).max(1e-9);
    (low - room, high + room)
}

fn frame(h: &mut Html, x: &Scale, y: &Scale) {
    for (value, text) in y.ticks(5) {
        let at = y.at(value);
        rule(h, "grid", (LEFT, at), (RIGHT, at));
        label(h, LEFT - 5.0, at + 3.5, "e", &text);
    }
    rule(h, "axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
    for (value, text) in x.ticks(6) {
        let at = x.at(value);
        rule(h, "axis", (at, BOTTOM), (at, BOTTOM + 4.0));
        label(h, at, BOTTOM + 16.0, "m", &text);
    }
}

fn course(h: &mut Html, unit: &str, points: &[(f64, f64, f64)]) {
    let ends = (points.iter()).flat_map(|(_, m, se)| [m - 2.0 * se, m + 2.0 * se]);
    let y = Scale::new(reach(ends), (BOTTOM, TOP));
    let span = match points {
        [first, .., last] => (first.0, last.0),
        _ => (0.0, 1.0),
    };
    let x = Scale::new(span, (LEFT + 6.0, RIGHT - 6.0));
    frame(h, &x, &y);
    let edge = |sign: f64| {
        let of = move |(t, m, se): &(f64, f64, f64)| (*t, m + sign * 2.0 * se);
        points.iter().map(of).collect::<Vec<_>>()
    };
    let mut band = Path::default();
    let (above, below) = (edge(1.0), edge(-1.0));
    let around = above.iter().chain(below.iter().rev());
    band.polyline(around.map(|(t, v)| (x.at(*t), y.at(*v))));
    band.close();
    band.draw(h, "band");
    let mut line = Path::default();
    line.polyline(points.iter().map(|(t, m, _)| (x.at(*t), y.at(*m))));
    line.draw(h, "fit");
    label(h, (LEFT + RIGHT) / 2.0, BOTTOM + 31.0, "m", unit);
}

fn bars(h: &mut Html, rows: &[(String, f64, f64)]) {
    let (low, high) = reach(rows.iter().flat_map(|(_, v, se)| [v - se, v + se]));
    let x = Scale::new((low.min(0.0), high.max(0.0)), BARS);
    for (i, (name, value, se)) in rows.iter().enumerate() {
        let top = TOP + ROW * i as f64;
        let middle = top + ROW / 2.0;
        label(h, 1.0, middle + 4.0, "in", &fit(name, BARS.0 - 8.0));
        let (zero, end) = (x.at(0.0), x.at(*value));
        let mut bar = Path::default();
        bar.rect(zero.min(end), top + 4.0, (end - zero).abs(), ROW - 8.0);
        bar.draw(h, "bar p");
        rule(
            h,
            "iv strong",
            (x.at(value - se), middle),
            (x.at(value + se), middle),
        );
        label(h, BARS.1 + 8.0, middle + 4.0, "in", &sig3(*value));
    }
    let bottom = TOP + ROW * rows.len() as f64;
    rule(h, "zero", (x.at(0.0), TOP), (x.at(0.0), bottom));
}

fn scatter(h: &mut Html, x_name: &str, y_name: &str, points: &[(String, f64, f64, bool)]) {
    let x = Scale::new(reach(points.iter().map(|p| p.1)), (LEFT, RIGHT));
    let y = Scale::new(reach(points.iter().map(|p| p.2)), (BOTTOM, TOP + 10.0));
    frame(h, &x, &y);
    let mut front: Vec<_> = points.iter().filter(|p| p.3).collect();
    front.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut line = Path::default();
    line.polyline(front.iter().map(|p| (x.at(p.1), y.at(p.2))));
    line.draw(h, "axis");
    let mut dots = Dots::default();
    for point in points {
        dots.add(
            x.at(point.1),
            y.at(point.2),
            if point.3 { 8.0 } else { 5.0 },
        );
    }
    dots.draw(h, "dots");
    for (i, point) in front.iter().enumerate() {
        let at = x.at(point.1);
        let anchor = if at > (LEFT + RIGHT) / 2.0 {
            "e in"
        } else {
            "in"
        };
        let shift = if i % 2 == 0 { -7.0 } else { 15.0 };
        label(h, at, y.at(point.2) + shift, anchor, &fit(&point.0, 170.0));
    }
    label(h, (LEFT + RIGHT) / 2.0, BOTTOM + 31.0, "m", x_name);
    label(h, LEFT, 9.0, "", y_name);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_of(charts: &[Chart]) -> String {
        simulation(&Simulation {
            title: "A <world>",
            version: "driftlead 0",
            label: "synthetic data",
            lead: "Ten people.",
            charts,
        })
    }

    fn chart(kind: ChartKind) -> Chart {
        Chart {
            title: "Reaction".to_owned(),
            sentence: "Mean reaction by week.".to_owned(),
            kind,
        }
    }

    #[test]
    fn every_figure_has_its_table_and_the_page_loads_nothing() {
        let charts = [
            chart(ChartKind::Course {
                unit: "week".to_owned(),
                points: vec![(1.0, 1.0, 0.1), (2.0, 2.0, 0.1)],
            }),
            chart(ChartKind::Bars(vec![
                ("H".to_owned(), 0.5, 0.01),
                ("E".to_owned(), -0.1, 0.01),
            ])),
            chart(ChartKind::Points {
                x: "reaction".to_owned(),
                y: "welfare".to_owned(),
                points: vec![
                    ("as it is".to_owned(), 1.0, 2.0, true),
                    ("floor".to_owned(), 0.5, 1.0, false),
                ],
            }),
            chart(ChartKind::Heat(Heat {
                x: "eta".to_owned(),
                columns: vec!["0".to_owned(), "0.1".to_owned()],
                y: "alpha".to_owned(),
                rows: vec!["0.02".to_owned()],
                table_rows: vec!["0.02".to_owned()],
                cells: vec![vec![(0.0, 0.0), (0.25, 0.01)]],
                line: Some(0.05),
            })),
            chart(ChartKind::Triangle(Triangle {
                corners: ["a", "b", "c"].map(str::to_owned),
                side: 10,
                cells: vec![
                    ([0.9, 0.0, 0.0], false, 0.75),
                    ([0.3, 0.3, 0.2], true, 0.25),
                ],
            })),
        ];
        let html = page_of(&charts);
        assert_eq!(html.matches("<svg").count(), 5);
        assert_eq!(html.matches("<table").count(), 5);
        assert!(html.contains("25.0 ± 1.0 %") && html.contains("90 to 100 %"));
        // The cell of 25 % is shaded by the root of it, and a line parts it from the cell of none.
        assert!(html.contains("fill-opacity=\"0.250\"") && html.contains("iv strong"));
        assert!(html.contains("A &lt;world&gt;") && !html.contains("http:"));
        assert!(!html.contains("<script") && !html.contains("NaN"));
        assert_eq!(html, page_of(&charts));
    }

    #[test]
    fn nothing_to_show_is_still_a_page() {
        for kind in [
            ChartKind::Course {
                unit: String::new(),
                points: Vec::new(),
            },
            ChartKind::Bars(Vec::new()),
            ChartKind::Course {
                unit: String::new(),
                points: vec![(1.0, f64::NAN, f64::NAN)],
            },
            ChartKind::Heat(Heat {
                x: String::new(),
                columns: Vec::new(),
                y: String::new(),
                rows: Vec::new(),
                table_rows: Vec::new(),
                cells: Vec::new(),
                line: None,
            }),
            ChartKind::Triangle(Triangle {
                corners: [const { String::new() }; 3],
                side: 0,
                cells: Vec::new(),
            }),
            ChartKind::Points {
                x: String::new(),
                y: String::new(),
                points: Vec::new(),
            },
        ] {
            let html = page_of(&[chart(kind)]);
            assert!(
                html.ends_with("</html>\n") && !html.contains("NaN"),
                "{html}"
            );
        }
    }
}
