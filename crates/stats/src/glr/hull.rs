//! The candidates for an upward change: vertices of a lower convex hull.

/// Lower convex hull of the points `(n, S_n)`, newest last.
///
/// Only its vertices can maximise the likelihood ratio of an upward change (Romano, Eckley, Fearnhead,
/// Rigaill 2023, "Fast online changepoint detection via functional pruning CUSUM statistics", JMLR 24).
#[derive(Debug, Clone)]
pub(super) struct Hull {
    times: Vec<f64>,
    sums: Vec<f64>,
    /// With a known level a change must start at a minimum of the centred sum.
    from_minimum: bool,
}

impl Hull {
    pub(super) fn new(from_minimum: bool) -> Self {
        Self {
            times: vec![0.0],
            sums: vec![0.0],
            from_minimum,
        }
    }

    /// Adds the point `(n, sum)`; `n` exceeds every earlier one.
    #[inline]
    pub(super) fn push(&mut self, n: f64, sum: f64) {
        while let (&[.., t1, t2], &[.., s1, s2]) = (self.times.as_slice(), self.sums.as_slice()) {
            // The middle point survives only where the slope increases.
            if (s2 - s1) * (n - t2) < (sum - s2) * (t2 - t1) {
                break;
            }
            self.times.pop();
            self.sums.pop();
        }
        if self.from_minimum && self.sums.len() == 1 && self.sums.first().is_some_and(|&s| sum <= s)
        {
            self.times.clear();
            self.sums.clear();
        }
        self.times.push(n);
        self.sums.push(sum);
    }

    /// The candidates as `(time, sum)`.
    #[inline]
    pub(super) fn candidates(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.times.iter().copied().zip(self.sums.iter().copied())
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }
}
