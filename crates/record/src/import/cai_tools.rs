//! character.ai through CAI Tools (formats.md §7): the dumps of 2023, and raw captures of the
//! service's `turns`. The chat files of 2024 have the form of SillyTavern and are read there.

mod dump;
mod turns;

use serde::Deserialize;

use self::dump::{History, Info};
use self::turns::Turn;
use super::lenient::{List, Object};
use super::rows;
use super::{Parsed, Unit, UnitError};

/// Deployment where no character is named.
const SERVICE: &str = "character.ai";

/// A dump, one history of a dump, or a capture.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Root<'a> {
    #[serde(borrow)]
    info: Object<Info<'a>>,
    #[serde(borrow)]
    histories: Object<Histories<'a>>,
    #[serde(borrow)]
    turns: Option<List<Object<Turn<'a>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Histories<'a> {
    #[serde(borrow)]
    histories: Option<List<Object<History<'a>>>>,
}

/// Reads one dump, one history or one capture.
///
/// # Errors
/// [`UnitError::Json`] where it is no JSON, [`UnitError::Structure`] where it is none of these.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let root: Root<'_> = rows::json(unit)?;
    let mut parsed = Parsed::default();
    if let Some(list) = root.histories.0.as_ref().and_then(|h| h.histories.as_ref()) {
        let name = root.info.0.as_ref().and_then(Info::name);
        for history in &list.0 {
            dump::read(history.0.as_ref(), name, unit, &mut parsed);
        }
        return Ok(parsed);
    }
    if let Some(turns) = &root.turns {
        turns::read(&turns.0, unit, &mut parsed);
        return Ok(parsed);
    }
    let history: History<'_> = rows::json(unit)?;
    if history.msgs.is_none() {
        return Err(UnitError::Structure(
            "neither `histories`, `msgs` nor `turns`".to_owned(),
        ));
    }
    dump::read(Some(&history), None, unit, &mut parsed);
    Ok(parsed)
}

#[cfg(test)]
mod tests;
