//! From weekly series to verdicts.
//!
//! Each series gets one statement: the change from the person's own baseline (the first quarter of
//! the weeks, 3 to 12 of them) to the level at the end, along a straight line between. Each change of
//! the system version gets one more per series: the level shift at that week. All statements of a
//! course share one error budget: intervals are simultaneous (Bonferroni), so that with probability
//! 1 − α every interval, and hence every "moved" and every "no movement", is right. A fifth of the budget
//! goes to the level shifts where there are any, so that many version changes do not hide the course.
//!
//! Only the series that a metric puts forward ([`Rank::Primary`]) are judged: each further one widens
//! all the others. Which ones is fixed beforehand and does not look at the values.

use std::sync::Arc;

use driftlead_metrics::{Abstain, Measure, Point, Rank, Series, Side};
use driftlead_record::Week;
use driftlead_stats::rng::Stream;
use driftlead_stats::series::{self, Fit, SeriesError, Settings};

use crate::stretch::{Stretch, stretches};
use crate::{
    Assumption, Band, Baseline, Change, Course, Coverage, Line, Noise, Reason, Rung, Step, Verdict,
    Word,
};

/// Fewest weeks with a value that are judged. Below, noise cannot be told from change.
pub const FEWEST_WEEKS: usize = 12;
/// Fewest weeks in which a counted thing must occur.
const FEWEST_NONZERO: usize = 5;
/// Fewest weeks with a value on either side of a version change.
const FEWEST_SIDE: usize = 8;
/// Power at which the smallest visible change is stated.
const POWER: f64 = 0.8;
/// Share of the error budget that goes to level shifts, where there are any.
const STEP_BUDGET: f64 = 0.2;
/// Purpose of the random stream that draws null series.
const LINEUP: u16 = 1;

/// How to judge.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Family-wise error over all statements of a course.
    pub alpha: f64,
    /// Equivalence margin δ in own SDs.
    pub delta_sd: f64,
    /// Seed of the null series.
    pub seed: u64,
    /// Null series drawn per line, for the line-up view.
    pub nulls: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            alpha: 0.05,
            delta_sd: 1.0,
            seed: 1,
            nulls: 8,
        }
    }
}

/// What was fitted to one series before the error budget is known.
struct Draft {
    series: Series,
    /// First index and end of the judged points, with the fit or the reason why there is none.
    course: Result<Fitted, Reason>,
    steps: Vec<(Fitted, Week, Arc<str>, Arc<str>)>,
}

struct Fitted {
    points: Vec<Point>,
    baseline: i32,
    fit: Fit,
    /// A reason that forbids a verdict although a fit exists.
    veto: Option<Reason>,
    scales: Vec<f64>,
}

/// The error level of one statement of each kind.
#[derive(Debug, Clone, Copy)]
struct Levels {
    change: f64,
    step: f64,
}

impl Levels {
    fn of(alpha: f64, changes: usize, steps: usize) -> Self {
        let for_steps = if steps == 0 { 0.0 } else { STEP_BUDGET };
        Levels {
            change: alpha * (1.0 - for_steps) / changes.max(1) as f64,
            step: alpha * for_steps / steps.max(1) as f64,
        }
    }
}

/// Judges the primary series of one person with one deployment; the others are handed on as they are.
pub fn judge(
    deployment: Arc<str>,
    series: Vec<Series>,
    coverage: Coverage,
    options: &Options,
) -> Course {
    let settings = Settings::default();
    let stretches = stretches(&coverage.weeks);
    let (judged, shown): (Vec<_>, Vec<_>) =
        series.into_iter().partition(|s| s.rank == Rank::Primary);
    let drafts: Vec<Draft> = judged
        .into_iter()
        .map(|s| draft(s, &stretches, &coverage, &settings))
        .collect();
    let changes = drafts.iter().filter(|d| counts(&d.course)).count();
    let steps = drafts.iter().map(|d| d.steps.len()).sum();
    let levels = Levels::of(options.alpha, changes, steps);
    let lines = drafts
        .into_iter()
        .enumerate()
        .map(|(index, d)| finish(d, index, levels, options))
        .collect();
    Course {
        deployment,
        coverage,
        lines,
        shown,
        family: u32::try_from(changes + steps).unwrap_or(u32::MAX),
        alpha: options.alpha,
        delta_sd: options.delta_sd,
        seed: options.seed,
    }
}

fn counts(course: &Result<Fitted, Reason>) -> bool {
    course.as_ref().is_ok_and(|f| f.veto.is_none())
}

fn draft(series: Series, stretches: &[Stretch], coverage: &Coverage, settings: &Settings) -> Draft {
    let points = match comparable(&series, stretches, coverage) {
        Ok(points) => points,
        Err(reason) => {
            return Draft {
                steps: Vec::new(),
                course: Err(reason),
                series,
            };
        }
    };
    let course = if points.is_empty() {
        Err(why_empty(&series, coverage))
    } else {
        fit_course(points, series.measure, settings)
    };
    let steps = stretches
        .windows(2)
        .filter_map(|pair| {
            let [before, after] = pair else { return None };
            let (from, to) = (before.system.clone()?, after.system.clone()?);
            let fitted = fit_step(&series, before, after, settings)?;
            Some((fitted, after.first, from, to))
        })
        .collect();
    Draft {
        series,
        course,
        steps,
    }
}

/// The points that may be compared with each other: all of the person's, and those of the longest
/// stretch under one version for the system's. A count per week says nothing about the first and the
/// last week, which the history may cover in part only.
fn comparable(
    series: &Series,
    stretches: &[Stretch],
    coverage: &Coverage,
) -> Result<Vec<Point>, Reason> {
    if series.side == Side::Person || stretches.len() < 2 {
        let (Measure::Count, [first, .., last]) = (series.measure, coverage.weeks.as_slice())
        else {
            return Ok(series.points.clone());
        };
        let (after, before) = (Week(first.week.0 + 1), Week(last.week.0 - 1));
        return Ok(within(&series.points, after, before));
    }
    let longest = stretches
        .iter()
        .map(|s| within(&series.points, s.first, s.last))
        .max_by_key(Vec::len)
        .unwrap_or_default();
    if longest.len() >= FEWEST_WEEKS || series.points.is_empty() {
        Ok(longest)
    } else {
        Err(Reason::SystemChanged)
    }
}

fn within(points: &[Point], first: Week, last: Week) -> Vec<Point> {
    points
        .iter()
        .filter(|p| p.week >= first && p.week <= last)
        .copied()
        .collect()
}

fn why_empty(series: &Series, coverage: &Coverage) -> Reason {
    let most = series
        .abstained
        .iter()
        .max_by_key(|(_, n)| **n)
        .map(|(why, _)| *why);
    match most {
        Some(Abstain::Language) => Reason::Language,
        Some(Abstain::TimeQuality) => Reason::TimeQuality,
        Some(Abstain::NoPersonId) => Reason::NoPersonId,
        Some(Abstain::InstrumentChanged) => Reason::FormatChanged,
        Some(Abstain::TooFew) => Reason::TooFewWeeks,
        None if coverage.messages == coverage.untimed_messages => Reason::TimeQuality,
        None => Reason::TooFewWeeks,
    }
}

fn fit_course(points: Vec<Point>, measure: Measure, settings: &Settings) -> Result<Fitted, Reason> {
    let times: Vec<i32> = points.iter().map(|p| p.week.0).collect();
    let span = times
        .last()
        .zip(times.first())
        .map_or(0, |(b, a)| b - a + 1);
    let baseline = ((f64::from(span) / 4.0).round() as i32).clamp(3, 12);
    let columns = [vec![1.0; times.len()], series::hinge(&times, baseline)];
    let mut fitted = fit(points, &times, &columns, 1, measure, settings)?;
    fitted.baseline = baseline;
    if fitted.points.len() < FEWEST_WEEKS {
        fitted.veto = Some(Reason::TooFewWeeks);
    }
    Ok(fitted)
}

fn fit_step(
    series: &Series,
    before: &Stretch,
    after: &Stretch,
    settings: &Settings,
) -> Option<Fitted> {
    let left = within(&series.points, before.first, before.last).len();
    let right = within(&series.points, after.first, after.last).len();
    if left < FEWEST_SIDE || right < FEWEST_SIDE {
        return None;
    }
    let points = within(&series.points, before.first, after.last);
    let times: Vec<i32> = points.iter().map(|p| p.week.0).collect();
    let columns = [
        vec![1.0; times.len()],
        series::trend(&times),
        series::step(&times, after.first.0),
    ];
    fit(points, &times, &columns, 2, series.measure, settings)
        .ok()
        .filter(|f| f.veto.is_none())
}

fn fit(
    points: Vec<Point>,
    times: &[i32],
    columns: &[Vec<f64>],
    target: usize,
    measure: Measure,
    settings: &Settings,
) -> Result<Fitted, Reason> {
    let values: Vec<f64> = points.iter().map(|p| p.value).collect();
    let scales = scales(&points, measure);
    let fit =
        series::fit(times, &values, &scales, columns, target, settings).map_err(
            |error| match error {
                SeriesError::Constant => Reason::Constant,
                _ => Reason::TooFewWeeks,
            },
        )?;
    // Rare events have no normal approximation: a few hits late in the year would look like a trend.
    let nonzero = points.iter().filter(|p| p.num > 0.0).count();
    let veto = (nonzero < FEWEST_NONZERO).then_some(Reason::TooFewEvents);
    Ok(Fitted {
        points,
        baseline: 0,
        fit,
        veto,
        scales,
    })
}

/// Relative variance of the sampling noise of each week: the harmonic mean of the denominators over
/// the week's own, within a factor of five.
fn scales(points: &[Point], measure: Measure) -> Vec<f64> {
    if measure == Measure::Count {
        return vec![1.0; points.len()];
    }
    let inverse = points.iter().map(|p| p.den.max(1.0).recip()).sum::<f64>();
    let typical = inverse / points.len().max(1) as f64;
    points
        .iter()
        .map(|p| (p.den.max(1.0).recip() / typical).clamp(0.2, 5.0))
        .collect()
}

fn finish(draft: Draft, index: usize, levels: Levels, options: &Options) -> Line {
    let steps = draft
        .steps
        .iter()
        .map(|(fitted, week, from, to)| {
            let change = change(&fitted.fit, levels.step);
            Step {
                week: *week,
                from: from.clone(),
                to: to.clone(),
                moved: excludes_zero(&change),
                change,
                rung: Rung::Coincided,
            }
        })
        .collect();
    let mut verdict = match draft.course {
        Err(reason) => nothing(reason, draft.series.points.len()),
        Ok(fitted) => pronounce(&fitted, index, levels.change, options),
    };
    verdict.steps = steps;
    Line {
        series: draft.series,
        verdict,
    }
}

fn excludes_zero(change: &Change) -> bool {
    change.low > 0.0 || change.high < 0.0
}

/// A verdict where nothing could be fitted.
fn nothing(reason: Reason, weeks: usize) -> Verdict {
    Verdict {
        word: match reason {
            Reason::SystemChanged | Reason::FormatChanged => Word::NotComparable,
            _ => Word::CannotTell,
        },
        rung: Rung::Described,
        assumption: Assumption::A3,
        reason: Some(reason),
        weeks: u32::try_from(weeks).unwrap_or(u32::MAX),
        change: None,
        smallest_visible_sd: None,
        smallest_visible: None,
        noise: None,
        baseline: None,
        band: Vec::new(),
        steps: Vec::new(),
        nulls: Vec::new(),
    }
}

fn change(fit: &Fit, alpha: f64) -> Change {
    let (low, high) = fit.interval(alpha);
    let (estimate, sd) = (fit.estimate(), fit.residual_sd);
    Change {
        estimate,
        low,
        high,
        estimate_sd: estimate / sd,
        low_sd: low / sd,
        high_sd: high / sd,
    }
}

fn pronounce(fitted: &Fitted, index: usize, alpha: f64, options: &Options) -> Verdict {
    let fit = &fitted.fit;
    let sd = fit.residual_sd;
    let change = change(fit, alpha);
    let (word, reason) = match fitted.veto {
        Some(reason) => (Word::CannotTell, Some(reason)),
        None if excludes_zero(&change) => (Word::Moved, None),
        None if change.low_sd > -options.delta_sd && change.high_sd < options.delta_sd => {
            (Word::NoMovement, None)
        }
        None => (Word::CannotTell, Some(Reason::TooNoisy)),
    };
    let visible = fit.smallest_visible(alpha, POWER);
    Verdict {
        word,
        reason,
        weeks: u32::try_from(fitted.points.len()).unwrap_or(u32::MAX),
        change: Some(change),
        smallest_visible_sd: Some(visible / sd),
        smallest_visible: Some(visible),
        noise: Some(Noise {
            sd,
            phi: fit.noise.phi,
            phi_high: fit.phi_high(),
            persistent_share: fit.noise.persistent_share,
        }),
        baseline: baseline(fitted),
        band: band(fitted, options.alpha),
        nulls: nulls(fitted, index, options),
        ..nothing(Reason::TooNoisy, 0)
    }
}

fn baseline(fitted: &Fitted) -> Option<Baseline> {
    let first = fitted.points.first()?.week;
    let last = Week(first.0 + fitted.baseline - 1);
    let weeks = within(&fitted.points, first, last).len();
    let level = *fitted.fit.coefficients.first()?;
    let reach = 1.96 * fitted.fit.residual_sd;
    Some(Baseline {
        first,
        last,
        weeks: u32::try_from(weeks).unwrap_or(u32::MAX),
        level,
        low: level - reach,
        high: level + reach,
    })
}

fn band(fitted: &Fitted, alpha: f64) -> Vec<Band> {
    let multiplier = fitted.fit.band_multiplier(alpha);
    let weeks = fitted.points.iter().map(|p| p.week);
    weeks
        .zip(fitted.fit.fitted.iter().zip(&fitted.fit.fitted_se))
        .map(|(week, (&fit, &se))| Band {
            week,
            fit,
            low: fit - multiplier * se,
            high: fit + multiplier * se,
        })
        .collect()
}

fn nulls(fitted: &Fitted, index: usize, options: &Options) -> Vec<Vec<f64>> {
    let times: Vec<i32> = fitted.points.iter().map(|p| p.week.0).collect();
    let values: Vec<f64> = fitted.points.iter().map(|p| p.value).collect();
    (0..options.nulls)
        .map(|draw| {
            let mut random = Stream::new(options.seed, index as u64, draw, LINEUP);
            series::null_series(
                fitted.fit.noise,
                &times,
                &fitted.scales,
                &values,
                &fitted.fit.fitted,
                &mut random,
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::WeekCoverage;

    #[test]
    fn a_count_per_week_leaves_out_weeks_that_may_be_covered_in_part() {
        let weeks = 100..120;
        let coverage = Coverage {
            weeks: weeks
                .clone()
                .map(|w| WeekCoverage {
                    week: Week(w),
                    person_messages: 20,
                    system_messages: 20,
                    system: None,
                })
                .collect(),
            conversations: 40,
            messages: 800,
            untimed_messages: 0,
            empty_weeks: 0,
        };
        let series = |measure| Series {
            id: "sessions",
            metric: "cadence",
            name: "sessions",
            unit: "sessions per week",
            side: Side::Person,
            measure,
            rank: Rank::Primary,
            instrument: String::new(),
            points: weeks
                .clone()
                .map(|w| Point {
                    week: Week(w),
                    value: f64::from(w * 37 % 11),
                    num: 1.0 + f64::from(w * 37 % 11),
                    den: 1.0,
                })
                .collect(),
            abstained: BTreeMap::new(),
            other_weeks: None,
        };
        let judged = |measure| {
            let series = vec![series(measure)];
            let course = judge("d".into(), series, coverage.clone(), &Options::default());
            course.lines.first().map(|l| l.verdict.weeks)
        };
        assert_eq!(judged(Measure::Count), Some(18));
        assert_eq!(judged(Measure::Typical), Some(20));
    }
}
