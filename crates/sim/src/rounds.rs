//! Work over pairs of people, in rounds: on all cores, with progress, checkpoints and a way to stop.
//!
//! Sums are integers, so neither the threads nor the size of a round change a byte of the result.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checkpoint::{self, CheckpointError, Identity};

/// A round takes about this long: between two looks at the clock and at whether to stop.
const ROUND: Duration = Duration::from_millis(500);
/// Time between two checkpoints.
const EVERY: Duration = Duration::from_secs(10);

/// How to run: nothing here changes the result.
#[derive(Default)]
pub struct Control<'a> {
    /// Told how many people are done, now and then, from one thread.
    pub progress: Option<&'a (dyn Fn(u64) + Sync)>,
    /// Ends the run at the next opportunity, with a last checkpoint.
    pub stop: Option<&'a AtomicBool>,
    /// Where to keep what is done.
    pub checkpoint: Option<PathBuf>,
    /// Time between two checkpoints; ten seconds without it.
    pub every: Option<Duration>,
    /// Go on from the checkpoint, if there is one.
    pub resume: bool,
}

/// Sums over people that can be added in any order.
pub trait Sums: Serialize + DeserializeOwned + Send {
    /// People in the sums.
    fn people(&self) -> u64;
    /// Adds other people.
    fn merge(&mut self, other: Self);
    /// Whether these can be sums of the run that `empty` is of.
    fn fits(&self, empty: &Self) -> bool;
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct End<T> {
    /// The sums over all people that were run.
    pub sums: T,
    /// Whether those are all people.
    pub complete: bool,
}

/// Runs people `0..people` in pairs: `pair` adds persons `first` and, if there is one, `first + 1`.
///
/// # Errors
/// For checkpoints that cannot be read, written or do not belong to this run.
pub fn go<T: Sums>(
    of: &Identity,
    people: u64,
    control: &Control<'_>,
    empty: &(dyn Fn() -> T + Sync),
    pair: &(dyn Fn(&mut T, u64) + Sync),
) -> Result<End<T>, CheckpointError> {
    let mut sums = empty();
    if let Some(path) = &control.checkpoint {
        let whole =
            |t: &T| t.people() == people || (t.people() < people && t.people().is_multiple_of(2));
        let fits = |t: &T| whole(t) && t.fits(&empty());
        if let Some(kept) = checkpoint::start(path, control.resume, of, &fits)? {
            sums = kept;
        }
    }
    let stopped = || control.stop.is_some_and(|s| s.load(Ordering::Relaxed));
    let every = control.every.unwrap_or(EVERY);
    // The first one comes after the first round, so that a place that cannot be written is found early.
    let (mut kept, mut is_kept): (Option<Instant>, bool) = (None, false);
    let mut pairs = 2 * rayon::current_num_threads() as u64;
    while sums.people() < people && !stopped() {
        let from = sums.people() / 2;
        let to = (from + pairs).min(people.div_ceil(2));
        let start = Instant::now();
        let round = (from..to)
            .into_par_iter()
            .fold(empty, |mut sums, i| {
                pair(&mut sums, 2 * i);
                sums
            })
            .reduce(empty, |mut a, b| {
                a.merge(b);
                a
            });
        sums.merge(round);
        // Lives are of any length; the next round takes what fits its time.
        let took = start.elapsed();
        if took < ROUND / 2 {
            pairs = pairs.saturating_mul(2);
        } else if took > ROUND * 2 {
            pairs = (pairs / 2).max(1);
        }
        if let Some(report) = control.progress {
            report(sums.people());
        }
        is_kept = false;
        if let Some(path) = &control.checkpoint
            && kept.is_none_or(|k| k.elapsed() >= every)
        {
            checkpoint::write(path, of, &sums)?;
            (kept, is_kept) = (Some(Instant::now()), true);
        }
    }
    if let (Some(path), false) = (&control.checkpoint, is_kept) {
        checkpoint::write(path, of, &sums)?;
    }
    Ok(End {
        complete: sums.people() == people,
        sums,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Count {
        people: u64,
        sum: u64,
    }

    impl Sums for Count {
        fn people(&self) -> u64 {
            self.people
        }
        fn merge(&mut self, other: Self) {
            self.people += other.people;
            self.sum += other.sum;
        }
        fn fits(&self, _: &Self) -> bool {
            true
        }
    }

    fn run(people: u64, control: &Control<'_>) -> Result<End<Count>, CheckpointError> {
        let of = Identity {
            run: format!("{people} people"),
            settings: String::new(),
        };
        let empty = || Count { people: 0, sum: 0 };
        let pair = |sums: &mut Count, first: u64| {
            for u in first..(first + 2).min(people) {
                sums.people += 1;
                sums.sum += u * u;
            }
        };
        go(&of, people, control, &empty, &pair)
    }

    #[test]
    fn a_stopped_run_goes_on_to_the_same_sums() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("kept");
        let whole = run(1001, &Control::default()).unwrap();
        let squares = (0..1001).map(|u| u * u).sum::<u64>();
        assert_eq!((whole.sums.people, whole.sums.sum), (1001, squares));
        let stop = AtomicBool::new(false);
        let report = |_| stop.store(true, Ordering::Relaxed);
        let mut control = Control {
            progress: Some(&report),
            stop: Some(&stop),
            checkpoint: Some(path.clone()),
            resume: true,
            ..Control::default()
        };
        let part = run(1001, &control).unwrap();
        assert!(!part.complete && part.sums.people > 0);
        control.stop = None;
        assert_eq!(run(1001, &control).unwrap(), whole);
        assert_eq!(run(1001, &control).unwrap(), whole, "nothing is left to do");
        assert!(run(1003, &control).is_err());
        control.resume = false;
        assert!(run(1001, &control).is_err(), "the file is not overwritten");
    }
}
