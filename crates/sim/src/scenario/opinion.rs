//! Scenarios of kind `opinion`: one of several worlds, chosen by its key.
//!
//! A file may have a table of constants for every world. All are checked, and those of the chosen one
//! are used, so that changing `world` is a change of one line.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Reader, ScenarioError};
use crate::feed::opinion::graph::{Network, edges};
use crate::feed::opinion::kinds::{self, Constant, KINDS, Kind};
use crate::feed::opinion::numbers::Size;
use crate::feed::opinion::world::{Peers, Slot, World};

const REPLICATES: u64 = 8;
const MOST_REPLICATES: u64 = 10_000;
const PANEL: u64 = 20;
/// What is shown between two looks is kept: this many people × steps stay within some hundred megabytes.
const MOST_WORK: u64 = 100_000_000;

/// A scenario of kind `opinion`.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Key of the world.
    pub key: &'static str,
    /// The constants of the world.
    pub constants: Vec<(&'static str, Constant)>,
    /// How large it is.
    pub size: Size,
    /// People who are written as a record when one is asked for.
    pub panel: usize,
    /// A list of edges that is still to be read; its name as in the file.
    pub edges: Option<PathBuf>,
}

impl Opinion {
    /// The world with its constants.
    pub fn world(&self) -> Box<dyn World> {
        let kind = kinds::kind(self.key).unwrap_or(&KINDS[0]);
        let mut world = (kind.new)();
        kinds::set(world.as_mut(), &self.constants);
        world
    }

    /// The same with other numbers of people and steps.
    ///
    /// # Errors
    /// A sentence that says what is too many.
    pub fn with_size(mut self, people: Option<u64>, steps: Option<u32>) -> Result<Self, String> {
        if let Some(kind) = kinds::kind(self.key) {
            let (n, t) = (self.size.people as u64, self.size.steps);
            let (people, steps) = (people.unwrap_or(n), steps.unwrap_or(t));
            (self.size.people, self.size.steps) = (check(kind, people, steps)?, steps);
        }
        Ok(self)
    }

    /// Reads the list of edges, if there is one, from beside the scenario.
    ///
    /// # Errors
    /// A sentence with the name of the list.
    pub fn with_edges(mut self, beside: &Path) -> Result<Self, String> {
        if let Some(name) = &self.edges {
            let path = beside.parent().unwrap_or(Path::new("")).join(name);
            let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
            let text = std::fs::read_to_string(&path).map_err(|e| failed(&e))?;
            self.size.network = Some(Network::Edges(edges(&text).map_err(|e| failed(&e))?));
        }
        Ok(self)
    }
}

fn check(kind: &Kind, people: u64, steps: u32) -> Result<usize, String> {
    let most = kind.most_people as u64;
    if !(2..=most).contains(&people) {
        let key = kind.key;
        return Err(format!(
            "people is {people}, and must be from 2 to {most} in {key}"
        ));
    }
    if people.saturating_mul(steps.into()) > MOST_WORK {
        return Err(format!(
            "{people} people × {steps} steps are more than the {MOST_WORK} that what is shown is kept of"
        ));
    }
    Ok(people as usize)
}

type Item<'a> = Spanned<DeValue<'a>>;

/// A table whose keys are taken out one by one; what is left is unknown.
struct Table<'r, 't> {
    reader: &'r Reader<'r>,
    left: Vec<(usize, String, &'t Item<'t>)>,
    known: Vec<String>,
}

impl<'r, 't> Table<'r, 't> {
    fn new(reader: &'r Reader<'r>, table: &'t DeTable<'t>) -> Self {
        let entry = |(k, v): (&Spanned<_>, &'t Item<'t>)| {
            let name: &std::borrow::Cow<'_, str> = k.get_ref();
            (k.span().start, name.to_string(), v)
        };
        Table {
            reader,
            left: table.iter().map(entry).collect(),
            known: Vec::new(),
        }
    }

    fn take(&mut self, key: &str) -> Option<&'t Item<'t>> {
        self.known.push(key.to_owned());
        let at = self.left.iter().position(|(_, k, _)| k == key)?;
        Some(self.left.remove(at).2)
    }

    /// Refuses what was not taken.
    fn end(self) -> Result<(), ScenarioError> {
        match self.left.iter().min_by_key(|(at, ..)| *at) {
            None => Ok(()),
            Some((at, key, _)) => {
                let known = self.known.join("`, `");
                let message = format!("unknown field `{key}`, expected one of `{known}`");
                Err(self.reader.at(*at, message))
            }
        }
    }

    fn wrong<T>(&self, value: &Item<'_>, key: &str, what: &str) -> Result<T, ScenarioError> {
        let written = self
            .reader
            .text
            .get(value.span())
            .unwrap_or("something else");
        let short: String = written.chars().take(40).collect();
        Err(self.reader.at(
            value.span().start,
            format!("{key} is {short}, and must be {what}"),
        ))
    }

    fn number(&mut self, key: &str, now: f64, low: f64, high: f64) -> Result<f64, ScenarioError> {
        let Some(value) = self.take(key) else {
            return Ok(now);
        };
        match plain(value).filter(|x| (low..=high).contains(x)) {
            Some(x) => Ok(x),
            None => self.wrong(value, key, &format!("from {low} to {high}")),
        }
    }

    fn count(&mut self, key: &str, now: u64, low: u64, high: u64) -> Result<u64, ScenarioError> {
        let Some(value) = self.take(key) else {
            return Ok(now);
        };
        let whole = plain(value).filter(|x| x.fract() == 0.0 && *x >= 0.0 && *x < 9e15);
        match whole.map(|x| x as u64).filter(|n| (low..=high).contains(n)) {
            Some(n) => Ok(n),
            None => self.wrong(value, key, &format!("a whole number from {low} to {high}")),
        }
    }

    fn name(&mut self, key: &str, names: &[&'static str]) -> Result<Option<usize>, ScenarioError> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let given = value.get_ref().as_str();
        match names.iter().position(|n| Some(*n) == given) {
            Some(i) => Ok(Some(i)),
            None => self.wrong(value, key, &format!("one of {}", names.join(", "))),
        }
    }
}

/// A number as it is written; `1e6` is one too.
fn plain(value: &Item<'_>) -> Option<f64> {
    let text = match value.get_ref() {
        DeValue::Integer(n) if n.radix() == 10 => n.as_str(),
        DeValue::Float(x) => x.as_str(),
        _ => return None,
    };
    text.replace('_', "").parse().ok()
}

/// Reads the file.
pub(super) fn read(reader: &Reader<'_>) -> Result<Opinion, ScenarioError> {
    let document = DeTable::parse(reader.text).map_err(|e| {
        let at = e.span().map_or(0, |s| s.start);
        reader.at(at, e.message().trim().replace('\n', ", "))
    })?;
    let mut top = Table::new(reader, document.get_ref());
    top.take("kind");
    let keys: Vec<&'static str> = KINDS.iter().map(|k| k.key).collect();
    let Some(kind) = top.name("world", &keys)?.and_then(|i| KINDS.get(i)) else {
        let message = format!("the key world is missing; it is one of {}", keys.join(", "));
        return Err(reader.at(0, message));
    };
    let at = |value: Option<&Item<'_>>| value.map_or(0, |v| v.span().start);
    let (people_at, steps_at) = (
        at(document.get_ref().get("people")),
        at(document.get_ref().get("steps")),
    );
    let people = top.count("people", kind.size.0 as u64, 2, kind.most_people as u64)?;
    let steps = top.count("steps", kind.size.1.into(), 1, u32::MAX.into())? as u32;
    let people = check(kind, people, steps).map_err(|m| reader.at(people_at.max(steps_at), m))?;
    let replicates = top.count("replicates", REPLICATES, 1, MOST_REPLICATES)? as u32;
    let panel = top.count("panel", PANEL, 1, 1_000_000)? as usize;
    let mut chosen = Vec::new();
    for k in KINDS {
        let mut world = (k.new)();
        if let Some(value) = top.take(k.key) {
            section(&mut top, value, k.key, world.as_mut())?;
        }
        if k.key == kind.key {
            chosen = kinds::constants(world.as_mut());
        }
    }
    let (network, friends, edges) = match top.take("network") {
        None => (None, 0.0, None),
        Some(value) => {
            if (kind.new)().peers() == Peers::None {
                let message = format!("{} has no friends; leave out network", kind.key);
                return Err(reader.at(value.span().start, message));
            }
            self::network(&mut top, value)?
        }
    };
    top.end()?;
    let size = Size {
        people,
        steps,
        replicates,
        network,
        friends,
    };
    Ok(Opinion {
        key: kind.key,
        constants: chosen,
        size,
        panel,
        edges,
    })
}

fn section(
    top: &mut Table<'_, '_>,
    value: &Item<'_>,
    key: &str,
    world: &mut dyn World,
) -> Result<(), ScenarioError> {
    let DeValue::Table(inner) = value.get_ref() else {
        return top.wrong(value, key, "a table of constants");
    };
    let mut table = Table::new(top.reader, inner);
    let mut failed = None;
    world.constants(&mut |name, slot| {
        let result = match slot {
            Slot::Number(x, low, high) => table.number(name, *x, low, high).map(|v| *x = v),
            Slot::Count(n, low, high) => {
                let (now, low, high) = (*n as u64, low as u64, high as u64);
                table.count(name, now, low, high).map(|v| *n = v as usize)
            }
            Slot::Choice(names, _, set) => table.name(name, names).map(|i| {
                if let Some(i) = i {
                    set(i);
                }
            }),
        };
        if let Err(e) = result {
            failed.get_or_insert(e);
        }
    });
    match failed {
        Some(e) => Err(e),
        None => table.end(),
    }
}

type Friends = (Option<Network>, f64, Option<PathBuf>);

fn network(top: &mut Table<'_, '_>, value: &Item<'_>) -> Result<Friends, ScenarioError> {
    let DeValue::Table(inner) = value.get_ref() else {
        return top.wrong(value, "network", "a table");
    };
    let mut table = Table::new(top.reader, inner);
    let friends = table.number("friends", 0.3, 0.0, 1.0)?;
    let kinds = ["random", "small_world", "preferential", "edges"];
    let mut edges = None;
    let network = match table.name("kind", &kinds)? {
        Some(0) => Some(Network::Random {
            degree: table.number("degree", 10.0, 0.0, 10_000.0)?,
        }),
        Some(1) => Some(Network::SmallWorld {
            degree: table.count("degree", 10, 2, 10_000)? as usize,
            rewired: table.number("rewired", 0.05, 0.0, 1.0)?,
        }),
        Some(2) => Some(Network::Preferential {
            links: table.count("links", 5, 1, 1000)? as usize,
        }),
        Some(_) => {
            let name = table.take("file");
            let Some(text) = name.and_then(|v| v.get_ref().as_str()) else {
                return top.wrong(value, "network", "with file = \"…\", a list of edges");
            };
            edges = Some(PathBuf::from(text));
            None
        }
        None => {
            let what = format!("with kind, one of {}", kinds.join(", "));
            return top.wrong(value, "network", &what);
        }
    };
    table.end()?;
    Ok((network, friends, edges))
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::*;

    fn parse(text: &str) -> Result<Opinion, ScenarioError> {
        match Scenario::parse(text)? {
            Scenario::Opinion(o) => Ok(*o),
            other => panic!("{other:?}"),
        }
    }

    const SHIPPED: &str = include_str!("../../../../scenarios/opinion.toml");

    /// One line is changed, and the file is a valid scenario of every world, with its defaults.
    #[test]
    fn the_shipped_scenario_writes_the_defaults_of_every_world() {
        for kind in KINDS {
            let text = SHIPPED.replace("\"baumann20\"", &format!("\"{}\"", kind.key));
            let o = parse(&text).unwrap();
            let short = format!("kind = \"opinion\"\nworld = \"{}\"", kind.key);
            assert_eq!(o, parse(&short).unwrap(), "{}", kind.key);
            let written = text.matches(&format!("\n[{}]\n", kind.key)).count();
            assert_eq!(written, 1, "{}", kind.key);
            for (name, _) in &o.constants {
                assert!(
                    text.contains(&format!("\n{name} = ")),
                    "{} {name}",
                    kind.key
                );
            }
        }
        let friends = include_str!("../../../../scenarios/friends.toml");
        let friends = parse(friends).unwrap();
        assert_eq!(friends.key, "perra19_like");
        assert!(friends.size.network.is_some());
    }

    #[test]
    fn one_line_chooses_the_world_and_its_constants() {
        let text = "kind = \"opinion\"\nworld = \"baumann20\"\nreplicates = 3\n\
                    [baumann20]\ncontroversy = 0.05\nhomophily = 2\n[hazla_like]\nrate = 1\n";
        let baumann = parse(text).unwrap();
        assert_eq!(
            (baumann.key, baumann.size.people, baumann.size.replicates),
            ("baumann20", 500, 3)
        );
        assert!(
            baumann
                .constants
                .contains(&("controversy", Constant::Number(0.05)))
        );
        assert!(
            baumann
                .constants
                .contains(&("homophily", Constant::Count(2)))
        );
        let hazla =
            parse(&text.replace("world = \"baumann20\"", "world = \"hazla_like\"")).unwrap();
        assert_eq!(hazla.size.steps, 2000);
        assert!(hazla.constants.contains(&("rate", Constant::Number(1.0))));
        assert_eq!(kinds::constants(hazla.world().as_mut()), hazla.constants);
        assert_eq!(
            hazla
                .clone()
                .with_size(Some(5), Some(1e3 as u32))
                .unwrap()
                .size
                .people,
            5
        );
        assert!(
            hazla
                .clone()
                .with_size(Some(1), None)
                .unwrap_err()
                .contains("from 2")
        );
        assert!(
            hazla
                .with_size(Some(20_000), Some(20_000))
                .unwrap_err()
                .contains("people ×")
        );
    }

    #[test]
    fn networks() {
        let with = |text: &str| {
            parse(&format!(
                "kind = \"opinion\"\nworld = \"baumann20\"\n[network]\n{text}"
            ))
        };
        let small = with("kind = \"small_world\"\ndegree = 4").unwrap();
        let want = Network::SmallWorld {
            degree: 4,
            rewired: 0.05,
        };
        assert_eq!(small.size.network, Some(want));
        let list = with("kind = \"edges\"\nfile = \"friends.csv\"").unwrap();
        assert_eq!(list.edges, Some(PathBuf::from("friends.csv")));
        let error = list.with_edges(Path::new("nowhere/x.toml")).unwrap_err();
        assert!(error.starts_with("nowhere/friends.csv: "), "{error}");
    }

    #[test]
    fn errors_name_the_line_and_the_key() {
        for (text, line, part) in [
            ("", 1, "the key world is missing"),
            (
                "world = \"baumann\"",
                2,
                "world is \"baumann\", and must be one of baumann20",
            ),
            ("world = 3", 2, "world is 3"),
            ("world = \"baumann20\"\npeople = 1", 3, "people is 1"),
            ("world = \"baumann20\"\npeople = 1e5", 3, "people is 1e5"),
            (
                "world = \"baumann20\"\npeople = 2e4\nsteps = 1e6",
                4,
                "people × 1000000 steps",
            ),
            ("world = \"baumann20\"\nsteps = 0", 3, "steps is 0"),
            (
                "world = \"baumann20\"\nreplicates = 1.5",
                3,
                "replicates is 1.5",
            ),
            ("world = \"baumann20\"\nsize = 3", 3, "unknown field `size`"),
            ("world = \"baumann20\"\n[rossi]", 3, "unknown field `rossi`"),
            (
                "world = \"baumann20\"\nbaumann20 = 3",
                3,
                "baumann20 is 3, and must be a table",
            ),
            (
                "world = \"baumann20\"\n[baumann20]\nalpha = 1",
                4,
                "expected one of `influence`",
            ),
            (
                "world = \"baumann20\"\n[baumann20]\n\ndt = nan",
                5,
                "dt is nan",
            ),
            ("world = \"baumann20\"\n[baumann20]\ndt = -1", 4, "dt is -1"),
            (
                "world = \"baumann20\"\n[baumann20]\nreciprocity = 1.01",
                4,
                "from 0 to 1",
            ),
            (
                "world = \"baumann20\"\n[baumann20]\ncontacts = 0",
                4,
                "from 1 to 1000",
            ),
            (
                "world = \"baumann20\"\n[baumann20]\ncontacts = \"x\"",
                4,
                "contacts is \"x\"",
            ),
            (
                "world = \"baumann20\"\n[hazla_like]\nrate = inf",
                4,
                "rate is inf",
            ),
            (
                "world = \"hazla_like\"\n[hazla_like]\nitems = \"some\"",
                4,
                "one of common, own",
            ),
            (
                "world = \"hazla_like\"\n[network]\nkind = \"random\"",
                3,
                "hazla_like has no friends",
            ),
            (
                "world = \"baumann20\"\n[network]\nkind = \"ring\"",
                4,
                "kind is \"ring\"",
            ),
            (
                "world = \"baumann20\"\n[network]\nkind = \"random\"\nlinks = 3",
                5,
                "unknown field `links`",
            ),
            (
                "world = \"baumann20\"\n[network]\nkind = \"edges\"",
                3,
                "file =",
            ),
            (
                "world = \"baumann20\"\n[network]\ndegree = 3",
                3,
                "with kind",
            ),
            (
                "world = \"baumann20\"\n[network]\nkind = \"random\"\ndegree = -1",
                5,
                "degree is -1",
            ),
            (
                "world = \"baumann20\"\nworld = \"baumann20\"",
                3,
                "duplicate",
            ),
        ] {
            let text = format!("kind = \"opinion\"\n{text}");
            let error = parse(&text).unwrap_err();
            assert!(error.message.contains(part), "{text}\n{error}");
            assert_eq!(error.line, line, "{text}\n{error}");
        }
    }
}
