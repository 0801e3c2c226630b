//! The null of M10: the system's text of other weeks. A person who follows nobody is as near to it as to
//! that of the same week.
//!
//! The system's weeks are moved against the person's as a whole, and what runs over the end comes in at the
//! beginning. Weeks in random order would not do: each side keeps its subjects for a while, and without any
//! following a real order that keeps them differs from random ones far too often (the example
//! `other_weeks` prints how often for both sides' habits).

use crate::series::OtherWeeks;

/// Most places compared, the real one among them.
const MOST: usize = 60;
/// Fewest: with fewer, even the farthest of all has a chance above 1 in 20.
const FEWEST: usize = 20;

/// The moves of a history of `n` weeks, spread evenly over all of it; `None` if they are too few.
///
/// Near ones are not left out, although a phrase taken up within 28 days still counts when the system is
/// moved by three weeks: without them the real place would stand alone among places that resemble their
/// neighbours, and be the farthest too often.
fn moves(n: usize) -> Option<Vec<usize>> {
    let places = n.min(MOST);
    (places >= FEWEST).then(|| (1..places).map(|i| i * n / places).collect())
}

/// Which way a value points when the person follows the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    Up,
    Down,
}

/// Compares the real place with others. `value(by)` is the mean with week `i` of the person beside week
/// `i + by` of the system, modulo `n`.
pub(super) fn compare(
    n: usize,
    follows: Follows,
    value: impl Fn(usize) -> f64,
) -> Option<OtherWeeks> {
    let moves = moves(n)?;
    let observed = value(0);
    let others: Vec<f64> = moves.iter().map(|&by| value(by)).collect();
    let is_as_far = |other: &&f64| match follows {
        Follows::Up => **other >= observed,
        Follows::Down => **other <= observed,
    };
    Some(OtherWeeks {
        observed,
        expected: others.iter().sum::<f64>() / others.len() as f64,
        moves: others.len() as u32,
        as_far: others.iter().filter(is_as_far).count() as u32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_even_and_never_none() {
        assert_eq!(moves(19), None);
        assert_eq!(moves(20), Some((1..20).collect()));
        for n in [60, 68, 100, 520] {
            let found = moves(n).unwrap();
            assert_eq!(found.len(), 59);
            let steps = found.windows(2).map(|m| m[1] - m[0]);
            assert!(steps.clone().max().unwrap() <= n.div_ceil(60));
            assert!(steps.min().unwrap() >= n / 60 && found[0] == n / 60);
        }
    }

    #[test]
    fn ties_are_as_far() {
        let equal = compare(40, Follows::Up, |_| 1.0).unwrap();
        assert_eq!((equal.moves, equal.as_far), (39, 39));
        let alone = compare(40, Follows::Down, |by| by.min(1) as f64).unwrap();
        assert_eq!((alone.as_far, alone.expected), (0, 1.0));
        assert!(alone.is_beyond_chance() && !equal.is_beyond_chance());
    }
}
