//! What a segment costs: how badly one level, or one distribution, describes it.

use super::ranks::SmallestSums;
use super::sums::PrefixSums;
use crate::error::{Result, StatsError, positive};

/// Cost of one segment of `n` observations.
///
/// No cost rises when a segment is cut in two, so a penalty is needed to choose a number of changes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Cost {
    /// Sum of squared deviations from the mean: changes of level. Equals the kernel cost with the linear
    /// kernel `k(x, y) = x y`. Units: those of `x`, squared.
    L2,
    /// Sum of absolute deviations from the median: changes of level, robust against single large values.
    /// Units: those of `x`.
    L1,
    /// `n ln(variance + floor)`, the maximised normal log-likelihood times -2 up to a constant: changes of
    /// mean or variance. The variance divides by `n`.
    ///
    /// The likelihood of a constant segment has no bound, so `floor` (in units of `x` squared) decides how
    /// attractive short, nearly constant segments are. Keep it well below the variance of the noise, and
    /// `min_size` well above 2: with short segments this cost finds "changes" everywhere.
    Normal {
        /// Added to every variance; positive.
        floor: f64,
    },
    /// Kernel cost `sum_i k(i, i) - sum_ij k(i, j) / n` with the Gaussian kernel `k = exp(-gamma (x - y)^2)`
    /// and `gamma` = 1 / median of the squared distances (1 if that is 0): changes of any kind (Arlot,
    /// Celisse & Harchaoui 2019). No units. Holds the kernel matrix: at most 5,000 observations.
    Rbf,
}

/// The kernel matrix of more observations would take more than 200 MB.
const LARGEST_KERNEL: usize = 5_000;

/// A series, prepared so that any segment is priced in constant or logarithmic time.
#[derive(Debug, Clone)]
pub(super) enum Priced {
    Squares {
        first: PrefixSums,
        second: PrefixSums,
        floor: Option<f64>,
    },
    Absolute {
        sums: PrefixSums,
        smallest: SmallestSums,
    },
    /// Two-dimensional prefix sums of the symmetric kernel matrix, `(n + 1)` by `(n + 1)`, row by row, and
    /// their diagonal: a search goes along one row and the diagonal, never down a column.
    Kernel { sums: Vec<f64>, diagonal: Vec<f64> },
}

impl Priced {
    /// `xs` finite and moderate (checked by the caller).
    pub(super) fn new(xs: &[f64], cost: Cost) -> Result<Self> {
        // Costs do not depend on where zero is; sums are most exact around the middle of the data. An
        // observation as the middle keeps sums of whole numbers, and so ties, exact.
        let mut sorted = xs.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let middle = sorted.get(xs.len() / 2).copied().unwrap_or(0.0);
        let centred = || xs.iter().map(|x| x - middle);
        let squares = |floor| Self::Squares {
            first: PrefixSums::new(centred().map(|x| (x, 0.0))),
            second: PrefixSums::new(centred().map(|x| (x * x, x.mul_add(x, -(x * x))))),
            floor,
        };
        Ok(match cost {
            Cost::L2 => squares(None),
            Cost::Normal { floor } => squares(Some(positive("floor", floor)?)),
            Cost::L1 => Self::Absolute {
                sums: PrefixSums::new(centred().map(|x| (x, 0.0))),
                smallest: SmallestSums::new(&centred().collect::<Vec<_>>()),
            },
            Cost::Rbf => gaussian_kernel(xs)?,
        })
    }

    /// Cost of the segment `start..end`, not empty.
    pub(super) fn price(&self, start: usize, end: usize) -> f64 {
        let count = (end - start) as f64;
        match self {
            Self::Squares {
                first,
                second,
                floor,
            } => {
                let sum = first.sum(start, end);
                let squares = (second.sum(start, end) - sum * (sum / count)).max(0.0);
                floor.map_or(squares, |floor| count * (squares / count + floor).ln())
            }
            Self::Absolute { sums, smallest } => {
                let half = (end - start) / 2;
                let below = smallest.smallest(start, end, half);
                let up_to_median = smallest.smallest(start, end, end - start - half);
                (sums.sum(start, end) - up_to_median - below).max(0.0)
            }
            Self::Kernel { sums, diagonal } => {
                let on = |i: usize| diagonal.get(i).copied().unwrap_or(0.0);
                let below = sums.get(end * diagonal.len() + start).copied();
                let block = on(end) - 2.0 * below.unwrap_or(0.0) + on(start);
                (count - block / count).max(0.0)
            }
        }
    }
}

fn gaussian_kernel(xs: &[f64]) -> Result<Priced> {
    let n = xs.len();
    if n > LARGEST_KERNEL {
        return Err(StatsError::BeyondHorizon {
            what: "limit of observations for a kernel",
            limit: LARGEST_KERNEL,
            got: n,
        });
    }
    let mut distances: Vec<f64> = xs
        .iter()
        .enumerate()
        .flat_map(|(i, a)| xs.iter().skip(i + 1).map(move |b| (a - b) * (a - b)))
        .collect();
    let scale = match median(&mut distances) {
        Some(m) if m > 0.0 => m,
        _ => 1.0,
    };
    drop(distances);
    let mut sums = vec![0.0; n + 1];
    sums.reserve_exact(n * (n + 1));
    for (i, a) in xs.iter().enumerate() {
        let mut row = 0.0;
        sums.push(0.0);
        for (j, b) in xs.iter().enumerate() {
            row += (-(a - b) * (a - b) / scale).exp();
            let above = sums.get(i * (n + 1) + j + 1).copied().unwrap_or(0.0);
            sums.push(above + row);
        }
    }
    let diagonal = sums.iter().step_by(n + 2).copied().collect();
    Ok(Priced::Kernel { sums, diagonal })
}

/// Median, the mean of the two middle values for an even number; `None` of nothing.
fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let (even, middle) = (values.len().is_multiple_of(2), values.len() / 2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(if even {
        0.5 * lower + 0.5 * upper
    } else {
        upper
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    /// By definition, segment by segment.
    fn slow(xs: &[f64], cost: Cost) -> f64 {
        let n = xs.len() as f64;
        let mean = xs.iter().sum::<f64>() / n;
        let squares: f64 = xs.iter().map(|x| (x - mean).powi(2)).sum();
        match cost {
            Cost::L2 => squares,
            Cost::Normal { floor } => n * (squares / n + floor).ln(),
            Cost::L1 => {
                let middle = median(&mut xs.to_vec()).unwrap();
                xs.iter().map(|x| (x - middle).abs()).sum()
            }
            Cost::Rbf => f64::NAN,
        }
    }

    #[test]
    fn equals_the_definition_on_every_segment() {
        let mut luck = Stream::new(3, 0, 0, 0);
        let xs: Vec<f64> = (0..40)
            .map(|t| 1e3 + luck.normal() + f64::from(t / 20))
            .collect();
        for cost in [Cost::L1, Cost::L2, Cost::Normal { floor: 1e-6 }] {
            let priced = Priced::new(&xs, cost).unwrap();
            for start in 0..40 {
                for end in start + 1..=40 {
                    let (ours, exact) = (priced.price(start, end), slow(&xs[start..end], cost));
                    assert!(
                        (ours - exact).abs() < 1e-8,
                        "{cost:?} {start}..{end} {ours} {exact}"
                    );
                }
            }
        }
        let priced = Priced::new(&xs, Cost::Rbf).unwrap();
        let mut distances = Vec::new();
        for i in 0..40 {
            for j in 0..i {
                distances.push((xs[i] - xs[j]).powi(2));
            }
        }
        let scale = median(&mut distances).unwrap();
        for (start, end) in [(0, 40), (3, 5), (10, 31), (7, 8)] {
            let part = &xs[start..end];
            let all = part
                .iter()
                .flat_map(|a| part.iter().map(move |b| (a - b).powi(2)));
            let total: f64 = all.map(|d| (-d / scale).exp()).sum();
            let exact = part.len() as f64 - total / part.len() as f64;
            assert!((priced.price(start, end) - exact).abs() < 1e-11);
        }
    }
}
