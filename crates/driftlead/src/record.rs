//! `driftlead record`: everything that passed, as one table.

use std::io::BufWriter;

use driftlead_record::Sink;
use driftlead_record::write::{WriteError, Writer};

use crate::args::{Common, Record};
use crate::failure::Failure;
use crate::file::Draft;
use crate::input::{self, Watched};
use crate::number::thousands;
use crate::{Outcome, summary, terminal};

/// Runs it.
pub(crate) fn run(args: &Record, common: &Common) -> Result<Outcome, Failure> {
    let is_parquet = match args.out.extension().and_then(|e| e.to_str()) {
        Some("parquet") => true,
        Some("jsonl") => false,
        _ => {
            return Err(Failure::Input(format!(
                "--out {}: the name must end in .parquet or .jsonl",
                args.out.display()
            )));
        }
    };
    input::keep_apart(&args.input.paths, &args.out)?;
    let draft = Draft::start(&args.out)?;
    let file = BufWriter::new(draft.writer()?);
    let failed = |e: WriteError| Failure::cannot_write(&args.out, &e);
    let mut writer = match is_parquet {
        true => Writer::parquet(file, args.text),
        false => Writer::json_lines(file, args.text),
    }
    .map_err(failed)?;
    let import = read(args, common, &mut writer)?;
    let rows = writer.finish().map_err(failed)?;
    draft.keep()?;
    if !common.quiet {
        terminal::print(&summary::import(&import, common.verbose))?;
        let text = if args.text {
            "with text"
        } else {
            "without text"
        };
        terminal::print(&format!(
            "wrote {} ({} rows, {text})\n",
            args.out.display(),
            thousands(rows)
        ))?;
    }
    Ok(Outcome::Done)
}

fn read<S: Sink>(
    args: &Record,
    common: &Common,
    sink: &mut S,
) -> Result<driftlead_record::Import, Failure> {
    let bar = terminal::progress(Some(0), "reading", common.quiet);
    let import = input::read(
        &args.input,
        &mut Watched {
            inner: sink,
            bar: &bar,
        },
    );
    bar.finish_and_clear();
    import
}
