//! Small vectors of several people, laid out one after the other.

/// Scalar product.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The same direction with length 1; a vector without length stays.
pub(super) fn unit(mut v: Vec<f64>) -> Vec<f64> {
    let length = dot(&v, &v).sqrt();
    if length > 0.0 {
        v.iter_mut().for_each(|x| *x /= length);
    }
    v
}

/// Principal axis of vectors around 0, by power iteration from a direction that is not special.
pub(super) fn principal<'a>(all: impl Iterator<Item = &'a [f64]> + Clone, d: usize) -> Vec<f64> {
    let mut axis = unit((0..d).map(|i| 1.0 + 0.1 * i as f64).collect());
    for _ in 0..200 {
        let mut next = vec![0.0; d];
        for u in all.clone() {
            let along = dot(u, &axis);
            next.iter_mut().zip(u).for_each(|(n, x)| *n += along * x);
        }
        let next = unit(next);
        let moved: f64 = axis.iter().zip(&next).map(|(a, b)| (a - b).abs()).sum();
        axis = next;
        if moved < 1e-12 {
            break;
        }
    }
    axis
}

/// The one number of each person; of several numbers, their part along the principal axis of all
/// people around the mean.
pub(super) fn principal_positions(state: &[f64], people: usize) -> Vec<f64> {
    let d = state.len() / people.max(1);
    if d <= 1 {
        return state.to_vec();
    }
    let mut mean = vec![0.0; d];
    for u in state.chunks_exact(d) {
        mean.iter_mut()
            .zip(u)
            .for_each(|(m, x)| *m += x / people as f64);
    }
    let centred: Vec<f64> = (state.chunks_exact(d))
        .flat_map(|u| u.iter().zip(&mean).map(|(x, m)| x - m))
        .collect();
    let axis = principal(centred.chunks_exact(d), d);
    // The same way round as the mean, so that a common lean does not change sign between looks.
    let sign = if dot(&mean, &axis) < 0.0 { -1.0 } else { 1.0 };
    state
        .chunks_exact(d)
        .map(|u| sign * dot(u, &axis))
        .collect()
}

/// Mean distance of people's states at two times or in two arms.
pub(super) fn mean_distance(a: &[f64], b: &[f64], people: usize) -> Option<f64> {
    let d = a.len() / people.max(1);
    if d == 0 || a.len() != b.len() {
        return None;
    }
    let distance = |(u, v): (&[f64], &[f64])| {
        u.iter()
            .zip(v)
            .map(|(x, y)| (x - y).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let pairs = a.chunks_exact(d).zip(b.chunks_exact(d));
    Some(pairs.map(distance).sum::<f64>() / people as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_lie_along_the_widest_direction() {
        // Two camps along (3, 4)/5, two apart.
        let state = [0.6, 0.8, -0.6, -0.8, 0.6, 0.8, -0.6, -0.8];
        let mut x = principal_positions(&state, 4);
        x.sort_by(f64::total_cmp);
        for (x, want) in x.iter().zip([-1.0, -1.0, 1.0, 1.0]) {
            assert!((x - want).abs() < 1e-9);
        }
        assert_eq!(principal_positions(&[3.0, 1.0], 2), [3.0, 1.0]);
    }

    #[test]
    fn distances_are_of_people() {
        assert_eq!(
            mean_distance(&[0.0, 0.0, 3.0, 4.0], &[0.0; 4], 2),
            Some(2.5)
        );
        assert_eq!(mean_distance(&[0.0], &[0.0; 4], 1), None);
    }
}
