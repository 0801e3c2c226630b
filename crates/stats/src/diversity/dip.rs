//! Hartigans' dip: distance to the nearest unimodal distribution.

use crate::error::{Result, StatsError, finite, within};
use crate::rng::Stream;

/// Purpose of the random stream.
const UNIFORM: u16 = 41;

/// The dip statistic with a p-value by simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DipTest {
    /// The dip, in [1/(2n), 1/4].
    pub dip: f64,
    /// P-value of "one mode", at least 1/(simulations + 1).
    pub p: f64,
}

/// Dip: the largest difference between the empirical distribution function and the unimodal one
/// closest to it.
///
/// A unimodal distribution function is convex up to a mode and concave after it. The modal interval is
/// shrunk around the greatest convex minorant and the least concave majorant until they no longer pull
/// apart by more than the dip found outside of it. Source: Hartigan & Hartigan 1985, section 3. A
/// constant has the smallest possible dip, `1/(2n)`.
///
/// No assumption and no guarantee: a description of these values. For a test see [`dip_test`].
///
/// ```
/// use driftlead_stats::diversity::dip;
/// assert_eq!(dip(&[0.0, 0.0, 1.0, 1.0])?, 0.25);
/// assert_eq!(dip(&[3.0, 3.0])?, 0.25);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// An empty list or a value that is not finite.
pub fn dip(x: &[f64]) -> Result<f64> {
    if x.is_empty() {
        return Err(StatsError::Empty { name: "x" });
    }
    x.iter().try_for_each(|&v| finite("x", v).map(|_| ()))?;
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    Ok(dip_sorted(&sorted))
}

/// [`dip`] with a p-value against uniform samples, the hardest unimodal null (Hartigan & Hartigan 1985).
///
/// **Assumes** independent values. **Guarantee**: level exact against the uniform distribution, up to the
/// simulation; the same seed gives the same p.
///
/// ```
/// use driftlead_stats::diversity::dip_test;
/// let two: Vec<f64> = (0..40).map(|i| f64::from(i % 2) + 0.001 * f64::from(i)).collect();
/// assert!(dip_test(&two, 199, 1)?.p < 0.01);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
///
/// # Errors
/// As [`dip`]; no simulation.
pub fn dip_test(x: &[f64], simulations: u32, seed: u64) -> Result<DipTest> {
    within("simulations", f64::from(simulations), "at least 1", |s| {
        s >= 1.0
    })?;
    let observed = dip(x)?;
    let mut sample = vec![0.0; x.len()];
    let mut reached = 1.0;
    for round in 0..simulations {
        let mut luck = Stream::new(seed, 0, round, UNIFORM);
        sample.iter_mut().for_each(|s| *s = luck.uniform());
        sample.sort_by(f64::total_cmp);
        if dip_sorted(&sample) >= observed {
            reached += 1.0;
        }
    }
    Ok(DipTest {
        dip: observed,
        p: reached / (f64::from(simulations) + 1.0),
    })
}

/// Vertices, from `from` to `to`, of the convex hull of the points `(x_i, i)` on the side where turning
/// with sign `side` is forbidden: 1 gives the convex minorant, -1 the concave majorant.
fn hull(x: &[f64], from: usize, to: usize, side: f64) -> Vec<usize> {
    let mut vertices: Vec<usize> = Vec::with_capacity(to - from + 1);
    for i in from..=to {
        while let [.., a, b] = vertices[..] {
            let turn = (x[b] - x[a]) * (i - a) as f64 - (x[i] - x[a]) * (b - a) as f64;
            if side * turn > 0.0 {
                break;
            }
            vertices.pop();
        }
        vertices.push(i);
    }
    vertices
}

/// Height at `at` of the chord through vertices `a` and `b`, in units of ranks.
fn chord(x: &[f64], a: usize, b: usize, at: f64) -> f64 {
    let run = x[b] - x[a];
    if run > 0.0 {
        a as f64 + (at - x[a]) * (b - a) as f64 / run
    } else {
        b as f64
    }
}

/// Height of the polygon through `vertices` at `x[i]`.
fn height(x: &[f64], vertices: &[usize], i: usize) -> f64 {
    let place = vertices.partition_point(|&v| v < i);
    match (vertices.get(place), place.checked_sub(1)) {
        (Some(&v), _) if v == i => i as f64,
        (Some(&b), Some(a)) => chord(x, vertices[a], b, x[i]),
        _ => i as f64,
    }
}

fn dip_sorted(x: &[f64]) -> f64 {
    let n = x.len();
    let scale = 0.5 / n as f64;
    let (mut low, mut high) = (0, n - 1);
    if x[low] == x[high] {
        return scale;
    }
    // In units of 1/(2n), so that the empirical step of 1 counts as one half on either side.
    let mut dip = 1.0f64;
    loop {
        let minorant = hull(x, low, high, 1.0);
        let majorant = hull(x, low, high, -1.0);
        // Largest distance between the two, at a vertex of either.
        let mut widest = (f64::NEG_INFINITY, low, high);
        for &v in &minorant {
            let gap = height(x, &majorant, v) - v as f64 + 1.0;
            if gap > widest.0 {
                let next = majorant.partition_point(|&m| m < v);
                widest = (gap, v, *majorant.get(next).unwrap_or(&high));
            }
        }
        for &v in &majorant {
            let gap = v as f64 - height(x, &minorant, v) + 1.0;
            if gap > widest.0 {
                let next = minorant.partition_point(|&m| m <= v);
                let before = next.checked_sub(1).and_then(|k| minorant.get(k));
                widest = (gap, *before.unwrap_or(&low), v);
            }
        }
        if widest.0 <= dip {
            break;
        }
        let (_, new_low, new_high) = widest;
        // Distance of the distribution function from the parts of the hulls that are now fixed.
        let mut fixed = 1.0f64;
        for pair in minorant.windows(2).filter(|w| w[1] <= new_low) {
            if x[pair[1]] > x[pair[0]] {
                for i in pair[0]..=pair[1] {
                    fixed = fixed.max(i as f64 + 1.0 - chord(x, pair[0], pair[1], x[i]));
                }
            }
        }
        for pair in majorant.windows(2).filter(|w| w[0] >= new_high) {
            if x[pair[1]] > x[pair[0]] {
                for i in pair[0]..=pair[1] {
                    fixed = fixed.max(chord(x, pair[0], pair[1], x[i]) - i as f64 + 1.0);
                }
            }
        }
        dip = dip.max(fixed);
        if (new_low, new_high) == (low, high) {
            break;
        }
        (low, high) = (new_low, new_high);
    }
    dip * scale
}
