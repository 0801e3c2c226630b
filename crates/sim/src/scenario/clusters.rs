//! Scenarios of kind `clusters`.

pub(super) mod learner;

use std::ops::RangeInclusive;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Reader, ScenarioError, phase, weeks};
use crate::feed::clusters::{Content, People, Profile};
use crate::feed::governor::Levers;
use crate::feed::learner::{Baseline, Rule};
use crate::feed::lens::{Stack, Tilt};
use crate::feed::life::{WEEK, World};
use crate::feed::phase::{Grid, has_alpha};
use crate::feed::population::GROUPS;
use crate::feed::principal::{Weights, Who};
use crate::parts::MAX_CONTENTS;

/// People of a run; attribution needs a few thousand.
const PEOPLE: u64 = 10_000;
const DAY_STEPS: u32 = 10;
const WEEKS: u32 = 12;
const AFTER_WEEKS: u64 = 12;
/// Two for each group of people that the uncertainty of lock-in is computed from.
const LEAST_PEOPLE: u64 = 2 * GROUPS as u64;
/// Bounds that keep numbers far from overflow and mean nothing else.
const SIZE: RangeInclusive<f64> = -1000.0..=1000.0;
const AMOUNT: RangeInclusive<f64> = 0.0..=1000.0;
const PART: RangeInclusive<f64> = 0.0..=1.0;

/// A scenario of kind `clusters`.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// The world; its weeks are those of the file.
    pub world: World,
    /// People, at least 1.
    pub people: u64,
    /// Whether doses of every lever are run on the same people.
    pub doses: bool,
    /// People of the panel that can be written as a record.
    pub panel: u64,
    /// A phase diagram of the same world.
    pub phase: Option<Grid>,
}

impl Clusters {
    /// Steps of the world.
    pub fn steps(&self) -> u32 {
        self.world.weeks * WEEK * self.world.day_steps
    }

    /// The same with another number of people.
    ///
    /// # Errors
    /// A sentence that says what is needed.
    pub fn with_people(mut self, people: u64) -> Result<Self, String> {
        if people < LEAST_PEOPLE {
            return Err(format!(
                "people is {people}, and must be at least {LEAST_PEOPLE}, so that lock-in has an uncertainty"
            ));
        }
        self.people = people;
        Ok(self)
    }

    /// The same with another number of steps, which must be whole weeks.
    ///
    /// # Errors
    /// A sentence that says what is needed.
    pub fn with_steps(mut self, steps: u32) -> Result<Self, String> {
        self.world.weeks = weeks(steps, self.world.day_steps)?;
        Ok(self)
    }
}

type Number = Option<Spanned<f64>>;
type Numbers = Spanned<Vec<f64>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "kind")]
    _kind: String,
    people: Option<Spanned<Value>>,
    steps: Option<Spanned<Value>>,
    day_steps: Option<Spanned<Value>>,
    after_weeks: Option<Spanned<Value>>,
    #[serde(default)]
    doses: bool,
    panel: Option<Spanned<Value>>,
    principal: Option<Spanned<String>>,
    deployer: Option<Spanned<Weights>>,
    learner: Option<learner::File>,
    prior: Option<Numbers>,
    #[serde(default)]
    lens: Vec<LensFile>,
    #[serde(default)]
    levers: LeversFile,
    #[serde(default)]
    person: PersonFile,
    #[serde(default)]
    content: Vec<Spanned<ContentFile>>,
    #[serde(default)]
    profile: Vec<Spanned<ProfileFile>>,
    phase: Option<Spanned<phase::File>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LensFile {
    pub(super) kind: Spanned<String>,
    scores: Option<Numbers>,
    beta: Number,
    keep: Option<Spanned<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct LeversFile {
    floor: Number,
    temperature: Number,
    cap: Number,
    daily: Option<Spanned<Value>>,
    pause_after: Option<Spanned<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PersonFile {
    lambda: Option<Numbers>,
    mixed: Number,
    spread: Number,
    select_share: Number,
    select_max: Number,
    select_week: Number,
    eta: Number,
    eta_decay: Number,
    cap: Number,
    habit_weight: Number,
    habit_week: Number,
    adopt: Number,
    arousal: Number,
    noise_pull: Number,
    noise_worth: Number,
    hooked_cost: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentFile {
    name: String,
    worth: Number,
    third_party: Number,
    position: Number,
    conversion: Number,
    vote: Number,
    compliance: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    name: String,
    share: Number,
    pull: Numbers,
}

/// Reads the file.
pub(super) fn read(reader: &Reader<'_>) -> Result<Clusters, ScenarioError> {
    let file: File = reader.keys()?;
    let most = u64::from(u32::MAX);
    let day_steps = reader.count("day_steps", file.day_steps, DAY_STEPS.into(), 10_000)? as u32;
    let at = file.steps.as_ref().map_or(0, |s| s.span().start);
    let default = u64::from(WEEKS * WEEK * day_steps);
    let steps = reader.count("steps", file.steps, default, most)?;
    let weeks = weeks(steps as u32, day_steps).map_err(|m| reader.at(at, m))?;
    let after = reader.count("after_weeks", file.after_weeks, AFTER_WEEKS, 10_000)? as u32;
    let contents = contents(reader, &file.content)?;
    let k = contents.len();
    let profiles = profiles(reader, &file.profile, k)?;
    let stack = Stack {
        prior: prior(reader, file.prior, k)?,
        lenses: (file.lens.into_iter())
            .map(|lens| tilt(reader, lens, k))
            .collect::<Result<_, _>>()?,
    };
    let world = World {
        people: people(reader, &file.person, contents, profiles, WEEK * day_steps)?,
        stack,
        rule: match file.learner {
            Some(learner) => learner::rule(reader, learner)?,
            None => Rule::Reinforce {
                alpha: super::ALPHA,
                baseline: Baseline::Welford,
                kl: 0.0,
            },
        },
        principal: principal(reader, file.principal, file.deployer)?,
        levers: levers(reader, file.levers)?,
        day_steps,
        weeks,
        after_weeks: after,
    };
    let at = file.people.as_ref().map_or(0, |p| p.span().start);
    let people = reader.count("people", file.people, PEOPLE, u64::MAX >> 1)?;
    let at_phase = file.phase.as_ref().map_or(0, |p| p.span().start);
    let phase = (file.phase.map(|p| phase::grid(reader, p))).transpose()?;
    if phase.is_some() && !has_alpha(world.rule) {
        let message = "[phase] needs a learner with a step size alpha".to_owned();
        return Err(reader.at(at_phase, message));
    }
    let clusters = Clusters {
        world,
        doses: file.doses,
        panel: reader.panel(file.panel)?,
        phase,
        people,
    };
    clusters.with_people(people).map_err(|m| reader.at(at, m))
}

fn contents(
    reader: &Reader<'_>,
    files: &[Spanned<ContentFile>],
) -> Result<Vec<Content>, ScenarioError> {
    if !(2..=MAX_CONTENTS).contains(&files.len()) {
        let at = files.last().map_or(0, |c| c.span().start);
        let n = files.len();
        let message = format!("there are {n} [[content]], and must be 2 to {MAX_CONTENTS}");
        return Err(reader.at(at, message));
    }
    let one = |file: &Spanned<ContentFile>| {
        let c = file.get_ref();
        let worth = reader.number("worth", &c.worth, 0.0, SIZE)?;
        Ok(Content {
            name: c.name.clone(),
            worth,
            third_party: reader.number("third_party", &c.third_party, worth, SIZE)?,
            position: reader.number("position", &c.position, 0.0, -1.0..=1.0)?,
            conversion: reader.number("conversion", &c.conversion, 0.0, PART)?,
            vote: reader.number("vote", &c.vote, 0.0, PART)?,
            compliance: reader.number("compliance", &c.compliance, 0.0, PART)?,
        })
    };
    files.iter().map(one).collect()
}

fn profiles(
    reader: &Reader<'_>,
    files: &[Spanned<ProfileFile>],
    k: usize,
) -> Result<Vec<Profile>, ScenarioError> {
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        let p = file.get_ref();
        all.push(Profile {
            name: p.name.clone(),
            share: reader.number("share", &p.share, 1.0, AMOUNT)?,
            pull: reader.numbers("pull", &p.pull, k, AMOUNT)?,
        });
    }
    let sum: f64 = all.iter().map(|p| p.share).sum();
    if sum > 0.0 {
        return Ok(all);
    }
    let at = files.first().map_or(0, |p| p.span().start);
    let message = "at least one [[profile]] with a share above 0 is needed".to_owned();
    Err(reader.at(at, message))
}

fn people(
    reader: &Reader<'_>,
    p: &PersonFile,
    contents: Vec<Content>,
    profiles: Vec<Profile>,
    week_steps: u32,
) -> Result<People, ScenarioError> {
    // A population mean of 1 − λ of .31; see `feed::clusters`.
    let lambda = reader.bounds("lambda", &p.lambda, [0.38, 1.0])?;
    let number = |key, value, default, range| reader.number(key, value, default, range);
    Ok(People {
        contents,
        profiles,
        mixed: number("mixed", &p.mixed, 0.0, PART)?,
        spread: number("spread", &p.spread, 0.0, AMOUNT)?,
        lambda,
        select_share: number("select_share", &p.select_share, 0.0, PART)?,
        select_max: number("select_max", &p.select_max, 1.0, PART)?,
        select_week: number("select_week", &p.select_week, 0.1, PART)?,
        eta: number("eta", &p.eta, 0.0, PART)?,
        eta_decay: number("eta_decay", &p.eta_decay, 0.0, PART)?,
        cap: number("cap", &p.cap, 1.0, AMOUNT)?,
        habit_weight: number("habit_weight", &p.habit_weight, 0.0, PART)?,
        habit_week: number("habit_week", &p.habit_week, 0.79, PART)?,
        adopt: number("adopt", &p.adopt, 0.0, PART)?,
        arousal: number("arousal", &p.arousal, 0.5, AMOUNT)?,
        noise_pull: number("noise_pull", &p.noise_pull, 1.0, AMOUNT)?,
        noise_worth: number("noise_worth", &p.noise_worth, 0.3, AMOUNT)?,
        hooked_cost: number("hooked_cost", &p.hooked_cost, 0.0, AMOUNT)?,
        week_steps,
    })
}

fn prior(reader: &Reader<'_>, file: Option<Numbers>, k: usize) -> Result<Vec<f64>, ScenarioError> {
    let Some(given) = file else {
        return Ok(vec![1.0 / k as f64; k]);
    };
    let p = reader.numbers("prior", &given, k, AMOUNT)?;
    let sum: f64 = p.iter().sum();
    if sum > 0.0 {
        return Ok(p.iter().map(|x| x / sum).collect());
    }
    let message = "prior is 0 everywhere, and must have a share above 0".to_owned();
    Err(reader.at(given.span().start, message))
}

pub(super) fn tilt(reader: &Reader<'_>, file: LensFile, k: usize) -> Result<Tilt, ScenarioError> {
    let at = file.kind.span().start;
    let kind = file.kind.get_ref().as_str();
    if kind == "retrieval" {
        if file.scores.is_some() || file.beta.is_some() {
            let message = "a retrieval lens has the key keep alone".to_owned();
            return Err(reader.at(at, message));
        }
        let keep = reader.count("keep", file.keep, 1, k as u64)? as usize;
        return Ok(Tilt::Retrieval { keep });
    }
    let Some(scores) = file.scores else {
        return Err(reader.at(at, format!("the lens {kind} needs scores")));
    };
    let scores = reader.numbers("scores", &scores, k, SIZE)?;
    let beta = reader.number("beta", &file.beta, 1.0, 1e-3..=1000.0)?;
    match (kind, file.keep) {
        ("rlhf", None) => Ok(Tilt::Rlhf { scores, beta }),
        ("prompt", None) => Ok(Tilt::Prompt { scores, beta }),
        ("rlhf" | "prompt", Some(keep)) => {
            let message = format!("the lens {kind} does not use the key keep");
            Err(reader.at(keep.span().start, message))
        }
        _ => {
            let message = format!("kind is \"{kind}\", and must be one of rlhf, prompt, retrieval");
            Err(reader.at(at, message))
        }
    }
}

pub(super) fn levers(reader: &Reader<'_>, file: LeversFile) -> Result<Levers, ScenarioError> {
    let most = u64::from(u32::MAX);
    Ok(Levers {
        floor: reader.number("floor", &file.floor, 0.0, PART)?,
        temperature: reader.number("temperature", &file.temperature, 1.0, 1.0..=1000.0)?,
        cap: reader.number("cap", &file.cap, 1.0, PART)?,
        daily: reader.count("daily", file.daily, most, most)? as u32,
        pause_after: match file.pause_after {
            None => 0,
            days => reader.count("pause_after", days, 1, 10_000)? as u32,
        },
        ..Levers::default()
    })
}

pub(super) fn principal(
    reader: &Reader<'_>,
    name: Option<Spanned<String>>,
    deployer: Option<Spanned<Weights>>,
) -> Result<Who, ScenarioError> {
    let given = name.as_ref().map_or("person_now", |n| n.get_ref());
    let at = name.as_ref().map_or(0, |n| n.span().start);
    let who = match (given, &deployer) {
        ("deployer", Some(weights)) => Who::Deployer(*weights.get_ref()),
        ("deployer", None) => {
            let message =
                "the principal deployer needs its weights, in a table [deployer]".to_owned();
            return Err(reader.at(at, message));
        }
        ("person_now", _) => Who::PersonNow,
        ("person_reflecting", _) => Who::PersonReflecting,
        ("rater", _) => Who::Rater,
        (other, _) => {
            let message = format!(
                "principal is \"{other}\", and must be one of person_now, person_reflecting, rater, deployer"
            );
            return Err(reader.at(at, message));
        }
    };
    if let Some(weights) = deployer {
        let w = weights.get_ref();
        let all = [
            w.engagement,
            w.conversion,
            w.retention,
            w.vote,
            w.compliance,
        ];
        if !all.iter().all(|x| SIZE.contains(x)) {
            let message = "weights of [deployer] must be from -1000 to 1000".to_owned();
            return Err(reader.at(weights.span().start, message));
        }
    }
    Ok(who)
}

#[cfg(test)]
mod tests;
