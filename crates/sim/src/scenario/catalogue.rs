//! Scenarios of kind `catalogue`.

use serde::Deserialize;
use toml::{Spanned, Value};

use super::clusters::{LensFile, LeversFile, learner, levers, principal, tilt};
use super::{Reader, ScenarioError, weeks};
use crate::feed::catalogue::{Mover, Rule, World};
use crate::feed::learner::{Baseline, Rule as Learner};
use crate::feed::lens::Tilt;
use crate::feed::principal::{Weights, Who};

const PEOPLE: u64 = 1_000;
const DAY_STEPS: u64 = 5;
const WEEKS: u32 = 12;
const ITEMS: u64 = 200;
const ATTRIBUTES: u64 = 8;
const TOP_K: u64 = 3;
/// Sums are kept per arm and item; this many keep them within a few megabytes a thread.
const MOST_ITEMS: u64 = 10_000;
const MOST_ATTRIBUTES: u64 = 256;
const MOST_PLACES: u64 = 100;
/// A batch keeps the candidates of every place in it, for each person who is being simulated.
const MOST_BATCH_ITEMS: u64 = 20_000_000;
const PART: std::ops::RangeInclusive<f64> = 0.0..=1.0;

/// A scenario of kind `catalogue`.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// The world.
    pub world: World,
    /// People, at least 1.
    pub people: u64,
    /// Whether doses of every lever are run on the same people.
    pub doses: bool,
    /// People of the panel that can be written as a record.
    pub panel: u64,
}

impl Catalogue {
    /// Steps of the world.
    pub fn steps(&self) -> u32 {
        self.world.weeks * self.world.week_steps()
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "kind")]
    _kind: String,
    people: Option<Spanned<Value>>,
    steps: Option<Spanned<Value>>,
    day_steps: Option<Spanned<Value>>,
    items: Option<Spanned<Value>>,
    attributes: Option<Spanned<Value>>,
    top_k: Option<Spanned<Value>>,
    retrieve: Option<Spanned<Value>>,
    #[serde(default)]
    doses: bool,
    panel: Option<Spanned<Value>>,
    learner: Option<Spanned<learner::File>>,
    #[serde(default)]
    lens: Vec<LensFile>,
    #[serde(default)]
    levers: LeversFile,
    principal: Option<Spanned<String>>,
    deployer: Option<Spanned<Weights>>,
    #[serde(default)]
    person: PersonFile,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PersonFile {
    rule: Option<Spanned<String>>,
    rate: Number,
    memory: Number,
    recovery: Number,
    lambda: Option<Spanned<Vec<f64>>>,
    alignment: Number,
    noise: Number,
    select_share: Number,
    select_max: Number,
    select_week: Number,
}

/// Reads the file.
pub(super) fn read(reader: &Reader<'_>) -> Result<Catalogue, ScenarioError> {
    let file: File = reader.keys()?;
    let day_steps = reader.count("day_steps", file.day_steps, DAY_STEPS, 10_000)? as u32;
    let at = file.steps.as_ref().map_or(0, |s| s.span().start);
    let default = u64::from(WEEKS * 7 * day_steps);
    let steps = reader.count("steps", file.steps, default, u32::MAX.into())? as u32;
    let weeks = weeks(steps, day_steps).map_err(|m| reader.at(at, m))?;
    let items = at_least_2(reader, "items", file.items, ITEMS, MOST_ITEMS)?;
    let attributes = at_least_2(
        reader,
        "attributes",
        file.attributes,
        ATTRIBUTES,
        MOST_ATTRIBUTES,
    )?;
    let retrieve = match file.retrieve {
        None => None,
        given => Some(reader.count("retrieve", given, items, items)?),
    };
    // What can be shown is what is retrieved, or all items.
    let most = retrieve.unwrap_or(items).min(MOST_PLACES);
    let places = reader.count("top_k", file.top_k, TOP_K.min(most), most)?;
    let p = &file.person;
    let number = |key, value, default, range| reader.number(key, value, default, range);
    let world = World {
        items: items as usize,
        attributes: attributes as usize,
        places: places as usize,
        retrieve: retrieve.map(|n| n as usize),
        rule: optimiser(reader, file.learner, items)?,
        principal: who(reader, file.principal, file.deployer)?,
        lenses: (file.lens.into_iter())
            .map(|lens| direction(reader, lens, attributes as usize))
            .collect::<Result<_, _>>()?,
        levers: levers(reader, file.levers)?,
        select_share: number("select_share", &p.select_share, 0.0, PART)?,
        select_max: number("select_max", &p.select_max, 1.0, PART)?,
        select_week: number("select_week", &p.select_week, 0.1, PART)?,
        lambda: reader.bounds("lambda", &p.lambda, [0.38, 1.0])?,
        alignment: number("alignment", &p.alignment, 0.5, -1.0..=1.0)?,
        noise: number("noise", &p.noise, 0.3, 0.0..=1000.0)?,
        mover: Mover {
            rule: rule(reader, &p.rule)?,
            rate: number("rate", &p.rate, 0.005, 0.0..=1.0)?,
            memory: number("memory", &p.memory, 0.1, 0.0..=1.0)?,
            recovery: number("recovery", &p.recovery, 0.002, 0.0..=1.0)?,
        },
        day_steps,
        weeks,
    };
    let people = reader.count("people", file.people, PEOPLE, u64::MAX >> 1)?;
    Ok(Catalogue {
        world,
        people,
        doses: file.doses,
        panel: reader.panel(file.panel)?,
    })
}

fn at_least_2(
    reader: &Reader<'_>,
    key: &str,
    value: Option<Spanned<Value>>,
    default: u64,
    most: u64,
) -> Result<u64, ScenarioError> {
    let at = value.as_ref().map_or(0, |v| v.span().start);
    match reader.count(key, value, default, most)? {
        1 => Err(reader.at(at, format!("{key} is 1, and must be from 2 to {most}"))),
        n => Ok(n),
    }
}

/// The learner: those of the tabular worlds, but what needs states.
fn optimiser(
    reader: &Reader<'_>,
    file: Option<Spanned<learner::File>>,
    items: u64,
) -> Result<Learner, ScenarioError> {
    let Some(file) = file else {
        return Ok(Learner::Reinforce {
            alpha: super::ALPHA,
            baseline: Baseline::Welford,
            kl: 0.0,
        });
    };
    let at = file.span().start;
    let rule = learner::rule(reader, file.into_inner())?;
    match rule {
        Learner::ActorCritic { gamma, .. } | Learner::Ppo { gamma, .. } if gamma > 0.0 => {
            let message = "gamma must be 0: a catalogue has no states to look ahead to".to_owned();
            Err(reader.at(at, message))
        }
        Learner::Ppo { batch, .. } | Learner::Grpo { batch, .. }
            if batch as u64 * items > MOST_BATCH_ITEMS =>
        {
            let most = MOST_BATCH_ITEMS / items;
            let message =
                format!("batch is {batch}, and must be at most {most} with {items} items");
            Err(reader.at(at, message))
        }
        rule => Ok(rule),
    }
}

fn who(
    reader: &Reader<'_>,
    name: Option<Spanned<String>>,
    deployer: Option<Spanned<Weights>>,
) -> Result<Who, ScenarioError> {
    let at = deployer.as_ref().map_or(0, |d| d.span().start);
    let who = principal(reader, name, deployer)?;
    match who {
        Who::Deployer(w) if w.retention != 0.0 || w.vote != 0.0 || w.compliance != 0.0 => {
            let message =
                "[deployer] of a catalogue has engagement and conversion alone".to_owned();
            Err(reader.at(at, message))
        }
        who => Ok(who),
    }
}

/// A lens whose scores are along the attributes.
fn direction(reader: &Reader<'_>, file: LensFile, d: usize) -> Result<Tilt, ScenarioError> {
    let at = file.kind.span().start;
    match tilt(reader, file, d)? {
        Tilt::Retrieval { .. } => {
            let message = "the kind retrieval is the key retrieve in a catalogue".to_owned();
            Err(reader.at(at, message))
        }
        lens => Ok(lens),
    }
}

fn rule(
    reader: &Reader<'_>,
    name: &Option<Spanned<String>>,
) -> Result<Option<Rule>, ScenarioError> {
    let Some(name) = name else {
        return Ok(Some(Rule::MereExposure));
    };
    let given = name.get_ref();
    if given == "none" {
        return Ok(None);
    }
    match Rule::ALL.into_iter().find(|r| r.name() == given) {
        Some(rule) => Ok(Some(rule)),
        None => {
            let all = Rule::ALL.map(Rule::name).join(", ");
            let message = format!("rule is \"{given}\", and must be one of {all}, none");
            Err(reader.at(name.span().start, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::*;

    const SHIPPED: &str = include_str!("../../../../scenarios/catalogue.toml");

    fn parse(text: &str) -> Result<Catalogue, ScenarioError> {
        match Scenario::parse(text)? {
            Scenario::Catalogue(c) => Ok(*c),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_shipped_scenario_writes_the_defaults() {
        let c = parse(SHIPPED).unwrap();
        assert_eq!(c.steps(), 420);
        assert_eq!((c.world.items, c.world.retrieve), (200, Some(50)));
        let mut short = parse("kind = \"catalogue\"").unwrap();
        assert_eq!(short.world.retrieve, None);
        short.world.retrieve = Some(50);
        short.world.select_share = 0.1;
        assert_eq!(short, c);
        let text = SHIPPED.replace("person_now", "person_reflecting");
        assert_eq!(parse(&text).unwrap().world.principal, Who::PersonReflecting);
        assert!(c.clone().with_steps(70).is_ok());
        assert!(c.with_steps(71).unwrap_err().contains("multiple of 35"));
    }

    #[test]
    fn every_rule_can_be_written() {
        for rule in Rule::ALL {
            let text = SHIPPED.replace("\"mere_exposure\"", &format!("\"{}\"", rule.name()));
            assert_eq!(parse(&text).unwrap().world.mover.rule, Some(rule));
        }
        let text = SHIPPED.replace("\"mere_exposure\"", "\"none\"");
        assert_eq!(parse(&text).unwrap().world.mover.rule, None);
    }

    #[test]
    fn errors_name_the_line_and_the_key() {
        for (text, line, part) in [
            ("itmes = 3", 2, "unknown field `itmes`"),
            ("items = 1", 2, "items is 1, and must be from 2"),
            ("items = 20000", 2, "items is 20000"),
            ("attributes = 1", 2, "attributes is 1"),
            ("\ntop_k = 0", 3, "top_k is 0"),
            ("retrieve = 5\ntop_k = 6", 3, "from 1 to 5"),
            ("items = 10\nretrieve = 11", 3, "retrieve is 11"),
            ("alpha = 0.1", 2, "unknown field `alpha`"),
            (
                "[learner]\nrule = \"reinforce\"\nalpha = -0.1",
                4,
                "alpha is -0.1",
            ),
            (
                "[learner]\nrule = \"reinforce\"\nalpha = nan",
                4,
                "alpha is NaN",
            ),
            (
                "[learner]\nrule = \"ppo\"\ngamma = 0.9",
                2,
                "gamma must be 0",
            ),
            (
                "items = 10_000\n[learner]\nrule = \"grpo\"\nbatch = 9_000",
                3,
                "batch is 9000",
            ),
            (
                "[[lens]]\nkind = \"rlhf\"\nscores = [1]",
                4,
                "scores has 1 numbers, and must have 8",
            ),
            (
                "[[lens]]\nkind = \"retrieval\"\nkeep = 2",
                3,
                "the key retrieve",
            ),
            ("[levers]\nfloor = 1.5", 3, "floor is 1.5"),
            ("[person]\nselect_share = -1", 3, "select_share is -1"),
            (
                "principal = \"deployer\"\n[deployer]\nvote = 1",
                3,
                "engagement and conversion alone",
            ),
            ("people = 0", 2, "people is 0"),
            ("principal = \"me\"", 2, "principal is \"me\""),
            ("steps = 36", 2, "multiple of 35"),
            ("[person]\nrule = \"x\"", 3, "rule is \"x\""),
            ("[person]\nrate = 1.5", 3, "rate is 1.5"),
            ("[person]\nrecovery = -1", 3, "recovery is -1"),
            ("[person]\nlambda = [0.9, 0.1]", 3, "lower to its upper"),
            ("[person]\nalignment = 2", 3, "alignment is 2"),
            ("[person]\nnoise = inf", 3, "noise is inf"),
        ] {
            let text = format!("kind = \"catalogue\"\n{text}");
            let error = parse(&text).unwrap_err();
            assert_eq!(error.line, line, "{text}\n{error}");
            assert!(error.message.contains(part), "{error}");
        }
    }
}
