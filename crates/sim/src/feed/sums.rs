//! Sums over people that do not depend on the order of the work: every value is rounded to 2⁻⁴⁰ and
//! added as an integer.

use serde::{Deserialize, Serialize};

/// 2⁴⁰.
const UNIT: f64 = 1_099_511_627_776.0;

/// A sum of numbers, each rounded to 2⁻⁴⁰. A value that is not a number counts as 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed(i128);

impl Fixed {
    /// Adds a value.
    pub fn add(&mut self, x: f64) {
        self.0 += (x * UNIT).round() as i128;
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: Fixed) {
        self.0 += other.0;
    }

    /// The sum.
    pub fn value(self) -> f64 {
        self.0 as f64 / UNIT
    }
}

/// Number, sum and sum of squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    n: u64,
    sum: Fixed,
    square: Fixed,
}

impl Moments {
    /// Adds a value.
    pub fn add(&mut self, x: f64) {
        self.n += 1;
        self.sum.add(x);
        self.square.add(x * x);
    }

    /// Adds other values.
    pub fn merge(&mut self, other: &Moments) {
        self.n += other.n;
        self.sum.merge(other.sum);
        self.square.merge(other.square);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.n
    }

    /// Their mean; NaN of none.
    pub fn mean(&self) -> f64 {
        self.sum.value() / self.n as f64
    }

    /// Population variance.
    pub fn variance(&self) -> f64 {
        (self.square.value() / self.n as f64 - self.mean() * self.mean()).max(0.0)
    }

    /// Mean and its standard error, of independent values; no error below two values.
    pub fn estimate(&self) -> Estimate {
        let se = match self.n {
            0 | 1 => None,
            n => Some((self.variance() / (n - 1) as f64).sqrt()),
        };
        Estimate {
            mean: self.mean(),
            se,
        }
    }
}

/// A mean and its standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Standard error, where there is one.
    pub se: Option<f64>,
}

/// Counts of lock-in in one of the groups of people that uncertainty is computed from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LockCounts {
    /// People.
    pub people: u64,
    /// People by final content, as it is.
    pub by_content: Vec<u64>,
    /// People by final content, nobody sensitised.
    pub by_content_frozen: Vec<u64>,
    /// People whose final content is another with other luck, as it is.
    pub other_luck: u64,
    /// The same with nobody sensitised.
    pub other_luck_frozen: u64,
    /// Locked people.
    pub locked: u64,
    /// Of these, to the content that they react to most without what exposure has added.
    pub to_own_best: u64,
    /// Of the rest, those who would have ended there without sensitisation too.
    pub by_luck: u64,
    /// Of the rest, those who would have ended at their own best content without sensitisation.
    pub by_sensitisation: u64,
    /// The remaining ones.
    pub by_both: u64,
}

impl LockCounts {
    /// No people, `k` contents.
    pub fn new(k: usize) -> Self {
        LockCounts {
            by_content: vec![0; k],
            by_content_frozen: vec![0; k],
            ..LockCounts::default()
        }
    }

    /// Adds other people.
    pub fn merge(&mut self, other: &LockCounts) {
        let add = |a: &mut [u64], b: &[u64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.by_content, &other.by_content);
        add(&mut self.by_content_frozen, &other.by_content_frozen);
        self.people += other.people;
        self.other_luck += other.other_luck;
        self.other_luck_frozen += other.other_luck_frozen;
        self.locked += other.locked;
        self.to_own_best += other.to_own_best;
        self.by_luck += other.by_luck;
        self.by_sensitisation += other.by_sensitisation;
        self.by_both += other.by_both;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_does_not_matter_and_the_moments_are_right() {
        let x: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 97) * 0.1).collect();
        let sum = |order: &mut dyn Iterator<Item = &f64>| {
            let mut m = Moments::default();
            order.for_each(|v| m.add(*v));
            m
        };
        let (forth, back) = (sum(&mut x.iter()), sum(&mut x.iter().rev()));
        assert_eq!(forth, back);
        let (mut a, b) = (sum(&mut x[..300].iter()), sum(&mut x[300..].iter()));
        a.merge(&b);
        assert_eq!(a, forth);
        let mean = x.iter().sum::<f64>() / 1000.0;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 1000.0;
        assert!((forth.mean() - mean).abs() < 1e-9);
        assert!((forth.variance() - variance).abs() < 1e-8);
        let se = forth.estimate().se.unwrap();
        assert!((se - (variance / 999.0).sqrt()).abs() < 1e-8);
        assert_eq!(sum(&mut [1.0].iter()).estimate().se, None);
    }
}
