//! Where people end among three groups of contents: counts in the small triangles of a triangle.

use serde::{Deserialize, Serialize};

/// Small triangles along a side.
pub const SIDE: usize = 10;

/// People by place in the triangle, whose places are shares of three groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts(Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Counts(vec![0; 2 * SIDE * SIDE])
    }
}

impl Counts {
    /// Adds a person with shares of three groups, which are taken relative to their sum. A person who
    /// was shown nothing is nowhere.
    pub fn add(&mut self, shares: [f64; 3]) {
        let sum: f64 = shares.iter().sum();
        if sum > 0.0 {
            let [a, b, turned] = place(shares.map(|p| p / sum));
            if let Some(n) = self.0.get_mut(2 * (a * SIDE + b) + turned) {
                *n += 1;
            }
        }
    }

    /// Adds other people.
    pub fn merge(&mut self, other: &Counts) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a += b);
    }

    /// Whether it has as many triangles as another.
    pub fn fits(&self, other: &Counts) -> bool {
        self.0.len() == other.0.len()
    }

    /// The counts with the names of the groups.
    pub fn named(&self, corners: [String; 3]) -> Simplex {
        let cell = |(i, n): (usize, &u64)| {
            let (a, b, turned) = (i / 2 / SIDE, i / 2 % SIDE, i % 2);
            let least = [a, b, (SIDE - 1).saturating_sub(a + b + turned)];
            let least = least.map(|x| x as f64 / SIDE as f64);
            (*n > 0).then_some(Cell {
                least,
                turned: turned == 1,
                people: *n,
            })
        };
        Simplex {
            corners,
            side: SIDE,
            people: self.0.iter().sum(),
            cells: self.0.iter().enumerate().filter_map(cell).collect(),
        }
    }
}

/// Tenths of the first two groups, and whether the small triangle stands on its tip.
fn place(p: [f64; 3]) -> [usize; 3] {
    let mut tenths = p.map(|x| ((x * SIDE as f64) as usize).min(SIDE - 1));
    // On a line between triangles the tenths add up to the whole side.
    if tenths.iter().sum::<usize>() >= SIDE {
        let largest = (0..3).fold(0, |m, i| if tenths[i] > tenths[m] { i } else { m });
        tenths[largest] -= 1;
    }
    let [a, b, c] = tenths;
    [a, b, usize::from(a + b + c + 1 < SIDE)]
}

/// People by where they end among three groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Simplex {
    /// Names of the groups.
    pub corners: [String; 3],
    /// Small triangles along a side.
    pub side: usize,
    /// People.
    pub people: u64,
    /// Triangles with somebody in them.
    pub cells: Vec<Cell>,
}

/// A small triangle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cell {
    /// Least share of each group.
    pub least: [f64; 3],
    /// Whether it stands on its tip: the shares add up to the whole two steps above the least ones,
    /// not one.
    pub turned: bool,
    /// People in it.
    pub people: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_in_the_triangle_that_their_shares_say() {
        let of = |shares: [f64; 3]| {
            let mut counts = Counts::default();
            counts.add(shares);
            let all = counts.named(["a", "b", "c"].map(str::to_owned));
            assert_eq!(all.people, 1, "{shares:?}");
            (all.cells[0].least, all.cells[0].turned)
        };
        assert_eq!(of([1.0, 0.0, 0.0]), ([0.9, 0.0, 0.0], false));
        assert_eq!(of([0.0, 0.0, 3.0]), ([0.0, 0.0, 0.9], false));
        assert_eq!(of([0.35, 0.35, 0.3]), ([0.3, 0.3, 0.3], false));
        assert_eq!(of([0.36, 0.36, 0.28]), ([0.3, 0.3, 0.2], true));
        assert!(!of([0.5, 0.5, 0.0]).1);
        for i in 0..=40 {
            for j in 0..=(40 - i) {
                let p = [f64::from(i), f64::from(j), f64::from(40 - i - j)];
                let (least, turned) = of(p);
                let sum: f64 = least.iter().sum();
                let left = if turned { 0.8 } else { 0.9 };
                assert!((sum - left).abs() < 1e-9, "{p:?} {least:?}");
                let over = (p.iter().zip(least)).map(|(p, l)| p / 40.0 - l);
                assert!(
                    over.clone().all(|o| (-1e-9..=0.1 + 1e-9).contains(&o)),
                    "{p:?}"
                );
            }
        }
        let mut nobody = Counts::default();
        nobody.add([0.0; 3]);
        assert_eq!(nobody, Counts::default());
    }
}
