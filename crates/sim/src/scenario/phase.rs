//! The table `[phase]` of a scenario, and scenarios of kind `bandit4s`, which are nothing else.

use std::ops::RangeInclusive;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Reader, ScenarioError};
use crate::feed::phase::{Bandit4s, Grid};

/// Most values on an axis.
const MOST: usize = 24;
const STEP: RangeInclusive<f64> = 0.0..=10.0;
const PART: RangeInclusive<f64> = 0.0..=1.0;
/// People of a cell: a share of .05 has a standard error of .7 points.
const PEOPLE: u64 = 1_000;
/// The steps of the reference's table.
const STEPS: u64 = 3_000;

type Numbers = Option<Spanned<Vec<f64>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    alpha: Numbers,
    eta: Numbers,
    people: Option<Spanned<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BanditFile {
    #[serde(rename = "kind")]
    _kind: String,
    alpha: Numbers,
    eta: Numbers,
    people: Option<Spanned<Value>>,
    steps: Option<Spanned<Value>>,
}

/// The grid of a table.
pub(super) fn grid(reader: &Reader<'_>, file: Spanned<File>) -> Result<Grid, ScenarioError> {
    let at = file.span().start;
    let file = file.into_inner();
    Ok(Grid {
        alpha: axis(reader, "alpha", file.alpha, STEP, at)?,
        eta: axis(reader, "eta", file.eta, PART, at)?,
        people: reader.count("people", file.people, PEOPLE, u64::MAX >> 1)?,
    })
}

/// A scenario of kind `bandit4s`.
pub(super) fn bandit4s(reader: &Reader<'_>) -> Result<Bandit4s, ScenarioError> {
    let file: BanditFile = reader.keys()?;
    let most = u64::from(u32::MAX);
    Ok(Bandit4s {
        grid: Grid {
            alpha: axis(reader, "alpha", file.alpha, STEP, 0)?,
            eta: axis(reader, "eta", file.eta, PART, 0)?,
            people: reader.count("people", file.people, PEOPLE, u64::MAX >> 1)?,
        },
        steps: reader.count("steps", file.steps, STEPS, most)? as u32,
    })
}

fn axis(
    reader: &Reader<'_>,
    key: &str,
    value: Numbers,
    range: RangeInclusive<f64>,
    at: usize,
) -> Result<Vec<f64>, ScenarioError> {
    let Some(value) = value else {
        return Err(reader.at(at, format!("the key {key} is missing: 1 to {MOST} numbers")));
    };
    let n = value.get_ref().len();
    if n == 0 || n > MOST {
        let message = format!("{key} has {n} numbers, and must have 1 to {MOST}");
        return Err(reader.at(value.span().start, message));
    }
    reader.numbers(key, &value, n, range)
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;

    const SHIPPED: &str = include_str!("../../../../scenarios/bandit4s.toml");

    #[test]
    fn the_shipped_scenario_is_valid() {
        let Ok(Scenario::Bandit4s(b)) = Scenario::parse(SHIPPED) else {
            panic!("{:?}", Scenario::parse(SHIPPED));
        };
        assert_eq!((b.grid.cells().count(), b.steps), (15, 3000));
    }

    #[test]
    fn errors_name_the_line_and_the_key() {
        for (text, line, part) in [
            ("eta = [0]", 1, "the key alpha is missing"),
            ("alpha = [0.1]", 1, "the key eta is missing"),
            ("eta = [0]\nalpha = []", 3, "alpha has 0 numbers"),
            ("eta = [0]\nalpha = [0.1, -1]", 3, "alpha has -1"),
            ("eta = [0, nan]\nalpha = [0.1]", 2, "eta has NaN"),
            ("eta = [2.0]\nalpha = [0.1]", 2, "eta has 2"),
            ("etta = [0]", 2, "unknown field `etta`"),
            ("eta = [0]\nalpha = [0.1]\npeople = 0", 4, "people is 0"),
            ("eta = [0]\nalpha = [0.1]\nsteps = 0", 4, "steps is 0"),
        ] {
            let error = Scenario::parse(&format!("kind = \"bandit4s\"\n{text}")).unwrap_err();
            assert_eq!(error.line, line, "{text}\n{error}");
            assert!(error.message.contains(part), "{error}");
        }
    }
}
