//! `driftlead verify`: a chain of an audit log, derived again.

use std::fmt::Write as _;
use std::path::Path;

use driftlead_gate::audit::{Kind, Verified, Witness, verify_against};
use serde::Serialize;

use crate::args::{Common, Verify};
use crate::failure::Failure;
use crate::{Outcome, VERSION, file, terminal};

#[derive(Serialize)]
struct Content<'a> {
    program: &'a str,
    verb: &'a str,
    holds: bool,
    receipts: usize,
    log: &'a Verified,
}

pub(crate) fn run(args: &Verify, common: &Common) -> Result<Outcome, Failure> {
    let log = if args.path.is_dir() {
        args.path.join("audit.log")
    } else {
        args.path.clone()
    };
    let witnesses = args
        .receipt
        .iter()
        .map(|path| witness(path))
        .collect::<Result<Vec<_>, _>>()?;
    let found = verify_against(&log, &witnesses).map_err(|e| Failure::Input(e.to_string()))?;
    if found.torn > 0 {
        return Err(Failure::Input(format!(
            "{}: after entry {} come {} bytes that are no whole entry.\n  A gateway that was killed \
             leaves this, and so does a changed last byte. The gateway cuts it off, and says so in the \
             log, when it starts again.",
            log.display(),
            found.entries,
            found.torn
        )));
    }
    if let Some(target) = &args.json.json {
        let content = Content {
            program: VERSION,
            verb: "verify",
            holds: true,
            receipts: witnesses.len(),
            log: &found,
        };
        file::write_json(target, &content)?;
        return Ok(Outcome::Done);
    }
    if !common.quiet {
        terminal::print(&words(&log, &found, witnesses.len()))?;
    }
    Ok(Outcome::Done)
}

fn witness(path: &Path) -> Result<Witness, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::Input(format!("{} could not be read: {e}", path.display())))?;
    Witness::of_receipt(&text).ok_or_else(|| {
        Failure::Input(format!(
            "{} is no receipt: it must be JSON with witness.log_entry and witness.log_head",
            path.display()
        ))
    })
}

fn words(log: &Path, found: &Verified, receipts: usize) -> String {
    let mut out = format!(
        "{}: the chain holds\n  entries: {}\n  head: {}\n",
        log.display(),
        found.entries,
        found.head
    );
    for (kind, count) in &found.kinds {
        let name = format!("{kind:?}").to_lowercase();
        let note = match kind {
            Kind::Erased => " (people whose entries nobody can open any more)",
            Kind::Recovery => " (times that a torn last record was cut off)",
            _ => "",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {name}: {count}{note}");
    }
    if receipts > 0 {
        let _ = writeln!(out, "  receipts that agree with it: {receipts}");
    }
    out.push_str(
        "  Whoever holds the whole file could have written all of it anew. The head printed in a\n  \
         receipt is the witness against that.\n",
    );
    out
}
