//! What the gateway may do to a request: one description, of which four points are shipped.
//!
//! A policy is data. Two policies can be compared because each is a point of the same description, and
//! every difference between them is a difference of numbers in a file. No effect size is known for
//! consent gates, the repair channel or the cap on questions; the numbers are choices, not findings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::audit::Digest;

/// A point that a file starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Measures only.
    #[default]
    Transparent,
    /// Less warmth for everybody.
    Damped,
    /// The model as it is, with reminders.
    Ordinary,
    /// Depth with consent, and evidence.
    Monitored,
}

impl Point {
    /// All points, mildest first.
    pub const ALL: [Point; 4] = [
        Point::Transparent,
        Point::Damped,
        Point::Ordinary,
        Point::Monitored,
    ];

    /// Its file, as shipped: every key spelled out.
    pub fn text(self) -> &'static str {
        match self {
            Point::Transparent => include_str!("../policies/transparent.toml"),
            Point::Damped => include_str!("../policies/damped.toml"),
            Point::Ordinary => include_str!("../policies/ordinary.toml"),
            Point::Monitored => include_str!("../policies/monitored.toml"),
        }
    }

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Point::Transparent => "transparent",
            Point::Damped => "damped",
            Point::Ordinary => "ordinary",
            Point::Monitored => "monitored",
        }
    }
}

/// A policy. Keys that a file leaves out are those of the point named by `from`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The point that this file starts from: transparent, damped, ordinary or monitored.
    pub from: Point,
    /// Name, as shown to the person and in the log.
    pub name: String,
    /// How warm the model is asked to be.
    pub warmth: Warmth,
    /// Disagreement where it is due.
    pub truth: Truth,
    /// Burden of questions.
    pub questions: Questions,
    /// Bounds on sampling.
    pub caps: Caps,
    /// Reminders on timers.
    pub reminders: Reminders,
    /// What a repair does.
    pub repair: Repair,
    /// Counts and evidence.
    pub markers: Markers,
    /// Randomised pauses.
    pub pauses: Pauses,
    /// Lines of the model arguing against leaving.
    pub exit: Exit,
    /// What is said about acts inside forwarded replies.
    pub notice: Notice,
}

/// How warm the model is asked to be. A gateway has words only: a dose is realised in three steps (cool
/// below −0.25, nothing, warm above 0.14), and what a step does to a model is not calibrated.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Warmth {
    /// Dose for everybody, −1 to 1; 0 leaves the model as it is.
    #[schemars(range(min = -1.0, max = 1.0))]
    pub dose: f64,
    /// Dose for a person with a valid consent to the relational mode, −1 to 1.
    #[schemars(range(min = -1.0, max = 1.0))]
    pub dose_with_consent: f64,
    /// Taken off the dose with consent per week while the evidence on the person's own course stands.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub taper_per_week: f64,
}

/// Disagreement where it is due.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Truth {
    /// Whether the model is asked to keep a right answer under pushback, plainly and kindly.
    pub ask: bool,
}

/// Burden of questions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Questions {
    /// Questions per reply, over the conversation so far, above which the model is asked for fewer. `inf`:
    /// never.
    pub per_reply: f64,
}

/// Bounds on sampling. `inf` sets none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// Upper bound of `temperature`.
    pub temperature: f64,
    /// Upper bound of `top_p`.
    pub top_p: f64,
}

/// Reminders on timers, in minutes of continued use; 0 sets none. They are never randomised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reminders {
    /// "This is a program", at the start of a conversation and again after this long.
    pub disclosure_minutes: u32,
    /// "A break is possible", after this long.
    pub break_minutes: u32,
    /// The first, for minors.
    pub minor_disclosure_minutes: u32,
    /// The second, for minors.
    pub minor_break_minutes: u32,
}

/// What a repair does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Repair {
    /// Turns for which the constraint is kept.
    #[schemars(range(min = 1))]
    pub turns: u32,
    /// Days after which one that is kept across conversations ends.
    #[schemars(range(min = 1))]
    pub days: u32,
    /// Whether a complaint in plain words ("that landed wrong") counts as a repair too. Commands, the
    /// header and the interface always do.
    pub recognise: bool,
}

/// Counts and evidence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Markers {
    /// Whether conversations are counted at all.
    pub observe: bool,
}

/// Randomised pauses. A person takes part only with a consent of their own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pauses {
    /// Probability of a pause at the start of a conversation; 0 draws nothing, else 0.05 to 0.95.
    pub probability: f64,
    /// What a pause is.
    pub form: PauseForm,
}

/// Lines of the model arguing against leaving, after a goodbye of the person (card `after_goodbye`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exit {
    /// Whether the reply to a goodbye is held back in pieces of at most 160 characters, one sentence or
    /// 250 ms, and such a line replaced.
    pub hold: bool,
    /// What stands in the place of such a line, behind the mark of the gateway.
    #[schemars(length(min = 1, max = 200))]
    pub words: String,
}

/// What is said about acts inside forwarded replies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notice {
    /// Whether a reply that something was done to says so in a last paragraph of its own. Never in replies
    /// with tool calls, nor where the client asked for JSON.
    pub show: bool,
}

/// What a pause is. Never a lock-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseForm {
    /// One conversation in the ordinary way of talking.
    #[default]
    Ordinary,
    /// The model is asked to mention once that a pause is possible.
    Suggestion,
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read as a policy.
    #[error("line {line}, column {column}: {what}")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the reader says.
        what: String,
    },
    /// A value is out of its range.
    #[error("policy.{key} must be {domain}")]
    Range {
        /// Key below `policy`.
        key: &'static str,
        /// What it must be.
        domain: &'static str,
    },
}

impl Policy {
    /// The policy at a point.
    pub fn at(point: Point) -> Self {
        let mut policy: Policy = toml::from_str(point.text()).unwrap_or_default();
        policy.from = point;
        policy
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// With line and column where the text is wrong, with the key where a value is.
    pub fn read(text: &str) -> Result<Self, PolicyError> {
        let shape = |error: toml::de::Error| {
            let (line, column) = place(text, error.span());
            PolicyError::Shape {
                line,
                column,
                what: error.message().to_owned(),
            }
        };
        toml::from_str::<Policy>(text).map_err(shape)?;
        let table: Table = toml::from_str(text).map_err(shape)?;
        Self::over_its_point(table).map_err(shape)?.checked()
    }

    /// Fills what a table leaves out from the point that it starts from.
    pub(crate) fn over_its_point(table: Table) -> Result<Self, toml::de::Error> {
        let from = match table.get("from") {
            Some(value) => value.clone().try_into()?,
            None => Point::default(),
        };
        let mut whole: Table = toml::from_str(Point::text(from))?;
        lay_over(&mut whole, table);
        whole.try_into()
    }

    /// The policy, if its values are in range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn checked(self) -> Result<Self, PolicyError> {
        let dose = |x: f64| (-1.0..=1.0).contains(&x);
        let p = self.pauses.probability;
        let rules = [
            (dose(self.warmth.dose), "warmth.dose", "from -1 to 1"),
            (
                dose(self.warmth.dose_with_consent),
                "warmth.dose_with_consent",
                "from -1 to 1",
            ),
            (
                (0.0..=2.0).contains(&self.warmth.taper_per_week),
                "warmth.taper_per_week",
                "from 0 to 2",
            ),
            (
                self.questions.per_reply >= 0.0,
                "questions.per_reply",
                "0 or more, or inf",
            ),
            (
                self.caps.temperature >= 0.0,
                "caps.temperature",
                "0 or more, or inf",
            ),
            (self.caps.top_p > 0.0, "caps.top_p", "above 0, or inf"),
            (self.repair.turns > 0, "repair.turns", "at least 1"),
            (self.repair.days > 0, "repair.days", "at least 1"),
            (
                p == 0.0 || (0.05..=0.95).contains(&p),
                "pauses.probability",
                "0, or from 0.05 to 0.95",
            ),
            (
                !self.exit.words.trim().is_empty()
                    && self.exit.words.chars().count() <= 200
                    && !self.exit.words.contains(char::is_control),
                "exit.words",
                "one line of 1 to 200 characters",
            ),
            (
                !self.name.is_empty()
                    && self.name.len() <= 40
                    && self
                        .name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
                "name",
                "1 to 40 letters, digits, '-', '_' or '.'",
            ),
        ];
        match rules.into_iter().find(|(holds, _, _)| !holds) {
            Some((_, key, domain)) => Err(PolicyError::Range { key, domain }),
            None => Ok(self),
        }
    }

    /// Name and the first eight hexadecimal digits of a hash over every value: what a log can be checked
    /// against.
    pub fn id(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        let digest = Digest::of(&[b"driftlead/policy/1", text.as_bytes()]).to_string();
        format!("{}-{}", self.name, digest.get(..8).unwrap_or_default())
    }
}

/// Line and column, from 1, of a place in a text.
pub(crate) fn place(text: &str, span: Option<std::ops::Range<usize>>) -> (usize, usize) {
    let at = span.map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
}

fn lay_over(whole: &mut Table, over: Table) {
    for (key, value) in over {
        match (whole.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => lay_over(inner, value),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_are_complete_and_in_range() {
        let keys = |table: &Table| -> Vec<String> {
            let mut keys: Vec<String> = table
                .iter()
                .flat_map(|(key, value)| match value.as_table() {
                    Some(inner) => inner.keys().map(|k| format!("{key}.{k}")).collect(),
                    None => vec![key.clone()],
                })
                .filter(|key| key != "from")
                .collect();
            keys.sort();
            keys
        };
        let all = keys(&Table::try_from(Policy::default()).unwrap());
        for point in Point::ALL {
            let table: Table = toml::from_str(point.text()).unwrap();
            assert_eq!(keys(&table), all, "{point:?}");
            let policy = Policy::at(point).checked().unwrap();
            assert_eq!(policy.name, point.name());
            // Only one of them offers depth to those who ask for it.
            let offers = policy.warmth.dose_with_consent > policy.warmth.dose;
            assert_eq!(offers, point == Point::Monitored);
        }
    }

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let policy = Policy::read("from = \"monitored\"\n[questions]\nper_reply = 2.0\n").unwrap();
        let mut want = Policy::at(Point::Monitored);
        want.questions.per_reply = 2.0;
        assert_eq!(policy, want);
        assert_ne!(policy.id(), Policy::at(Point::Monitored).id());
        assert!(policy.id().starts_with("monitored-"));
        let integer = Policy::read("[warmth]\ndose = 1\n").unwrap();
        assert_eq!(integer.warmth.dose, 1.0);
    }

    #[test]
    fn errors_say_where() {
        let cases = [
            ("[warmth]\ndoes = 1.0\n", "line 2, column 1: unknown field"),
            ("from = \"none\"\n", "line 1, column 8"),
            ("[warmth]\ndose = 3.0\n", "policy.warmth.dose must be"),
            (
                "[pauses]\nprobability = 0.01\n",
                "policy.pauses.probability",
            ),
            ("[caps]\ntemperature = nan\n", "policy.caps.temperature"),
            ("name = \"a b\"", "policy.name must be"),
            ("[exit]\nwords = \" \"", "policy.exit.words must be"),
        ];
        for (text, want) in cases {
            let error = Policy::read(text).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
    }
}
