//! The null of M10: the system's weeks in a random order. A person who follows nobody is as near to any
//! week's text as to that of the same week, so the real order is one of many equals.

use crate::series::Shuffled;
use crate::text::mix;

/// Random orders drawn. With 39, "at most one reaches the real order" has a chance of 2 in 40.
pub(super) const DRAWS: u32 = 39;
/// Fewest weeks that are put in another order.
pub(super) const FEWEST_WEEKS: usize = 8;

/// A random order of `0..n` (Fisher and Yates), the same for the same draw.
pub(super) fn order(n: usize, draw: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        let luck = mix(mix(u64::from(draw) + 1) ^ i as u64);
        order.swap(i, (luck % (i as u64 + 1)) as usize);
    }
    order
}

/// Which way a value points when the person follows the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    Up,
    Down,
}

/// Compares the real order with [`DRAWS`] others.
pub(super) fn compare(n: usize, follows: Follows, value: impl Fn(&[usize]) -> f64) -> Shuffled {
    let observed = value(&(0..n).collect::<Vec<_>>());
    let mut sum = 0.0;
    let mut as_far = 0;
    for draw in 0..DRAWS {
        let other = value(&order(n, draw));
        sum += other;
        as_far += u32::from(match follows {
            Follows::Up => other >= observed,
            Follows::Down => other <= observed,
        });
    }
    Shuffled {
        observed,
        expected: sum / f64::from(DRAWS),
        draws: DRAWS,
        as_far,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_hold_every_week_once_and_differ() {
        let mut seen: Vec<Vec<usize>> = (0..DRAWS).map(|d| order(20, d)).collect();
        for order in &seen {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..20).collect::<Vec<_>>());
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), DRAWS as usize);
    }

    #[test]
    fn every_place_is_as_likely() {
        let mut at = [0_u32; 5];
        (0..10_000).for_each(|d| at[order(5, d)[0]] += 1);
        assert!(at.iter().all(|n| (1850..2150).contains(n)), "{at:?}");
    }
}
