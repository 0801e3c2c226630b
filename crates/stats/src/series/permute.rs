//! What chance makes of a statistic when the order in time does not matter, or matters only over
//! short stretches.

use crate::error::{Result, StatsError, finite};
use crate::rng::Stream;

/// p-value of `statistic` (large = surprising) among all circular shifts of the series.
///
/// For a statistic that ties the series to something fixed in time: the dates of an event, another
/// person's series. **Assumes** the series stationary, and its end like its beginning; autocorrelation of
/// any length is kept but for the seam. **Guarantee**: error at most `alpha` when the series is
/// exchangeable under shifts, approximate otherwise; never below `1/n`. Source: the group-invariance
/// argument of Hoeffding 1952, Ann. Math. Stat. 23:169. No randomness: all shifts are taken.
///
/// ```
/// use driftlead_stats::series::circular_shift_p;
/// let week = |t: i32| if (20..26).contains(&t) { 5.0 } else { f64::from(t * 7919 % 13) / 13.0 };
/// let values: Vec<f64> = (0..40).map(week).collect();
/// // Mean over the weeks 20 to 25, when something was launched.
/// let launched = |v: &[f64]| v[20..26].iter().sum::<f64>() / 6.0;
/// assert_eq!(circular_shift_p(&values, launched)?, 1.0 / 40.0);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// No values, a value or a statistic that is not finite.
pub fn circular_shift_p(values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Result<f64> {
    let observed = observed(values, &statistic)?;
    let mut shifted = values.to_vec();
    let mut as_large = 0u32;
    for _ in values {
        as_large += u32::from(reaches(finite("statistic", statistic(&shifted))?, observed));
        shifted.rotate_left(1);
    }
    Ok(f64::from(as_large) / values.len() as f64)
}

/// p-value of `statistic` (large = surprising) among `draws` random orders of blocks of `block`
/// consecutive values.
///
/// The last block may be shorter; a block of 1 is the ordinary permutation test. **Assumes** blocks
/// exchangeable when nothing changed: no trend, and autocorrelation that has died out over much less than a
/// block. **Guarantee**: error at most `alpha` under that assumption, at any number of draws, because
/// the observed order counts as one draw (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39); with
/// autocorrelation across the seams it is approximate. Few blocks give few orders: fewer than seven
/// can hardly reach 0.001.
///
/// ```
/// use driftlead_stats::rng::Stream;
/// use driftlead_stats::series::block_permutation_p;
/// let values: Vec<f64> = (0..60).map(|t| f64::from(t) * 0.1 + f64::from(t * 7919 % 13) / 13.0).collect();
/// let rise = |v: &[f64]| v[30..].iter().sum::<f64>() - v[..30].iter().sum::<f64>();
/// let p = block_permutation_p(&values, 4, 999, &mut Stream::new(1, 0, 0, 0), rise)?;
/// assert!(p < 0.01);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// No values, a value or a statistic that is not finite, a block of 0 or one as long as the series, no draws.
pub fn block_permutation_p(
    values: &[f64],
    block: usize,
    draws: u32,
    random: &mut Stream,
    statistic: impl Fn(&[f64]) -> f64,
) -> Result<f64> {
    let observed = observed(values, &statistic)?;
    if block == 0 || block >= values.len() {
        return Err(StatsError::OutOfDomain {
            name: "block",
            value: block as f64,
            domain: "from 1 to below the length of the series",
        });
    }
    if draws == 0 {
        return Err(StatsError::Empty { name: "draws" });
    }
    let mut blocks: Vec<&[f64]> = values.chunks(block).collect();
    let mut series = Vec::with_capacity(values.len());
    let mut as_large = 1u32;
    for _ in 0..draws {
        // Fisher and Yates.
        for i in (1..blocks.len()).rev() {
            blocks.swap(i, random.below(i as u32 + 1) as usize);
        }
        series.clear();
        blocks.iter().for_each(|b| series.extend_from_slice(b));
        as_large = as_large.saturating_add(u32::from(reaches(
            finite("statistic", statistic(&series))?,
            observed,
        )));
    }
    Ok(f64::from(as_large) / (f64::from(draws) + 1.0))
}

fn observed(values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Result<f64> {
    if values.is_empty() {
        return Err(StatsError::Empty { name: "values" });
    }
    values
        .iter()
        .try_for_each(|&v| finite("a value", v).map(|_| ()))?;
    finite("statistic", statistic(values))
}

/// Sums in another order differ in their last digits: a tie must stay one.
fn reaches(drawn: f64, observed: f64) -> bool {
    drawn >= observed - 1e-12 * observed.abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_holds_without_a_change() {
        let (runs, length) = (400, 30);
        let (mut shifts, mut orders) = (0, 0);
        for run in 0..runs {
            let mut luck = Stream::new(5, run, 0, 0);
            let values: Vec<f64> = (0..length).map(|_| luck.normal()).collect();
            let window = |v: &[f64]| v[20..25].iter().sum::<f64>();
            shifts += u32::from(circular_shift_p(&values, window).unwrap() <= 0.1);
            let p = block_permutation_p(&values, 3, 99, &mut luck, window).unwrap();
            orders += u32::from(p <= 0.1);
        }
        // 40 expected, standard deviation 6.
        assert!(
            (20..=60).contains(&shifts) && (20..=60).contains(&orders),
            "{shifts} {orders}"
        );
    }

    #[test]
    fn a_statistic_blind_to_order_has_a_p_of_one() {
        let values = [0.1, 0.2, 0.7, 1.3];
        let sum = |v: &[f64]| v.iter().sum::<f64>();
        assert_eq!(circular_shift_p(&values, sum).unwrap(), 1.0);
        let mut luck = Stream::new(1, 0, 0, 0);
        assert_eq!(
            block_permutation_p(&values, 1, 50, &mut luck, sum).unwrap(),
            1.0
        );
        assert!(block_permutation_p(&values, 4, 50, &mut luck, sum).is_err());
        assert!(block_permutation_p(&values, 0, 50, &mut luck, sum).is_err());
        assert!(block_permutation_p(&values, 1, 0, &mut luck, sum).is_err());
        assert!(circular_shift_p(&[], sum).is_err() && circular_shift_p(&[f64::NAN], sum).is_err());
    }
}
