//! ADWIN: a window that is cut wherever two parts of it differ.

use super::{Detector, moderate};
use crate::error::{Result, level, positive};
use std::collections::VecDeque;

/// Settings of [`Adwin`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdwinSettings {
    /// Confidence of a single comparison, in (0, 1).
    pub delta: f64,
    /// Splits are examined every this many observations.
    pub clock: u64,
    /// Buckets of equal size kept before two are merged.
    pub max_buckets: usize,
    /// Least observations on either side of a split.
    pub min_window_length: u64,
    /// No examination before the window holds more than this.
    pub grace_period: u64,
}

impl Default for AdwinSettings {
    fn default() -> Self {
        Self {
            delta: 0.002,
            clock: 32,
            max_buckets: 5,
            min_window_length: 5,
            grace_period: 10,
        }
    }
}

/// Adaptive window on an exponential histogram (Bifet & Gavaldà 2007).
///
/// **Assumes** independent observations; made for [0, 1], used on any scale. `delta` bounds the error of
/// one comparison, not of a stream: there is **no** run-length guarantee. Memory and work per
/// examination grow as `max_buckets log2(window)`. Bucket arithmetic as in river 0.26.
///
/// ```
/// use driftlead_stats::peers::{Adwin, AdwinSettings, Detector};
/// let mut window = Adwin::new(AdwinSettings::default())?;
/// let first = (0u32..).find(|&t| window.update(if t < 500 { t % 10 / 8 } else { t % 10 / 5 }.into()).unwrap());
/// assert!((500..700).contains(&first.unwrap()));
/// assert!(window.width() < 400);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Adwin {
    settings: AdwinSettings,
    /// Row `i` holds buckets of `2^i` observations, oldest first.
    rows: Vec<VecDeque<Bucket>>,
    width: f64,
    total: f64,
    squares: f64,
    ticks: u64,
    alarmed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    sum: f64,
    /// Sum of squared deviations from the bucket's own mean.
    squares: f64,
}

impl Adwin {
    /// An empty window.
    ///
    /// # Errors
    /// `delta` outside (0, 1), or a clock, number of buckets or window length of 0.
    pub fn new(settings: AdwinSettings) -> Result<Self> {
        level("delta", settings.delta)?;
        positive("clock", settings.clock as f64)?;
        positive("max_buckets", settings.max_buckets as f64)?;
        positive("min_window_length", settings.min_window_length as f64)?;
        Ok(Self {
            settings,
            rows: Vec::new(),
            width: 0.0,
            total: 0.0,
            squares: 0.0,
            ticks: 0,
            alarmed: false,
        })
    }

    /// Observations in the window.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.width as u64
    }

    /// Mean of the window; 0 when empty.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.width > 0.0 {
            self.total / self.width
        } else {
            0.0
        }
    }

    /// Sum of squared deviations in the window, not divided by its width.
    #[must_use]
    pub fn sum_of_squares(&self) -> f64 {
        self.squares
    }

    fn insert(&mut self, x: f64) {
        self.width += 1.0;
        if self.width > 1.0 {
            let before = self.width - 1.0;
            let gap = x - self.total / before;
            self.squares += before * gap * gap / self.width;
        }
        self.total += x;
        let mut carried = Some(Bucket {
            sum: x,
            squares: 0.0,
        });
        let mut size = 1.0;
        for row in &mut self.rows {
            let Some(bucket) = carried.take() else { return };
            row.push_back(bucket);
            if row.len() <= self.settings.max_buckets {
                return;
            }
            if let (Some(a), Some(b)) = (row.pop_front(), row.pop_front()) {
                let gap = (a.sum - b.sum) / size;
                carried = Some(Bucket {
                    sum: a.sum + b.sum,
                    squares: a.squares + b.squares + 0.5 * size * gap * gap,
                });
            }
            size *= 2.0;
        }
        if let Some(bucket) = carried {
            self.rows.push(VecDeque::from([bucket]));
        }
    }

    /// Whether some split of the window shows different means.
    fn splits(&self) -> bool {
        let least = self.settings.min_window_length as f64;
        let ln_term = (2.0 * self.width.ln() / self.settings.delta).ln();
        let noise = 2.0 * self.squares / self.width * ln_term;
        let (mut n0, mut u0) = (0.0, 0.0);
        for (i, row) in self.rows.iter().enumerate().rev() {
            let size = (1u64 << i.min(63)) as f64;
            // The newest single observation is never split off.
            let examined = row.len() - usize::from(i == 0).min(row.len());
            for bucket in row.iter().take(examined) {
                n0 += size;
                u0 += bucket.sum;
                let (n1, u1) = (self.width - n0, self.total - u0);
                if n1 < least {
                    return false;
                }
                if n0 < least {
                    continue;
                }
                let m = 1.0 / (n0 - least + 1.0) + 1.0 / (n1 - least + 1.0);
                let bound = (m * noise).sqrt() + 2.0 / 3.0 * ln_term * m;
                if (u0 / n0 - u1 / n1).abs() > bound {
                    return true;
                }
            }
        }
        false
    }

    fn drop_oldest(&mut self) {
        let size = (1u64 << (self.rows.len() - 1).min(63)) as f64;
        let Some(bucket) = self.rows.last_mut().and_then(VecDeque::pop_front) else {
            return;
        };
        self.width -= size;
        self.total -= bucket.sum;
        let mean = bucket.sum / size;
        if self.width > 0.0 {
            let gap = mean - self.total / self.width;
            self.squares -= bucket.squares + size * self.width * gap * gap / (size + self.width);
        }
        while self.rows.last().is_some_and(VecDeque::is_empty) {
            self.rows.pop();
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        (self.width, self.total, self.squares) = (0.0, 0.0, 0.0);
        (self.ticks, self.alarmed) = (0, false);
    }
}

impl Detector for Adwin {
    fn update(&mut self, x: f64) -> Result<bool> {
        moderate(x)?;
        if self.alarmed {
            self.clear();
        }
        self.insert(x);
        self.ticks += 1;
        if self.ticks.is_multiple_of(self.settings.clock)
            && self.width > self.settings.grace_period as f64
        {
            while self.width > 1.0 && self.splits() {
                self.drop_oldest();
                self.alarmed = true;
            }
        }
        Ok(self.alarmed)
    }
}
