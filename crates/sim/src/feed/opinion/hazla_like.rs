//! Everybody is shown the same items, and each person moves toward what agrees with them and away
//! from what does not: u ← (u + η·⟨u, v⟩·v)/‖·‖ (Hązła, Jin, Mossel & Ramnarayan 2019, as others
//! describe it; the equation was not read in the paper).

use super::purpose;
use crate::draw::Draws;

/// Constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hazla {
    /// People.
    pub people: usize,
    /// Dimensions of opinion, ≥ 2.
    pub dimensions: usize,
    /// Rate η.
    pub rate: f64,
    /// Items, each shown to everybody, uniform on the sphere.
    pub items: u32,
}

impl Hazla {
    /// Share of people with |⟨u, pole⟩| above `near`; the pole is the principal axis of all people.
    pub fn near_pole(&self, seed: u64, near: f64) -> f64 {
        let draws = Draws::new(seed);
        let direction = |user: u64, step: u32| {
            let mut luck = draws.sequence(user, step, purpose::HAZLA);
            unit((0..self.dimensions).map(|_| luck.normal()).collect())
        };
        let mut all: Vec<Vec<f64>> = (1..=self.people as u64).map(|u| direction(u, 0)).collect();
        for t in 0..self.items {
            let item = direction(0, t);
            for u in &mut all {
                let push = self.rate * dot(u, &item);
                u.iter_mut().zip(&item).for_each(|(u, v)| *u += push * v);
                *u = unit(std::mem::take(u));
            }
        }
        let pole = principal(&all, self.dimensions);
        let there = all.iter().filter(|u| dot(u, &pole).abs() > near).count();
        there as f64 / self.people as f64
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn unit(mut v: Vec<f64>) -> Vec<f64> {
    let length = dot(&v, &v).sqrt();
    v.iter_mut().for_each(|x| *x /= length);
    v
}

/// Principal axis, by power iteration from a direction that is not special.
fn principal(all: &[Vec<f64>], dimensions: usize) -> Vec<f64> {
    let mut axis = unit((0..dimensions).map(|i| 1.0 + 0.1 * i as f64).collect());
    for _ in 0..200 {
        let mut next = vec![0.0; dimensions];
        for u in all {
            let along = dot(u, &axis);
            next.iter_mut().zip(u).for_each(|(n, x)| *n += along * x);
        }
        axis = unit(next);
    }
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_poles_form_in_time_and_not_at_once() {
        let world = |items| Hazla {
            people: 200,
            dimensions: 4,
            rate: 0.3,
            items,
        };
        assert!(world(0).near_pole(1, 0.95) < 0.3);
        assert!(world(2000).near_pole(1, 0.95) > 0.95);
    }
}
