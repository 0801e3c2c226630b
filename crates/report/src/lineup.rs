//! The line-up: one series hidden among eight drawn from its own noise. If it cannot be picked out,
//! there is nothing to see (Buja et al. 2009, "Statistical inference for exploratory data analysis
//! and model diagnostics", Phil. Trans. R. Soc. A 367).

use driftlead_drift::{Course, Line};
use driftlead_record::Week;

use crate::figure::{Figure, Table};
use crate::html::Html;
use crate::num::{bare, unit};
use crate::plot::{Calendar, Dots, Path, Scale, label};
use crate::seeded;
use crate::strings;

const NULLS: usize = 8;
const WIDTH: u32 = 780;
const CELL: (f64, f64) = (260.0, 104.0);

/// The values of the nine panels, and where the measured one stands.
struct Lineup<'a> {
    line: &'a Line,
    weeks: Vec<Week>,
    panels: Vec<Vec<f64>>,
    measured: usize,
}

/// Writes the line-up for the series whose interval is smallest against its estimate.
pub(crate) fn write(h: &mut Html, course: &Course, mark: Option<&str>) {
    let Some(lineup) = clearest(course) else {
        return;
    };
    let series = &lineup.line.series;
    h.leaf("h3", &[], strings::LINEUP);
    h.leaf("p", &[], &strings::lineup_text(series.name));
    let figure = Figure {
        title: strings::LINEUP,
        sentence: strings::LINEUP_SENTENCE,
        width: WIDTH,
        height: (CELL.1 * 3.0) as u32,
        label: mark,
    };
    figure.draw(h, &lineup.table(), |h| lineup.plot(h));
    h.el("details", &[], |h| {
        h.leaf("summary", &[], strings::WHICH);
        h.leaf("p", &[], &strings::measured_panel(lineup.measured + 1));
    });
}

fn clearest(course: &Course) -> Option<Lineup<'_>> {
    let ratio = |l: &Line| {
        let c = l.verdict.change?;
        let ratio = (c.high - c.low) / c.estimate.abs();
        ratio.is_finite().then_some(ratio)
    };
    let candidates = course
        .lines
        .iter()
        .filter_map(|l| Some((ratio(l)?, l, measured(l)?)));
    let (_, line, (weeks, values)) = candidates.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let measured =
        seeded::below(seeded::mix(course.seed, line.series.id), NULLS as u64 + 1) as usize;
    let mut panels = line.verdict.nulls.clone();
    panels.insert(measured, values);
    Some(Lineup {
        line,
        weeks,
        panels,
        measured,
    })
}

/// Weeks and values of the judged stretch, where all eight null series have the same length.
fn measured(line: &Line) -> Option<(Vec<Week>, Vec<f64>)> {
    let judged = line.series.points.iter().filter(|p| {
        line.verdict
            .band
            .binary_search_by_key(&p.week, |b| b.week)
            .is_ok()
            && p.value.is_finite()
    });
    let (weeks, values): (Vec<_>, Vec<_>) = judged.map(|p| (p.week, p.value)).unzip();
    let nulls = &line.verdict.nulls;
    let fits = !weeks.is_empty()
        && nulls.len() == NULLS
        && nulls
            .iter()
            .all(|n| n.len() == weeks.len() && n.iter().all(|v| v.is_finite()));
    fits.then_some((weeks, values))
}

impl Lineup<'_> {
    fn plot(&self, h: &mut Html) {
        let (Some(first), Some(last)) = (self.weeks.first(), self.weeks.last()) else {
            return;
        };
        let all = self.panels.iter().flatten();
        let domain = all.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        for (i, values) in self.panels.iter().enumerate() {
            let (x, top) = ((i % 3) as f64 * CELL.0, (i / 3) as f64 * CELL.1);
            let calendar = Calendar::new(*first, *last, x + 8.0, x + CELL.0 - 12.0);
            let y = Scale::new(domain, (top + CELL.1 - 10.0, top + 20.0));
            let mut frame = Path::default();
            frame.rect(x + 2.0, top + 14.0, CELL.0 - 8.0, CELL.1 - 18.0);
            frame.draw(h, "frame");
            label(h, x + 2.0, top + 10.0, "in", &(i + 1).to_string());
            let mut dots = Dots::default();
            for (week, value) in self.weeks.iter().zip(values) {
                dots.add(calendar.mid(*week), y.at(*value), 3.0);
            }
            dots.draw(h, "dots");
        }
    }

    fn table(&self) -> Table {
        let series = &self.line.series;
        let rows = self.weeks.iter().enumerate().map(|(w, week)| {
            let values = self
                .panels
                .iter()
                .map(|p| p.get(w).map(|v| bare(series, *v)));
            std::iter::once(week.date())
                .chain(values.map(Option::unwrap_or_default))
                .collect()
        });
        let numbers = (1..=self.panels.len()).map(strings::panel_number);
        Table {
            caption: strings::panel_caption(series.name, &unit(series)),
            head: std::iter::once(strings::WEEK_OF.to_owned())
                .chain(numbers)
                .collect(),
            rows: rows.collect(),
        }
    }
}
