//! Similarity of two answers.

use std::collections::HashMap;

/// How similar two answers to one prompt are; normalised so that every answer has similarity 1 with itself.
///
/// Both are positive semi-definite. Sources: Gao, Liang, Guestrin
/// 2025 (Hamming); Leslie, Eskin, Noble 2002 (spectrum).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Number of positions with the same symbol. Positions past the end of both answers count as the
    /// same, up to the longest answer of the two samples.
    Hamming,
    /// Dot product of the counts of all runs of 1 to this many symbols.
    Spectrum(usize),
}

/// Normalised similarities of all pairs of `answers`, row by row.
pub(super) fn gram(kernel: Kernel, answers: &[&[u32]], longest: usize) -> Vec<f64> {
    let n = answers.len();
    let mut matrix = vec![0.0; n * n];
    let mut fill = |pair: &dyn Fn(usize, usize) -> f64| {
        for i in 0..n {
            for j in 0..=i {
                let value = pair(i, j);
                matrix[i * n + j] = value;
                matrix[j * n + i] = value;
            }
        }
    };
    match kernel {
        Kernel::Hamming => fill(&|i, j| {
            let (a, b) = (answers[i], answers[j]);
            let same = a.iter().zip(b).filter(|(x, y)| x == y).count();
            (same + longest - a.len().max(b.len())) as f64
        }),
        Kernel::Spectrum(up_to) => {
            let profiles = profiles(answers, up_to);
            fill(&|i, j| dot(&profiles[i], &profiles[j]));
        }
    }
    let scales: Vec<f64> = (0..n)
        .map(|i| matrix[i * n + i].sqrt())
        .map(|s| if s == 0.0 { 1.0 } else { s })
        .collect();
    for (row, a) in matrix.chunks_exact_mut(n.max(1)).zip(&scales) {
        row.iter_mut().zip(&scales).for_each(|(v, b)| *v /= a * b);
    }
    matrix
}

/// Counts of the runs of each answer, sorted by a number given to each distinct run.
fn profiles(answers: &[&[u32]], up_to: usize) -> Vec<Vec<(u32, f64)>> {
    let mut names: HashMap<&[u32], u32> = HashMap::new();
    let mut profiles = Vec::with_capacity(answers.len());
    for answer in answers {
        let mut runs: Vec<u32> = Vec::new();
        for length in 1..=up_to {
            for run in answer.windows(length) {
                let next = names.len() as u32;
                runs.push(*names.entry(run).or_insert(next));
            }
        }
        runs.sort_unstable();
        let counted = runs.chunk_by(|a, b| a == b);
        profiles.push(counted.map(|r| (r[0], r.len() as f64)).collect());
    }
    profiles
}

/// Dot product of two sorted sparse vectors.
fn dot(a: &[(u32, f64)], b: &[(u32, f64)]) -> f64 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x.0 == y.0 {
            sum += x.1 * y.1;
        }
        i += usize::from(x.0 <= y.0);
        j += usize::from(y.0 <= x.0);
    }
    sum
}
