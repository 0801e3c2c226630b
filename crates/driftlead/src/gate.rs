//! `driftlead gate`: the gateway as a process.

use std::path::Path;
use std::sync::Arc;

use driftlead_gate::config::Config;
use driftlead_gate::govern::Transparent;
use driftlead_gate::{Event, run as serve};

use crate::Outcome;
use crate::args::{Common, Gate};
use crate::failure::Failure;
use crate::terminal;

pub(crate) fn run(args: &Gate, common: &Common) -> Result<Outcome, Failure> {
    if args.schema {
        terminal::print(&Config::schema())?;
        return Ok(Outcome::Done);
    }
    let config = match (&args.config, &args.upstream) {
        (Some(path), _) => read(path).map_err(Failure::Input)?,
        (None, Some(url)) => from_flags(url, args),
        // The parser of the command line demands one of them.
        (None, None) => return Err(Failure::Input("--upstream or --config is needed".into())),
    };
    config
        .check()
        .map_err(|error| Failure::Input(error.to_string()))?;
    if args.check {
        if !common.quiet {
            terminal::complain(&format!(
                "upstreams: {}; nothing is wrong",
                config.upstreams.len()
            ));
        }
        return Ok(Outcome::Done);
    }
    let reread = args.config.as_deref().map(|path| move || read(path));
    let reread = reread
        .as_ref()
        .map(|reread| reread as &dyn Fn() -> Result<Config, String>);
    let say = |event: Event| {
        if !common.quiet || matches!(event, Event::NotReloaded(_)) {
            terminal::complain(&words(&event));
        }
    };
    serve(&config, Arc::new(Transparent), reread, &say)
        .map_err(|error| Failure::Input(error.to_string()))?;
    Ok(Outcome::Done)
}

fn from_flags(url: &str, args: &Gate) -> Config {
    let mut config = Config::for_upstream(url);
    config.listen = args.listen;
    config.admin = args.admin;
    config
}

fn read(path: &Path) -> Result<Config, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{} could not be read: {error}", path.display()))?;
    Config::read(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn words(event: &Event) -> String {
    match event {
        Event::Listening { main, admin } => format!(
            "listening on http://{main}/v1, health and metrics on http://{admin}\n\
             everything is forwarded unchanged; no policy is active"
        ),
        Event::Reloaded => "the new configuration holds".to_owned(),
        Event::NotReloaded(why) => format!("the old configuration still holds: {why}"),
        Event::Stopping => {
            "stopping: open replies finish first; a second signal cuts them".to_owned()
        }
        Event::Stopped { finished: true } => "stopped: every reply finished".to_owned(),
        Event::Stopped { finished: false } => "stopped: open replies were cut".to_owned(),
    }
}
