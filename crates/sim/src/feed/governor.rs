//! Levers over a feed, each with one dose.

use crate::parts::Governor;
use crate::portable::{exp, ln};

/// The levers of a scenario. Every field at its default leaves the feed alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levers {
    /// Share of exposures drawn evenly over all contents, 0 to 1.
    pub floor: f64,
    /// Temperature ≥ 1: the distribution becomes p^(1/temperature), renormalised.
    pub temperature: f64,
    /// Largest probability of one content, 1/K to 1; what is over is spread over the others.
    pub cap: f64,
    /// Exposures per day at most.
    pub daily: u32,
    /// Days after which one day has nothing shown, 0 for never: 6 pauses every seventh day.
    pub pause_after: u32,
    /// Evidence (e-value) from which the levers above act; 0 always.
    pub threshold: f64,
}

impl Default for Levers {
    fn default() -> Self {
        Levers {
            floor: 0.0,
            temperature: 1.0,
            cap: 1.0,
            daily: u32::MAX,
            pause_after: 0,
            threshold: 0.0,
        }
    }
}

impl Governor for Levers {
    fn constrain(&self, evidence: f64, p: &mut [f64]) {
        if evidence < self.threshold {
            return;
        }
        if self.temperature > 1.0 {
            cool(p, self.temperature);
        }
        if self.floor > 0.0 {
            let even = self.floor / p.len() as f64;
            p.iter_mut()
                .for_each(|q| *q = (1.0 - self.floor) * *q + even);
        }
        if self.cap < 1.0 {
            cap(p, self.cap);
        }
    }

    fn shows(&self, day: u32, place: u32) -> bool {
        let pauses = self.pause_after > 0 && day % (self.pause_after + 1) == self.pause_after;
        place < self.daily && !pauses
    }
}

fn cool(p: &mut [f64], temperature: f64) {
    let mut sum = 0.0;
    for q in p.iter_mut() {
        // Below 1e-300 a share stays 0; the logarithm of 0 has no power.
        *q = if *q > 1e-300 {
            exp((ln(*q) / temperature).max(-700.0))
        } else {
            0.0
        };
        sum += *q;
    }
    p.iter_mut().for_each(|q| *q /= sum);
}

/// Water-filling: no share above `top`; the excess goes to the others in proportion to what they
/// have, or evenly where they have nothing. A cap below 1/K gives the even distribution.
fn cap(p: &mut [f64], top: f64) {
    let k = p.len();
    let top = top.max(1.0 / k as f64);
    for _ in 0..k {
        let excess: f64 = p.iter().map(|q| (q - top).max(0.0)).sum();
        if excess <= 1e-15 {
            return;
        }
        let free: f64 = p.iter().filter(|q| **q < top).sum();
        let places = p.iter().filter(|q| **q < top).count().max(1) as f64;
        for q in p.iter_mut() {
            *q = if *q >= top {
                top
            } else if free > 1e-12 {
                *q * (1.0 + excess / free)
            } else {
                *q + excess / places
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(levers: Levers, p: [f64; 4]) -> [f64; 4] {
        let mut q = p;
        levers.constrain(1.0, &mut q);
        assert!((q.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{q:?}");
        q
    }

    #[test]
    fn each_lever_does_what_it_says() {
        let p = [0.9, 0.06, 0.04, 0.0];
        assert_eq!(after(Levers::default(), p), p);
        let floor = after(
            Levers {
                floor: 0.2,
                ..Levers::default()
            },
            p,
        );
        assert!((floor[3] - 0.05).abs() < 1e-12);
        let capped = after(
            Levers {
                cap: 0.5,
                ..Levers::default()
            },
            p,
        );
        assert!(capped.iter().all(|q| *q <= 0.5 + 1e-9), "{capped:?}");
        let even = after(
            Levers {
                cap: 0.0,
                ..Levers::default()
            },
            p,
        );
        assert!(even.iter().all(|q| (*q - 0.25).abs() < 1e-6), "{even:?}");
        let cool = after(
            Levers {
                temperature: 2.0,
                ..Levers::default()
            },
            p,
        );
        assert!(cool[0] < 0.9 && cool[0] > cool[1] && cool[1] > cool[2]);
        assert!((cool[0] / cool[1] - (0.9f64 / 0.06).sqrt()).abs() < 1e-9);
        let waiting = Levers {
            cap: 0.5,
            threshold: 20.0,
            ..Levers::default()
        };
        assert_eq!(after(waiting, p), p);
        assert!(
            Levers {
                daily: 3,
                ..Levers::default()
            }
            .shows(0, 2)
        );
        let weekly = Levers {
            pause_after: 6,
            ..Levers::default()
        };
        let paused: Vec<u32> = (0..21).filter(|d| !weekly.shows(*d, 0)).collect();
        assert_eq!(paused, [6, 13, 20]);
        assert!(
            !Levers {
                daily: 3,
                ..Levers::default()
            }
            .shows(0, 3)
        );
    }
}
