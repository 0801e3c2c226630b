//! Driftlead's own record. A record may hold many people; rows of one conversation stand together.

mod assemble;
mod lines;
mod table;

pub(crate) use lines::read_stream;
pub(crate) use table::read_parquet;

use super::UnitError;
use crate::schema::VERSION;

/// Refuses a version whose columns may mean something else.
fn check_version(found: Option<&str>) -> Result<(), UnitError> {
    match found {
        Some(v) if v == VERSION.to_string() => Ok(()),
        Some(v) => {
            let v: String = v.chars().filter(char::is_ascii_digit).take(10).collect();
            Err(UnitError::Structure(format!(
                "this record has schema version {v:?}, and this build reads version {VERSION} only"
            )))
        }
        None => Err(UnitError::Structure(
            "the file has no record schema version in its metadata".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests;
