//! Scenarios: worlds as TOML files.
//!
//! A file names its `kind`; each kind has its own keys, unknown ones are refused, and every error
//! says on which line. One module-level structure per kind, one variant of [`Scenario`] each.
//!
//! ```
//! use driftlead_sim::scenario::Scenario;
//!
//! let error = Scenario::parse("kind = \"mirror\"\nlambda = 1.5\n").unwrap_err();
//! assert_eq!(error.to_string(), "line 2: lambda is 1.5, and must be from 0 to 1, or \"grid\"");
//! ```

mod catalogue;
mod clusters;
mod opinion;
mod phase;

use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Spanned, Value};

pub use catalogue::Catalogue;
pub use clusters::Clusters;
pub use opinion::Opinion;

use crate::engine::{LARGEST_ALPHA, Lambda, Setting};
use crate::feed::life::WEEK;
use crate::feed::phase::Bandit4s;

/// The step size of the public demo.
const ALPHA: f64 = 0.08;
/// The steps of the public demo.
const STEPS: u32 = 250;
/// Enough people that a share is known to 0.05 points.
const PEOPLE: u64 = 1_000_000;
/// Sums are kept per arm and week; this many keep them within a few dozen megabytes a thread.
const MOST_WEEKS: u32 = 1000;
/// People that can be written as a record.
const PANEL: u64 = 100;

/// A world, and how large it is unless the command line says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub enum Scenario {
    /// Kinds `mirror` and `mirror4`: the population engine.
    Engine {
        /// The world.
        setting: Setting,
        /// People, at least 1.
        people: u64,
        /// Steps, at least 1.
        steps: u32,
        /// People of the panel that can be written as a record.
        panel: u64,
    },
    /// Kind `clusters`: people whom exposure moves.
    Clusters(Box<Clusters>),
    /// Kind `catalogue`: items with attributes, and people whose vector moves.
    Catalogue(Box<Catalogue>),
    /// Kind `bandit4s`: a phase diagram.
    Bandit4s(Bandit4s),
    /// Kind `opinion`: one of the worlds of opinion and exposure.
    Opinion(Box<Opinion>),
}

/// The names of all kinds.
pub const KINDS: [&str; 6] = [
    "mirror",
    "mirror4",
    "clusters",
    "catalogue",
    "bandit4s",
    "opinion",
];

/// What is wrong with a scenario, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("line {line}: {message}")]
pub struct ScenarioError {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

#[derive(Deserialize)]
struct Head {
    kind: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MirrorFile {
    #[serde(rename = "kind")]
    _kind: String,
    people: Option<Spanned<Value>>,
    steps: Option<Spanned<Value>>,
    panel: Option<Spanned<Value>>,
    alpha: Option<Spanned<f64>>,
    lambda: Option<Spanned<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mirror4File {
    #[serde(rename = "kind")]
    _kind: String,
    people: Option<Spanned<Value>>,
    steps: Option<Spanned<Value>>,
    panel: Option<Spanned<Value>>,
    alpha: Option<Spanned<f64>>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// For text that is not TOML, an unknown kind or key, and values that make no sense.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let reader = Reader { text };
        let head: Head = reader.keys()?;
        let Some(kind) = head.kind else {
            let message = format!("the key kind is missing; it is one of {}", KINDS.join(", "));
            return Err(ScenarioError { line: 1, message });
        };
        match kind.get_ref().as_str() {
            "mirror" => {
                let file: MirrorFile = reader.keys()?;
                Ok(Scenario::Engine {
                    setting: Setting::Mirror {
                        alpha: reader.alpha(file.alpha)?,
                        lambda: reader.lambda(file.lambda)?,
                    },
                    people: reader.count("people", file.people, PEOPLE, u64::MAX >> 1)?,
                    steps: reader.steps(file.steps)?,
                    panel: reader.panel(file.panel)?,
                })
            }
            "mirror4" => {
                let file: Mirror4File = reader.keys()?;
                Ok(Scenario::Engine {
                    setting: Setting::Mirror4 {
                        alpha: reader.alpha(file.alpha)?,
                    },
                    people: reader.count("people", file.people, PEOPLE, u64::MAX >> 1)?,
                    steps: reader.steps(file.steps)?,
                    panel: reader.panel(file.panel)?,
                })
            }
            "clusters" => Ok(Scenario::Clusters(Box::new(clusters::read(&reader)?))),
            "bandit4s" => Ok(Scenario::Bandit4s(phase::bandit4s(&reader)?)),
            "catalogue" => Ok(Scenario::Catalogue(Box::new(catalogue::read(&reader)?))),
            "opinion" => Ok(Scenario::Opinion(Box::new(opinion::read(&reader)?))),
            other => Err(reader.at(
                kind.span().start,
                format!(
                    "kind is \"{other}\", and must be one of {}",
                    KINDS.join(", ")
                ),
            )),
        }
    }
}

/// Steps as whole weeks.
fn weeks(steps: u32, day_steps: u32) -> Result<u32, String> {
    let week = WEEK * day_steps;
    match steps {
        0 => Err("steps is 0, and must be at least one week".to_owned()),
        s if s / week > MOST_WEEKS => Err(format!(
            "steps is {s}, and must be at most {MOST_WEEKS} weeks, {} with {day_steps} steps a day",
            MOST_WEEKS * week
        )),
        s if s % week == 0 => Ok(s / week),
        s => Err(format!(
            "steps is {s}, and must be whole weeks: a multiple of {week} with {day_steps} steps a day"
        )),
    }
}

/// The text, for the lines of errors.
struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn at(&self, position: usize, message: String) -> ScenarioError {
        let before = self.text.get(..position).unwrap_or(self.text);
        ScenarioError {
            line: before.matches('\n').count() + 1,
            message,
        }
    }

    /// A value as the file has it.
    fn written<T>(&self, value: &Spanned<T>) -> &str {
        self.text.get(value.span()).unwrap_or("something else")
    }

    fn keys<T: DeserializeOwned>(&self) -> Result<T, ScenarioError> {
        toml::from_str(self.text).map_err(|e| {
            let position = e.span().map_or(0, |s| s.start);
            self.at(position, e.message().trim().replace('\n', ", "))
        })
    }

    fn alpha(&self, value: Option<Spanned<f64>>) -> Result<f64, ScenarioError> {
        let Some(value) = value else { return Ok(ALPHA) };
        let x = *value.get_ref();
        if x > 0.0 && x <= LARGEST_ALPHA {
            return Ok(x);
        }
        let message = format!("alpha is {x}, and must be above 0 and at most {LARGEST_ALPHA}");
        Err(self.at(value.span().start, message))
    }

    fn number(
        &self,
        key: &str,
        value: &Option<Spanned<f64>>,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> Result<f64, ScenarioError> {
        match value {
            None => Ok(default),
            Some(x) if range.contains(x.get_ref()) => Ok(*x.get_ref()),
            Some(x) => {
                let (low, high) = (range.start(), range.end());
                let message = format!("{key} is {}, and must be from {low} to {high}", x.get_ref());
                Err(self.at(x.span().start, message))
            }
        }
    }

    /// `n` numbers.
    fn numbers(
        &self,
        key: &str,
        value: &Spanned<Vec<f64>>,
        n: usize,
        range: RangeInclusive<f64>,
    ) -> Result<Vec<f64>, ScenarioError> {
        let all = value.get_ref();
        let at = |message| self.at(value.span().start, message);
        if all.len() != n {
            let message = format!("{key} has {} numbers, and must have {n}", all.len());
            return Err(at(message));
        }
        match all.iter().find(|x| !range.contains(x)) {
            None => Ok(all.clone()),
            Some(x) => {
                let (low, high) = (range.start(), range.end());
                let message = format!("{key} has {x}, and must have numbers from {low} to {high}");
                Err(at(message))
            }
        }
    }

    /// A lower and an upper bound, each from 0 to 1.
    fn bounds(
        &self,
        key: &str,
        value: &Option<Spanned<Vec<f64>>>,
        default: [f64; 2],
    ) -> Result<[f64; 2], ScenarioError> {
        let Some(given) = value else {
            return Ok(default);
        };
        match self.numbers(key, given, 2, 0.0..=1.0)?.as_slice() {
            [low, high] if low <= high => Ok([*low, *high]),
            _ => {
                let message = format!("{key} goes from its lower to its upper bound");
                Err(self.at(given.span().start, message))
            }
        }
    }

    fn lambda(&self, value: Option<Spanned<Value>>) -> Result<Lambda, ScenarioError> {
        let Some(value) = value else {
            return Ok(Lambda::Fixed(0.0));
        };
        let number = match value.get_ref() {
            Value::String(s) if s == "grid" => return Ok(Lambda::Grid),
            Value::Float(x) => Some(*x),
            Value::Integer(n) => Some(*n as f64),
            _ => None,
        };
        match number {
            Some(x) if (0.0..=1.0).contains(&x) => Ok(Lambda::Fixed(x)),
            _ => Err(self.at(
                value.span().start,
                format!(
                    "lambda is {}, and must be from 0 to 1, or \"grid\"",
                    self.written(&value)
                ),
            )),
        }
    }

    fn steps(&self, value: Option<Spanned<Value>>) -> Result<u32, ScenarioError> {
        let most = u64::from(u32::MAX);
        let steps = self.count("steps", value, STEPS.into(), most)?;
        Ok(u32::try_from(steps).unwrap_or(u32::MAX))
    }

    fn panel(&self, value: Option<Spanned<Value>>) -> Result<u64, ScenarioError> {
        self.count("panel", value, PANEL, u64::MAX >> 1)
    }

    /// A count from 1; `1e6` is one too.
    fn count(
        &self,
        key: &str,
        value: Option<Spanned<Value>>,
        default: u64,
        most: u64,
    ) -> Result<u64, ScenarioError> {
        let Some(value) = value else {
            return Ok(default);
        };
        let count = match value.get_ref() {
            Value::Integer(n) => u64::try_from(*n).ok(),
            Value::Float(x) if x.fract() == 0.0 && *x >= 0.0 && *x < 9e15 => Some(*x as u64),
            _ => None,
        };
        match count {
            Some(n) if n >= 1 && n <= most => Ok(n),
            _ => Err(self.at(
                value.span().start,
                format!(
                    "{key} is {}, and must be a whole number from 1 to {most}",
                    self.written(&value)
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_scenarios_are_valid() {
        let mirror = include_str!("../../../../scenarios/mirror.toml");
        assert_eq!(
            Scenario::parse(mirror),
            Ok(Scenario::Engine {
                setting: Setting::Mirror {
                    alpha: 0.08,
                    lambda: Lambda::Grid
                },
                people: 1_000_000,
                steps: 250,
                panel: PANEL,
            })
        );
        let mirror4 = include_str!("../../../../scenarios/mirror4.toml");
        assert!(matches!(
            Scenario::parse(mirror4),
            Ok(Scenario::Engine {
                setting: Setting::Mirror4 { alpha: 0.08 },
                ..
            })
        ));
    }

    #[test]
    fn errors_name_the_line_and_the_key() {
        for (text, line, part) in [
            ("", 1, "kind is missing"),
            ("kind = \"mirorr\"", 1, "must be one of mirror"),
            ("\nkind = 3", 2, "expected a string"),
            ("kind = \"mirror\"\nalhpa = 0.1", 2, "unknown field `alhpa`"),
            (
                "kind = \"mirror4\"\n\nlambda = 0.1",
                3,
                "unknown field `lambda`",
            ),
            ("kind = \"mirror\"\nalpha = 0.0", 2, "alpha is 0"),
            ("kind = \"mirror\"\nalpha = -0.1", 2, "alpha is -0.1"),
            ("kind = \"mirror\"\nalpha = 0.51", 2, "at most 0.5"),
            ("kind = \"mirror\"\nalpha = nan", 2, "alpha is NaN"),
            ("kind = \"mirror\"\nalpha = \"x\"", 2, "expected"),
            ("kind = \"mirror\"\nlambda = nan", 2, "lambda is nan"),
            ("kind = \"mirror\"\nlambda = -1", 2, "lambda is -1"),
            ("kind = \"mirror\"\nlambda = \"gird\"", 2, "or \"grid\""),
            ("kind = \"mirror\"\npeople = 0", 2, "people is 0"),
            ("kind = \"mirror\"\npeople = -5", 2, "people is -5"),
            ("kind = \"mirror\"\npeople = 1.5", 2, "whole number"),
            ("kind = \"mirror\"\nsteps = inf", 2, "steps is inf"),
            ("kind = \"mirror\"\nsteps = 5e9", 2, "whole number"),
            ("kind = \"mirror\"\nsteps = 1\nsteps = 2", 3, "duplicate"),
            ("kind = \"mirror\"\nlambda = ", 2, ""),
        ] {
            let error = Scenario::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.message.contains(part), "{text:?}: {error}");
        }
        assert!(Scenario::parse("kind = \"mirror\"\nsteps = 1e3\npeople = 1e6").is_ok());
    }
}
