//! The kernel two-sample test, all permutations from one kernel matrix.

use super::kernel::gram;
use super::{Kernel, Sample};
use crate::error::{Result, StatsError, within};
use crate::rng::Stream;
use std::collections::BTreeMap;

/// Purpose of the random stream.
const PERMUTE: u16 = 42;

/// Between which answers labels are exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Among the answers to one prompt: exact whatever the two sets of prompts are.
    WithinPrompts,
    /// Among all answers, as the published implementation does: needs prompts drawn alike in both samples.
    Pooled,
}

/// Outcome of a permutation test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permutations {
    /// `(1 + reached)/(1 + permutations)`.
    pub p: f64,
    /// Permutations whose statistic reached the observed one.
    pub reached: u32,
    /// Permutations drawn.
    pub permutations: u32,
}

/// Answers to one prompt: similarities of all pairs, sums of rows without the diagonal, answers of the
/// first sample come first.
#[derive(Debug, Clone)]
struct Stratum {
    size: usize,
    first: usize,
    matrix: Vec<f64>,
    row_sums: Vec<f64>,
    total: f64,
}

/// Sums of similarities and numbers of pairs, per ordered pair of labels.
#[derive(Default, Clone, Copy)]
struct Sums {
    within_first: f64,
    across: f64,
    within_second: f64,
    pairs_first: f64,
    pairs_across: f64,
    pairs_second: f64,
}

impl Sums {
    /// Mean similarity within the samples minus twice that across; a mean over no pair counts 0.
    fn statistic(&self) -> f64 {
        let mean = |sum: f64, pairs: f64| if pairs > 0.0 { sum / pairs } else { 0.0 };
        mean(self.within_first, self.pairs_first) - 2.0 * mean(self.across, self.pairs_across)
            + mean(self.within_second, self.pairs_second)
    }
}

/// Unbiased squared maximum mean discrepancy between answers to the same prompts.
///
/// `MMD^2 = mean k(x, x') - 2 mean k(x, y) + mean k(y, y')` over pairs that share a prompt, without an answer
/// paired with itself. **Assumes** that answers to a prompt are exchangeable between the samples under the
/// null. **Guarantee**: the p-value of [`Scheme::WithinPrompts`] is exact for every kernel and every allocation
/// of prompts. Source: Gretton and others 2012; for systems Gao, Liang, Guestrin 2025 ("Model equality
/// testing").
///
/// The similarities are computed once; a permutation only adds up entries.
///
/// ```
/// use driftlead_stats::two_sample::{Kernel, KernelTest, Sample, Scheme};
/// let answers = |symbol: u32| (0..20).map(|i| vec![symbol, i % 3, i % 2]).collect::<Vec<_>>();
/// let prompts: Vec<u32> = (0..20).map(|i| i % 4).collect();
/// let before = Sample::new(prompts.clone(), answers(1))?;
/// let after = Sample::new(prompts, answers(2))?;
/// let test = KernelTest::new(&before, &after, Kernel::Hamming)?;
/// assert!(test.statistic() > 0.0);
/// assert!(test.permute(999, 1, Scheme::WithinPrompts)?.p < 0.01);
/// # Ok::<(), driftlead_stats::StatsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct KernelTest {
    strata: Vec<Stratum>,
    observed: f64,
}

impl KernelTest {
    /// Computes the similarities, `O(answers per prompt squared)` per prompt.
    ///
    /// # Errors
    /// Undefined when no prompt occurs in both samples; a spectrum kernel over runs of length 0.
    pub fn new(first: &Sample, second: &Sample, kernel: Kernel) -> Result<Self> {
        if let Kernel::Spectrum(up_to) = kernel {
            within("length of runs", up_to as f64, "at least 1", |l| l >= 1.0)?;
        }
        let mut groups: BTreeMap<u32, (Vec<&[u32]>, usize)> = BTreeMap::new();
        for (prompt, answer) in first.prompts.iter().zip(&first.answers) {
            let group = groups.entry(*prompt).or_default();
            group.0.push(answer);
            group.1 += 1;
        }
        for (prompt, answer) in second.prompts.iter().zip(&second.answers) {
            groups.entry(*prompt).or_default().0.push(answer);
        }
        if !groups.values().any(|(all, n)| *n > 0 && *n < all.len()) {
            return Err(StatsError::Undefined {
                what: "a two-sample test",
                because: "no prompt occurs in both samples",
            });
        }
        let answers = || first.answers.iter().chain(&second.answers);
        let longest = answers().map(Vec::len).max().unwrap_or(0);
        let strata: Vec<Stratum> = groups
            .into_values()
            .map(|(all, first)| Stratum::new(gram(kernel, &all, longest), all.len(), first))
            .collect();
        let mut sums = Sums::default();
        for stratum in &strata {
            let labels: Vec<u32> = (0..stratum.first as u32).collect();
            stratum.add(&labels, &mut sums);
        }
        Ok(Self {
            strata,
            observed: sums.statistic(),
        })
    }

    /// The statistic; can be negative, 0 on average when nothing has changed.
    #[must_use]
    pub fn statistic(&self) -> f64 {
        self.observed
    }

    /// P-value from `permutations` random exchanges of labels; the same seed gives the same p.
    ///
    /// # Errors
    /// No permutation; more than 2^32 - 1 answers.
    pub fn permute(&self, permutations: u32, seed: u64, scheme: Scheme) -> Result<Permutations> {
        within("permutations", f64::from(permutations), "at least 1", |p| {
            p >= 1.0
        })?;
        // Rounding of sums in another order must not turn a tie into a miss.
        let bar = self.observed - 1e-12 * self.observed.abs().max(1e-3);
        let mut deck = Deck::new(&self.strata, scheme);
        let mut reached = 0;
        for round in 0..permutations {
            let mut luck = Stream::new(seed, 0, round, PERMUTE);
            let mut sums = Sums::default();
            deck.deal(&self.strata, &mut luck);
            for (stratum, chosen) in self.strata.iter().zip(&deck.chosen) {
                stratum.add(chosen, &mut sums);
            }
            reached += u32::from(sums.statistic() >= bar);
        }
        Ok(Permutations {
            p: (1.0 + f64::from(reached)) / (1.0 + f64::from(permutations)),
            reached,
            permutations,
        })
    }
}

impl Stratum {
    fn new(matrix: Vec<f64>, size: usize, first: usize) -> Self {
        let row_sums: Vec<f64> = (0..size)
            .map(|i| matrix[i * size..(i + 1) * size].iter().sum::<f64>() - matrix[i * size + i])
            .collect();
        Self {
            size,
            first,
            total: row_sums.iter().sum(),
            matrix,
            row_sums,
        }
    }

    /// Adds this prompt's sums when `chosen` answers carry the first label. Only pairs within them are
    /// visited: the rest follows from the sums of rows.
    fn add(&self, chosen: &[u32], sums: &mut Sums) {
        let mut inside = 0.0;
        let mut rows = 0.0;
        for (k, &i) in chosen.iter().enumerate() {
            let start = i as usize * self.size;
            let row = &self.matrix[start..start + self.size];
            inside += chosen[..k].iter().map(|&j| row[j as usize]).sum::<f64>();
            rows += self.row_sums[i as usize];
        }
        let within_first = 2.0 * inside;
        let across = rows - within_first;
        let (n, m) = (chosen.len() as f64, (self.size - chosen.len()) as f64);
        sums.within_first += within_first;
        sums.across += across;
        sums.within_second += self.total - within_first - 2.0 * across;
        sums.pairs_first += n * (n - 1.0);
        sums.pairs_across += n * m;
        sums.pairs_second += m * (m - 1.0);
    }
}

/// Cards to be dealt: `(stratum, place)` or places per stratum.
struct Deck {
    scheme: Scheme,
    places: Vec<Vec<u32>>,
    pool: Vec<(u32, u32)>,
    chosen: Vec<Vec<u32>>,
}

impl Deck {
    fn new(strata: &[Stratum], scheme: Scheme) -> Self {
        let places: Vec<Vec<u32>> = strata
            .iter()
            .map(|s| (0..s.size as u32).collect())
            .collect();
        let pool = places
            .iter()
            .enumerate()
            .flat_map(|(s, p)| p.iter().map(move |&i| (s as u32, i)))
            .collect();
        Self {
            scheme,
            chosen: vec![Vec::new(); strata.len()],
            places,
            pool,
        }
    }

    /// A fresh random choice of the answers with the first label.
    fn deal(&mut self, strata: &[Stratum], luck: &mut Stream) {
        self.chosen.iter_mut().for_each(Vec::clear);
        match self.scheme {
            Scheme::WithinPrompts => {
                for ((stratum, places), chosen) in
                    strata.iter().zip(&mut self.places).zip(&mut self.chosen)
                {
                    draw(places, stratum.first, luck);
                    chosen.extend_from_slice(&places[..stratum.first]);
                }
            }
            Scheme::Pooled => {
                let count = strata.iter().map(|s| s.first).sum();
                draw(&mut self.pool, count, luck);
                for &(stratum, place) in &self.pool[..count] {
                    self.chosen[stratum as usize].push(place);
                }
            }
        }
    }
}

/// Moves a random choice of `count` cards to the front (Fisher-Yates, stopped early).
fn draw<T>(cards: &mut [T], count: usize, luck: &mut Stream) {
    let n = cards.len();
    for k in 0..count.min(n) {
        let other = k + luck.below((n - k) as u32) as usize;
        cards.swap(k, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statistic by its definition, from labels over all answers.
    fn by_definition(test: &KernelTest, labels: &[Vec<bool>]) -> f64 {
        let (mut sums, mut counts) = ([0.0; 3], [0.0; 3]);
        for (stratum, labels) in test.strata.iter().zip(labels) {
            for i in 0..stratum.size {
                for j in (0..stratum.size).filter(|&j| j != i) {
                    let kind = usize::from(labels[i]) + usize::from(labels[j]);
                    sums[kind] += stratum.matrix[i * stratum.size + j];
                    counts[kind] += 1.0;
                }
            }
        }
        sums[2] / counts[2] - 2.0 * sums[1] / counts[1] + sums[0] / counts[0]
    }

    #[test]
    fn sums_follow_the_definition_under_any_labels() {
        let mut luck = Stream::new(3, 0, 0, 0);
        let mut draw_sample = |n: usize| {
            let prompts = (0..n).map(|_| luck.below(3)).collect();
            let answers = (0..n)
                .map(|_| (0..4 + luck.below(3)).map(|_| luck.below(4)).collect())
                .collect();
            Sample::new(prompts, answers).unwrap()
        };
        let (a, b) = (draw_sample(17), draw_sample(23));
        for kernel in [Kernel::Hamming, Kernel::Spectrum(3)] {
            let test = KernelTest::new(&a, &b, kernel).unwrap();
            for scheme in [Scheme::WithinPrompts, Scheme::Pooled] {
                let mut deck = Deck::new(&test.strata, scheme);
                for _ in 0..20 {
                    deck.deal(&test.strata, &mut luck);
                    let mut sums = Sums::default();
                    let mut labels = Vec::new();
                    for (stratum, chosen) in test.strata.iter().zip(&deck.chosen) {
                        stratum.add(chosen, &mut sums);
                        let marks = (0..stratum.size).map(|i| chosen.contains(&(i as u32)));
                        labels.push(marks.collect::<Vec<_>>());
                    }
                    assert!((sums.statistic() - by_definition(&test, &labels)).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn null_p_values_are_uniform_even_when_prompts_differ() {
        // The second sample has other shares of prompts: exchange within prompts stays exact.
        let mut small = [0u32; 2];
        let trials = 400u32;
        for trial in 0..trials {
            let mut luck = Stream::new(9, u64::from(trial), 0, 0);
            let mut draw_sample = |skew: u32| {
                let prompts: Vec<u32> = (0..20).map(|i| u32::from(i % 10 < skew)).collect();
                let answers = prompts
                    .iter()
                    .map(|&p| (0..5).map(|_| p * 7 + luck.below(3)).collect())
                    .collect();
                Sample::new(prompts, answers).unwrap()
            };
            let (a, b) = (draw_sample(3), draw_sample(6));
            let test = KernelTest::new(&a, &b, Kernel::Hamming).unwrap();
            let p = test
                .permute(99, u64::from(trial), Scheme::WithinPrompts)
                .unwrap()
                .p;
            small[0] += u32::from(p <= 0.05);
            small[1] += u32::from(p <= 0.5);
        }
        assert!((8..=34).contains(&small[0]), "{small:?}");
        assert!((160..=240).contains(&small[1]), "{small:?}");
    }
}
