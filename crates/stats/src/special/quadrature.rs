//! Gauss-Legendre quadrature.

/// Nodes and weights on [-1, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct GaussLegendre {
    nodes: Vec<f64>,
    weights: Vec<f64>,
}

/// The rule with `n` nodes (at least 1), exact for polynomials of degree `2n - 1`.
///
/// Nodes are the roots of the Legendre polynomial, found by Newton's method from the asymptotic
/// start `cos(pi (i - 1/4) / (n + 1/2))`; weights `2 / ((1 - x^2) P'(x)^2)` (DLMF 3.5.20).
#[must_use]
pub fn gauss_legendre(n: usize) -> GaussLegendre {
    let n = n.max(1);
    let mut nodes = vec![0.0; n];
    let mut weights = vec![0.0; n];
    for i in 0..n.div_ceil(2) {
        let mut x = (core::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (value, derivative) = legendre(n, x);
            slope = derivative;
            let step = value / derivative;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        let weight = 2.0 / ((1.0 - x * x) * slope * slope);
        nodes[i] = -x;
        nodes[n - 1 - i] = x;
        weights[i] = weight;
        weights[n - 1 - i] = weight;
    }
    GaussLegendre { nodes, weights }
}

/// `P_n(x)` and its derivative by the three-term recursion.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut now) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (before, now) = (now, ((2.0 * k - 1.0) * x * now - (k - 1.0) * before) / k);
    }
    let derivative = n as f64 * (x * now - before) / (x * x - 1.0);
    (now, derivative)
}

impl GaussLegendre {
    /// Nodes and weights moved to `[from, to]`.
    pub fn on(&self, from: f64, to: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        let half = 0.5 * (to - from);
        let centre = 0.5 * (to + from);
        self.nodes
            .iter()
            .zip(&self.weights)
            .map(move |(x, w)| (centre + half * x, half * w))
    }

    /// Integral of `f` over `[from, to]`.
    #[must_use]
    pub fn integrate(&self, from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
        self.on(from, to).map(|(x, w)| w * f(x)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrates_polynomials_exactly() {
        for n in [1usize, 2, 5, 24] {
            let rule = gauss_legendre(n);
            let degree = 2 * n as i32 - 1;
            let exact = 2f64.powi(degree + 1) / f64::from(degree + 1);
            let ours = rule.integrate(0.0, 2.0, |x| x.powi(degree));
            assert!((ours / exact - 1.0).abs() < 1e-13, "n {n}");
        }
        let e = gauss_legendre(120).integrate(0.0, 1.0, f64::exp);
        assert!((e - (1f64.exp() - 1.0)).abs() < 1e-14);
    }
}
