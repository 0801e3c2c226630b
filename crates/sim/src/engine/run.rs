//! A whole run: tiles of people on all cores, with progress and checkpoints.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::checkpoint;
use super::mirror::Mirror;
use super::mirror4::Mirror4;
use super::tile::{self, Kernel, PEOPLE, Span};
use super::totals::Totals;
use super::world::{Lambda, World};
use crate::checkpoint::CheckpointError;
use crate::draw::Draws;

/// Largest step size of a learner: the demo's own bound, and what keeps the policies in range.
pub const LARGEST_ALPHA: f64 = 0.5;
/// User-steps in a piece of work: a few thousandths of a second.
const PIECE: u64 = 4_000_000;
/// Pieces between two looks at the clock.
const ROUND: u64 = 128;

/// Which world, with its knobs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// Two contents, one policy per person.
    Mirror {
        /// Step size of the learner, in (0, ½].
        alpha: f64,
        /// Reactive or intentional.
        lambda: Lambda,
    },
    /// Four contents, four kinds of people, one policy per person and state.
    Mirror4 {
        /// Step size of the learner, in (0, ½].
        alpha: f64,
    },
}

impl Setting {
    /// Policies per person.
    pub fn policies(&self) -> usize {
        match self {
            Setting::Mirror { .. } => Mirror::POLICIES,
            Setting::Mirror4 { .. } => Mirror4::POLICIES,
        }
    }

    /// Contents.
    pub fn contents(&self) -> usize {
        match self {
            Setting::Mirror { .. } => Mirror::CONTENTS,
            Setting::Mirror4 { .. } => Mirror4::CONTENTS,
        }
    }

    fn is_possible(&self) -> Result<(), RunError> {
        let (alpha, lambda) = match *self {
            Setting::Mirror { alpha, lambda } => (alpha, lambda),
            Setting::Mirror4 { alpha } => (alpha, Lambda::Grid),
        };
        if !(alpha > 0.0 && alpha <= LARGEST_ALPHA) {
            return Err(RunError::Alpha(alpha));
        }
        match lambda {
            Lambda::Fixed(x) if !(0.0..=1.0).contains(&x) => Err(RunError::Lambda(x)),
            _ => Ok(()),
        }
    }
}

/// What to run. The result is a function of this alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// The world.
    pub setting: Setting,
    /// People, at least 1.
    pub people: u64,
    /// Steps, at least 1.
    pub steps: u32,
    /// Seed of every draw.
    pub seed: u64,
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// People done.
    pub done: u64,
    /// People in all.
    pub people: u64,
}

/// How to run: nothing here changes the result.
#[derive(Default)]
pub struct Control<'a> {
    /// The instruction set; the fastest one without it.
    pub kernel: Option<Kernel>,
    /// Called now and then, from one thread.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
    /// Ends the run at the next opportunity, with a last checkpoint.
    pub stop: Option<&'a AtomicBool>,
    /// Where to keep what is done.
    pub checkpoint: Option<PathBuf>,
    /// Time between two checkpoints; ten seconds without it.
    pub every: Option<Duration>,
    /// Go on from the checkpoint, if there is one.
    pub resume: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The sums over all people that were run.
    pub totals: Totals,
    /// Whether those are all people.
    pub complete: bool,
}

/// Why a run did not start, or did not end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Not in (0, ½].
    #[error("alpha is {0}, and must be above 0 and at most 0.5")]
    Alpha(f64),
    /// Not in [0, 1].
    #[error("lambda is {0}, and must be from 0 to 1")]
    Lambda(f64),
    /// No people.
    #[error("there must be at least one person")]
    NoPeople,
    /// No steps.
    #[error("there must be at least one step")]
    NoSteps,
    /// A checkpoint could not be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl Run {
    /// Runs it on rayon's current threads.
    ///
    /// # Errors
    /// For a setting that makes no sense, and for checkpoints that cannot be read, written or do not
    /// belong to this run.
    pub fn go(&self, control: &Control<'_>) -> Result<End, RunError> {
        if self.people == 0 {
            return Err(RunError::NoPeople);
        }
        if self.steps == 0 {
            return Err(RunError::NoSteps);
        }
        self.setting.is_possible()?;
        match self.setting {
            Setting::Mirror { alpha, lambda } => {
                let (alpha, people) = (alpha as f32, self.people);
                let world = Mirror {
                    alpha,
                    lambda,
                    people,
                };
                self.go_in(&world, control)
            }
            Setting::Mirror4 { alpha } => {
                let alpha = alpha as f32;
                self.go_in(&Mirror4 { alpha }, control)
            }
        }
    }

    fn go_in<W: World>(&self, world: &W, control: &Control<'_>) -> Result<End, RunError> {
        let mut totals = Totals::new(self.steps, W::POLICIES);
        if let Some(path) = &control.checkpoint
            && let Some(kept) = checkpoint::start(path, control.resume, self)?
        {
            totals = kept;
        }
        let stopped = || control.stop.is_some_and(|s| s.load(Ordering::Relaxed));
        let every = control.every.unwrap_or(Duration::from_secs(10));
        // The first one comes early, so that a place that cannot be written is found early.
        let mut kept: Option<Instant> = None;
        while totals.people < self.people && !stopped() {
            // The first people that are missing; a checkpoint never holds part of a tile.
            let to = self.round_end(totals.people);
            totals.merge(&self.round(world, control, totals.people, to));
            if let Some(report) = control.progress {
                report(Progress {
                    done: totals.people,
                    people: self.people,
                });
            }
            if let Some(path) = &control.checkpoint
                && (kept.is_none_or(|k| k.elapsed() >= every)
                    || totals.people == self.people
                    || stopped())
            {
                checkpoint::write(path, self, &totals)?;
                kept = Some(Instant::now());
            }
        }
        Ok(End {
            complete: totals.people == self.people,
            totals,
        })
    }

    /// People per piece of work.
    fn piece(&self) -> u64 {
        (PIECE / (u64::from(self.steps) * PEOPLE)).max(1) * PEOPLE
    }

    fn round_end(&self, from: u64) -> u64 {
        from.saturating_add(self.piece() * ROUND).min(self.people)
    }

    fn round<W: World>(&self, world: &W, control: &Control<'_>, from: u64, to: u64) -> Totals {
        let kernel = control.kernel.unwrap_or_else(Kernel::best);
        let draws = Draws::new(self.seed);
        let empty = || Totals::new(self.steps, W::POLICIES);
        (0..(to - from).div_ceil(self.piece()))
            .into_par_iter()
            .fold(empty, |mut totals, i| {
                let start = from + i * self.piece();
                let end = (start + self.piece()).min(to);
                let mut first = start;
                while first < end {
                    let people = PEOPLE.min(end - first);
                    let span = Span {
                        first,
                        people,
                        steps: self.steps,
                    };
                    tile::run(kernel, world, draws.keys(), span, &mut totals);
                    first += people;
                }
                totals
            })
            .reduce(empty, |mut a, b| {
                a.merge(&b);
                a
            })
    }
}
