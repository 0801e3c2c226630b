//! The candidates for an upward change: vertices of a lower convex hull.

/// A point `(n, S_n)` of the hull.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vertex {
    /// Number of observations before it.
    pub(super) time: f64,
    /// Their sum.
    pub(super) sum: f64,
    /// `1 / time`.
    pub(super) inverse: f64,
}

impl Vertex {
    #[inline]
    pub(super) fn new(time: f64, sum: f64) -> Self {
        Self {
            time,
            sum,
            inverse: time.recip(),
        }
    }
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
            vertices: vec![Vertex::new(0.0, 0.0)],
            from_minimum,
        }
    }

    /// Adds the point `(n, sum)`; `n` exceeds every earlier one.
    #[inline]
    pub(super) fn push(&mut self, n: f64, sum: f64) {
        while let &[.., a, b] = self.vertices.as_slice() {
            // The middle point survives only where the slope increases.
            if convex((a.time, a.sum), (b.time, b.sum), (n, sum)) {
                break;
            }
            self.vertices.pop();
        }
        // Observations before a new minimum cannot belong to a change from a known level.
        if matches!(*self.vertices.as_slice(), [only] if self.from_minimum && sum <= only.sum) {
            self.vertices.clear();
        }
        self.vertices.push(Vertex::new(n, sum));
    }

    /// Adds points in the order of time, as [`Self::push`] would. The two newest vertices stay in registers
    /// throughout, which makes this the faster one where there are several.
    #[inline]
    pub(super) fn extend(&mut self, points: impl Iterator<Item = (f64, f64)>) {
        let mut len = self.vertices.len();
        let newest = |vertices: &[Vertex], back: usize| {
            let vertex = vertices.iter().rev().nth(back);
            vertex.map(|v| (v.time, v.sum))
        };
        let (Some(mut b), mut a) = (newest(&self.vertices, 0), newest(&self.vertices, 1)) else {
            return;
        };
        for point in points {
            while let Some(before) = a {
                if convex(before, b, point) {
                    break;
                }
                b = before;
                len -= 1;
                a = newest(&self.vertices[..len], 1);
            }
            if a.is_none() && self.from_minimum && point.1 <= b.1 {
                len = 0;
            }
            self.vertices.truncate(len);
            self.vertices.push(Vertex::new(point.0, point.1));
            a = (len > 0).then_some(b);
            b = point;
            len += 1;
        }
    }

    /// The candidates, oldest first. The newest vertex is the newest point itself.
    #[inline]
    pub(super) fn candidates(&self) -> &[Vertex] {
        &self.vertices
    }
}

/// Whether the point `b` lies below the chord from `a` to `c`; points are (time, sum).
#[inline]
pub(super) fn convex(a: (f64, f64), b: (f64, f64), c: (f64, f64)) -> bool {
    (b.1 - a.1) * (c.0 - b.0) < (c.1 - b.1) * (b.0 - a.0)
}

/// Running maximum of `gain^2 / span` over candidates, compared without divisions.
pub(super) struct Best {
    square: f64,
    span: f64,
    change: f64,
}

impl Best {
    pub(super) const NONE: Self = Self {
        square: 0.0,
        span: 1.0,
        change: 0.0,
    };

    /// Considers a change at `vertex` when `n` observations have the sum `sum`.
    #[inline]
    pub(super) fn offer(&mut self, vertex: Vertex, n: f64, sum: f64, known: bool) {
        let (k, s) = (vertex.time, vertex.sum);
        let (gain, span) = if known {
            (sum - s, n - k)
        } else {
            (k * sum - n * s, k * (n - k))
        };
        let square = gain * gain;
        if gain > 0.0 && span > 0.0 && square * self.span > self.square * span {
            *self = Self {
                square,
                span,
                change: k,
            };
        }
    }

    /// The Gaussian likelihood ratio of the best candidate.
    pub(super) fn scan(&self, n: f64, known: bool) -> super::Scan {
        let scale = if known { 2.0 } else { 2.0 * n };
        let statistic = if self.square > 0.0 {
            self.square / (scale * self.span)
        } else {
            0.0
        };
        super::Scan {
            statistic,
            change: self.change as u64,
        }
    }
}
