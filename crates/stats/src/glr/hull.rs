//! The candidates for an upward change: vertices of a lower convex hull.

/// A point `(n, S_n)` of the hull.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    /// Number of observations before it.
    pub(super) time: f64,
    /// Their sum.
    pub(super) sum: f64,
    /// Sum over the edges up to here of `(rise)^2 / (2 run)`: the fit of one Gaussian mean per edge,
    /// hence at least the fit of any two means on the hull's vertices up to here.
    pub(super) fit: f64,
}

/// Lower convex hull of the points `(n, S_n)`, newest last.
///
/// Only its vertices can maximise the likelihood ratio of an upward change (Romano, Eckley, Fearnhead,
/// Rigaill 2023, "Fast online changepoint detection via functional pruning CUSUM statistics", JMLR 24).
#[derive(Debug, Clone)]
pub(super) struct Hull {
    vertices: Vec<Vertex>,
    /// With a known level a change must start at a minimum of the centred sum.
    from_minimum: bool,
}

impl Hull {
    pub(super) fn new(from_minimum: bool) -> Self {
        Self {
            vertices: vec![Vertex {
                time: 0.0,
                sum: 0.0,
                fit: 0.0,
            }],
            from_minimum,
        }
    }

    /// Adds the point `(n, sum)`; `n` exceeds every earlier one.
    #[inline]
    pub(super) fn push(&mut self, n: f64, sum: f64) {
        while let &[.., a, b] = self.vertices.as_slice() {
            // The middle point survives only where the slope increases.
            if (b.sum - a.sum) * (n - b.time) < (sum - b.sum) * (b.time - a.time) {
                break;
            }
            self.vertices.pop();
        }
        let fit = match *self.vertices.as_slice() {
            // Observations before a new minimum cannot belong to a change from a known level.
            [only] if self.from_minimum && sum <= only.sum => {
                self.vertices.clear();
                0.0
            }
            [.., last] => {
                let rise = sum - last.sum;
                last.fit + rise * rise / (2.0 * (n - last.time))
            }
            [] => 0.0,
        };
        self.vertices.push(Vertex { time: n, sum, fit });
    }

    /// The candidates, oldest first. The newest vertex is the newest point itself.
    #[inline]
    pub(super) fn candidates(&self) -> &[Vertex] {
        &self.vertices
    }

    pub(super) fn len(&self) -> usize {
        self.vertices.len()
    }
}
