//! `driftlead me`: a person's own history.

use driftlead_drift::{Course, Options};
use driftlead_record::Import;
use driftlead_report::{Page, Source};
use serde::Serialize;

use crate::args::{Common, Me};
use crate::failure::Failure;
use crate::input::{self, Watched};
use crate::measure::{self, Measuring};
use crate::{Outcome, VERSION, cards, file, summary, terminal};

/// The page as data.
#[derive(Serialize)]
struct Content<'a> {
    program: &'a str,
    verb: &'a str,
    import: &'a Import,
    courses: &'a [Course],
}

/// Runs it.
pub(crate) fn run(args: &Me, common: &Common) -> Result<Outcome, Failure> {
    input::keep_apart(&args.input.paths, &args.out)?;
    if let Some(json) = &args.json.json {
        input::keep_apart(&args.input.paths, json)?;
    }
    let mut measuring = Measuring::new()?;
    let import = read(args, common, &mut measuring)?;
    let options = Options {
        delta_sd: args.delta,
        seed: common.seed,
        ..Options::default()
    };
    let courses = measuring.courses(&options);
    file::write(&args.out, page(&import, &courses).as_bytes())?;
    if let Some(target) = &args.json.json {
        let content = Content {
            program: VERSION,
            verb: "me",
            import: &import,
            courses: &courses,
        };
        file::write_json(target, &content)?;
    }
    let prints_json = args
        .json
        .json
        .as_deref()
        .is_some_and(|p| p.as_os_str() == "-");
    if !common.quiet && !prints_json {
        terminal::print(&text(args, common, &import, &courses))?;
    }
    if !measure::is_measured(&courses) {
        return Err(Failure::Measure(format!(
            "everything was read, but it is too little to measure: nothing that is counted varies over enough \
             weeks.\n  {} shows what is there.",
            args.out.display()
        )));
    }
    Ok(if measure::has_moved(&courses) {
        Outcome::Moved
    } else {
        Outcome::Done
    })
}

fn read(args: &Me, common: &Common, measuring: &mut Measuring) -> Result<Import, Failure> {
    let bar = terminal::progress(Some(0), "reading", common.quiet);
    let import = input::read(
        &args.input,
        &mut Watched {
            inner: measuring,
            bar: &bar,
        },
    );
    bar.finish_and_clear();
    import
}

fn page(import: &Import, courses: &[Course]) -> String {
    let sources: Vec<Source> = import
        .files
        .iter()
        .map(|f| Source {
            name: f.name.clone(),
            format: f
                .format
                .map_or("not read", driftlead_record::Format::title)
                .to_owned(),
        })
        .collect();
    driftlead_report::page(&Page {
        title: "Your course",
        version: VERSION,
        label: None,
        courses,
        import: Some(driftlead_report::Import {
            accounting: &import.accounting,
            sources: &sources,
            warnings: &import.warnings,
        }),
        cards: &cards::texts(courses),
        cohort: None,
    })
}

fn text(args: &Me, common: &Common, import: &Import, courses: &[Course]) -> String {
    let (width, emphasis) = (terminal::width(), terminal::Emphasis::detect());
    let mut out = format!("{VERSION}\n");
    out.push_str(&summary::import(import, common.verbose));
    for course in courses {
        out.push_str(&summary::course(course, width, emphasis));
    }
    out.push('\n');
    for course in courses
        .iter()
        .filter(|c| c.lines.iter().any(|l| l.verdict.change.is_some()))
    {
        out.push_str(&summary::wrap(&summary::promise(course), width));
    }
    out.push_str(&format!("page  {}\n", args.out.display()));
    out
}
