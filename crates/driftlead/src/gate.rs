//! `driftlead gate`: the gateway as a process.

use std::path::Path;
use std::sync::Arc;

use driftlead_gate::config::Config;
use driftlead_gate::govern::{Governor, Transparent};
use driftlead_gate::governance::Governance;
use driftlead_gate::policy::{Point, Policy};
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
        (None, Some(url)) => from_flags(url, args)?,
        // The parser of the command line demands one of them.
        (None, None) => return Err(Failure::Input("--upstream or --config is needed".into())),
    };
    config
        .check()
        .map_err(|error| Failure::Input(error.to_string()))?;
    if args.check {
        if !common.quiet {
            terminal::complain(&format!(
                "upstreams: {}; policy: {}; nothing is wrong",
                config.upstreams.len(),
                config
                    .policy
                    .as_ref()
                    .map_or_else(|| "none".to_owned(), Policy::id)
            ));
        }
        return Ok(Outcome::Done);
    }
    let governance = match &config.policy {
        Some(policy) => Some(
            Governance::open(&config.govern, policy).map_err(|e| Failure::Input(e.to_string()))?,
        ),
        None => None,
    };
    let governor: Arc<dyn Governor> = match &governance {
        Some(governance) => Arc::new(governance.clone()),
        None => Arc::new(Transparent),
    };
    let reread = args.config.as_deref().map(|path| {
        || {
            let new = read(path)?;
            if new.policy.is_some() && config.policy.is_none() {
                return Err("a policy begins to hold only with a restart".to_owned());
            }
            Ok(new)
        }
    });
    let reread = reread
        .as_ref()
        .map(|reread| reread as &dyn Fn() -> Result<Config, String>);
    let policy = governance.as_ref().map(Governance::policy_id);
    let say = |event: Event| {
        if !common.quiet || matches!(event, Event::NotReloaded(_)) {
            terminal::complain(&words(&event, policy.as_deref()));
        }
    };
    serve(&config, governor, reread, &say).map_err(|error| Failure::Input(error.to_string()))?;
    Ok(Outcome::Done)
}

fn from_flags(url: &str, args: &Gate) -> Result<Config, Failure> {
    let mut config = Config::for_upstream(url);
    config.listen = args.listen;
    config.admin = args.admin;
    config.govern.data.clone_from(&args.data);
    if args.listen.port() != 0 {
        config.govern.page_address = Some(format!("http://{}", args.listen));
    }
    config.policy = args.policy.as_deref().map(policy).transpose()?;
    Ok(config)
}

/// A point by its name, or a file.
fn policy(name: &str) -> Result<Policy, Failure> {
    if let Some(point) = Point::ALL.into_iter().find(|point| point.name() == name) {
        return Ok(Policy::at(point));
    }
    let text = std::fs::read_to_string(name).map_err(|error| {
        let points = Point::ALL.map(Point::name).join(", ");
        Failure::Input(format!(
            "--policy {name}: neither one of {points}, nor a file that can be read ({error})"
        ))
    })?;
    Policy::read(&text).map_err(|error| Failure::Input(format!("{name}: {error}")))
}

fn read(path: &Path) -> Result<Config, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{} could not be read: {error}", path.display()))?;
    Config::read(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn words(event: &Event, policy: Option<&str>) -> String {
    match event {
        Event::Listening { main, admin } => {
            let policy = policy.map_or_else(
                || "everything is forwarded unchanged; no policy is active".to_owned(),
                |id| format!("policy in force: {id}"),
            );
            format!("listening on http://{main}/v1, health and metrics on http://{admin}\n{policy}")
        }
        Event::Reloaded => "the new configuration holds".to_owned(),
        Event::NotReloaded(why) => format!("the old configuration still holds: {why}"),
        Event::Stopping => {
            "stopping: open replies finish first; a second signal cuts them".to_owned()
        }
        Event::Stopped { finished: true } => "stopped: every reply finished".to_owned(),
        Event::Stopped { finished: false } => "stopped: open replies were cut".to_owned(),
    }
}
