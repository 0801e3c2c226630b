//! Intraclass correlation and internal consistency.

use super::{Coefficient, Ratings};
use crate::cs::Interval;
use crate::error::{Result, StatsError, level};
use crate::special::f_quantile;

/// What the raters are and whether their levels matter (names of McGraw & Wong 1996).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IccForm {
    /// ICC(1): each unit has its own raters.
    OneWay,
    /// ICC(A): the same raters, absolute agreement.
    Agreement,
    /// ICC(C): the same raters, consistency; a rater's constant offset does not count.
    Consistency,
}

/// An intraclass correlation for one rating and for the mean of all raters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Icc {
    /// Reliability of one rating.
    pub single: Coefficient,
    /// Reliability of the mean of all raters.
    pub mean: Coefficient,
    /// F statistic of "units do not differ".
    pub f: f64,
}

/// Mean squares of a table of units by raters.
struct Anova {
    n: f64,
    k: f64,
    units: f64,
    raters: f64,
    error: f64,
    within: f64,
}

fn anova(ratings: &Ratings, what: &'static str) -> Result<Anova> {
    let mut rows = ratings.full(what)?;
    // Around one rating, so that a table without variation has sums of squares of exactly 0.
    let origin = rows.first().and_then(|r| r.first()).copied().unwrap_or(0.0);
    rows.iter_mut().flatten().for_each(|v| *v -= origin);
    let (n, k) = (rows.len() as f64, ratings.raters() as f64);
    if rows.len() < 2 || ratings.raters() < 2 {
        return Err(StatsError::Undefined {
            what,
            because: "fewer than two units or raters",
        });
    }
    let grand = rows.iter().flatten().sum::<f64>() / (n * k);
    let columns: Vec<f64> = (0..ratings.raters())
        .map(|j| rows.iter().map(|row| row[j]).sum::<f64>() / n)
        .collect();
    let (mut between, mut within, mut error) = (0.0, 0.0, 0.0);
    for row in &rows {
        let mean = row.iter().sum::<f64>() / k;
        between += k * (mean - grand).powi(2);
        for (v, column) in row.iter().zip(&columns) {
            within += (v - mean).powi(2);
            error += (v - mean - column + grand).powi(2);
        }
    }
    let raters: f64 = columns.iter().map(|c| n * (c - grand).powi(2)).sum();
    if between + within == 0.0 {
        return Err(StatsError::Undefined {
            what,
            because: "the ratings do not vary",
        });
    }
    Ok(Anova {
        n,
        k,
        units: between / (n - 1.0),
        raters: raters / (k - 1.0),
        error: error / ((n - 1.0) * (k - 1.0)),
        within: within / (n * (k - 1.0)),
    })
}

/// Intraclass correlation with its F interval at error level `alpha`.
///
/// **Assumes** normal unit effects and errors, no missing rating. **Guarantee**: exact coverage for
/// [`IccForm::OneWay`] and [`IccForm::Consistency`], approximate (Satterthwaite) for agreement. Source:
/// McGraw & Wong 1996, tables 4 and 7.
///
/// ```
/// use driftlead_stats::agreement::{IccForm, Ratings, intraclass};
/// let ratings = Ratings::complete(&[vec![1.0, 2.0, 3.0, 4.0], vec![2.0, 3.0, 4.0, 5.5]])?;
/// let icc = intraclass(&ratings, IccForm::Consistency, 0.05)?;
/// assert!(icc.single.value > 0.95 && icc.single.interval.contains(icc.single.value));
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Undefined for a missing rating, fewer than two units or raters, or ratings that do not vary; `alpha`
/// outside (0, 1).
pub fn intraclass(ratings: &Ratings, form: IccForm, alpha: f64) -> Result<Icc> {
    level("alpha", alpha)?;
    let a = anova(ratings, "an intraclass correlation")?;
    let (n, k) = (a.n, a.k);
    let noise = if form == IccForm::OneWay {
        a.within
    } else {
        a.error
    };
    let extra = if form == IccForm::Agreement {
        k / n * (a.raters - a.error)
    } else {
        0.0
    };
    let bottom = a.units + (k - 1.0) * noise + extra;
    if bottom == 0.0 {
        return Err(StatsError::Undefined {
            what: "an intraclass correlation",
            because: "the ratings do not vary",
        });
    }
    let single = (a.units - noise) / bottom;
    let interval = if noise == 0.0 {
        Interval {
            low: single,
            high: single,
        }
    } else {
        single_interval(&a, form, noise, single, alpha)?
    };
    // Spearman-Brown: reliability of a mean of k from that of one.
    let step_up = |r: f64| {
        let bottom = 1.0 + (k - 1.0) * r;
        if bottom > 0.0 {
            k * r / bottom
        } else {
            f64::NEG_INFINITY
        }
    };
    Ok(Icc {
        single: Coefficient {
            value: single,
            interval,
        },
        mean: Coefficient {
            value: step_up(single),
            interval: Interval {
                low: step_up(interval.low),
                high: step_up(interval.high),
            },
        },
        f: a.units / noise,
    })
}

fn single_interval(
    a: &Anova,
    form: IccForm,
    noise: f64,
    single: f64,
    alpha: f64,
) -> Result<Interval> {
    let (n, k) = (a.n, a.k);
    let p = 1.0 - 0.5 * alpha;
    if form != IccForm::Agreement {
        let df = if form == IccForm::OneWay {
            n * (k - 1.0)
        } else {
            (n - 1.0) * (k - 1.0)
        };
        let f = a.units / noise;
        let low = f / f_quantile(p, n - 1.0, df)?;
        let high = f * f_quantile(p, df, n - 1.0)?;
        return Ok(Interval {
            low: (low - 1.0) / (low + k - 1.0),
            high: (high - 1.0) / (high + k - 1.0),
        });
    }
    let left = k * single / (n * (1.0 - single));
    let right = 1.0 + k * single * (n - 1.0) / (n * (1.0 - single));
    let parts = (left * a.raters, right * a.error);
    let df = (parts.0 + parts.1).powi(2)
        / (parts.0.powi(2) / (k - 1.0) + parts.1.powi(2) / ((n - 1.0) * (k - 1.0)));
    let rest = k * a.raters + (k * n - k - n) * a.error;
    let lower = f_quantile(p, n - 1.0, df)?;
    let upper = f_quantile(p, df, n - 1.0)?;
    Ok(Interval {
        low: n * (a.units - lower * a.error) / (lower * rest + n * a.units),
        high: n * (upper * a.units - a.error) / (rest + n * upper * a.units),
    })
}

/// Cronbach's alpha of a scale with Feldt's interval; items take the place of raters, people of units.
///
/// **Assumes** items that measure one thing with equal weight; for others alpha is a lower bound of
/// reliability. Source: Cronbach 1951; interval Feldt, Woodruff, Salih 1987, eq. 4.
///
/// **Guarantee**: the interval is exact for normal answers whose items have equal variances and
/// covariances, else approximate.
///
/// ```
/// use driftlead_stats::agreement::{Ratings, cronbach_alpha};
/// let items = Ratings::complete(&[vec![1.0, 2.0, 3.0, 5.0], vec![1.0, 3.0, 3.0, 4.0]])?;
/// assert!(cronbach_alpha(&items, 0.05)?.value > 0.9);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// Undefined for a missing answer, fewer than two items or people, or sums that do not vary; `level`
/// outside (0, 1).
pub fn cronbach_alpha(items: &Ratings, error_level: f64) -> Result<Coefficient> {
    level("error_level", error_level)?;
    let a = anova(items, "Cronbach's alpha")?;
    if a.units == 0.0 {
        return Err(StatsError::Undefined {
            what: "Cronbach's alpha",
            because: "the sums do not vary",
        });
    }
    // 1 - error/units equals the textbook form with variances of items and sum.
    let value = 1.0 - a.error / a.units;
    let (d1, d2) = (a.n - 1.0, (a.n - 1.0) * (a.k - 1.0));
    let end = |p| f_quantile(p, d1, d2).map(|f| 1.0 - (1.0 - value) * f);
    Ok(Coefficient {
        value,
        interval: Interval {
            low: end(1.0 - 0.5 * error_level)?,
            high: end(0.5 * error_level)?,
        },
    })
}
