//! When did it change? A confidence set, not a guess.

use crate::edetector::{Alternatives, Baseline};
use crate::eprocess::{Verdict, Weights};
use crate::error::{Result, StatsError, level};

/// Starting times (from 1: the first observation after the change) that the data do not rule out.
///
/// A time `j` is kept when neither side of it speaks against it: the verdict's e-process on what came
/// before `j` has never reached `2/alpha` ("it had changed before"), and no product of `1/L_i` over a stretch
/// that starts with `j` reaches `2/alpha` ("it had not changed yet"). `L` is taken at the smallest
/// bet of each direction in `grid`; of two directions the one that speaks less counts.
///
/// **Assumes** the baseline, and a change at least as large as the smallest bet stands for (`lambda sd^2` for
/// [`Baseline::Normal`], `lambda` on the logit scale for [`Baseline::Bernoulli`]) that lasts to the
/// end of the data. **Guarantee**: the set misses the true time with probability at most `alpha`,
/// however the length of the data was chosen; not conditionally on an alarm having been raised, and an
/// empty set says that an assumption is wrong. Source: Ville 1939 for each side, a union bound for both; the setting is
/// that of Saha & Ramdas, arXiv 2502.06096. For a shorter, model-based interval see
/// [`crate::eprocess::change_interval`].
///
/// ```
/// use driftlead_stats::edetector::{Alternatives, Baseline};
/// use driftlead_stats::eprocess::Weights;
/// use driftlead_stats::series::change_times;
/// let xs: Vec<f64> = (0..100).map(|t| f64::from(u8::from(if t < 60 { t % 10 == 0 } else { t % 3 != 0 }))).collect();
/// let grid = Alternatives::geometric_bernoulli(0.1, 0.2, 4)?;
/// let times = change_times(&Baseline::Bernoulli { p: 0.1 }, &grid, Weights::Horizon(100), &xs, 0.05)?;
/// assert!(times.contains(&61) && !times.contains(&1) && times.len() < 40);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// No observations, an observation or bet the baseline refuses, `alpha` outside (0, 1), a grid that
/// bets on nothing; [`StatsError::Undefined`] for [`Baseline::Bounded`], whose bets are not likelihood ratios.
pub fn change_times(
    baseline: &Baseline,
    grid: &Alternatives,
    weights: Weights,
    xs: &[f64],
    alpha: f64,
) -> Result<Vec<u64>> {
    let ln_limit = (2.0 / level("alpha", alpha)?).ln();
    if xs.is_empty() {
        return Err(StatsError::Empty {
            name: "observations",
        });
    }
    if matches!(baseline, Baseline::Bounded { .. }) {
        return Err(StatsError::Undefined {
            what: "a set of change times",
            because: "bets on a bounded mean are not likelihood ratios",
        });
    }
    let smallest = |sign: f64| {
        let sizes = grid.lambdas().iter().map(|l| sign * l);
        sizes.filter(|l| *l > 0.0).min_by(f64::total_cmp)
    };
    let bets: Vec<f64> = [1.0, -1.0]
        .into_iter()
        .filter_map(|sign| smallest(sign).map(|l| sign * l))
        .collect();
    if bets.is_empty() {
        return Err(StatsError::Undefined {
            what: "a set of change times",
            because: "every bet is 0",
        });
    }
    let mut verdict = Verdict::new(*baseline, grid.clone(), weights)?;
    let mut not_before = xs.len();
    for (i, &x) in xs.iter().enumerate() {
        // Observation i + 1 has settled it: a change from i + 2 on would be too late.
        if verdict.update(x)? >= ln_limit && not_before == xs.len() {
            not_before = i + 1;
        }
    }
    let mut against = vec![0.0f64; bets.len()];
    let mut kept = Vec::new();
    for (i, &x) in xs.iter().enumerate().rev() {
        for (sum, &bet) in against.iter_mut().zip(&bets) {
            // Largest over all stretches that start here.
            *sum = sum.max(0.0) - baseline.ln_increment(x, bet);
        }
        let least = against.iter().copied().fold(f64::INFINITY, f64::min);
        if i < not_before && least < ln_limit {
            kept.push(i as u64 + 1);
        }
    }
    kept.reverse();
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn the_true_time_is_kept_as_often_as_promised() {
        let runs = 400;
        for (smallest, true_shift, up, most) in [(0.5, 0.5, true, 85), (0.5, 1.0, false, 50)] {
            let grid =
                Alternatives::weighted(vec![smallest, 1.0, -smallest, -1.0], vec![1.0; 4]).unwrap();
            let baseline = Baseline::standard_normal(0.0).unwrap();
            let (mut missed, mut length) = (0, 0usize);
            for run in 0..runs {
                let mut luck = Stream::new(11, run, 0, 0);
                let shift = if up { true_shift } else { -true_shift };
                let xs: Vec<f64> = (0..120)
                    .map(|t| luck.normal() + if t >= 60 { shift } else { 0.0 })
                    .collect();
                let times =
                    change_times(&baseline, &grid, Weights::Horizon(120), &xs, 0.1).unwrap();
                missed += u32::from(!times.contains(&61));
                length += times.len();
            }
            // At most 40 expected.
            assert!(missed <= 55, "{missed}");
            assert!(length < most * runs as usize, "{length}");
        }
    }

    #[test]
    fn refusals() {
        let grid = Alternatives::equal(vec![0.5]).unwrap();
        let run = |baseline: Baseline, xs: &[f64]| {
            change_times(&baseline, &grid, Weights::OpenEnded, xs, 0.05)
        };
        assert!(run(Baseline::Bounded { mean: 0.5 }, &[0.5]).is_err());
        assert!(run(Baseline::Bernoulli { p: 0.5 }, &[]).is_err());
        assert!(run(Baseline::Bernoulli { p: 0.5 }, &[2.0]).is_err());
        // Nothing has happened yet: every time is possible.
        assert_eq!(
            run(Baseline::Bernoulli { p: 0.5 }, &[1.0, 0.0]).unwrap(),
            [1, 2]
        );
    }
}
