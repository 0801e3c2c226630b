//! The wire: listeners, the way to the upstreams, and the bodies between them.

mod admin;
mod answer;
mod body;
mod copy;
mod errors;
mod flow;
mod forward;
mod headers;
mod heap;
mod lanes;
mod metrics;
mod place;
mod rewrite;
mod run;
mod server;
mod trace;
mod upstream;

use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::govern::Governor;
use crate::identity::Sessions;
use metrics::Metrics;
pub use run::{Event, run};
pub use server::{ServeError, Server};
use trace::Tracer;
use upstream::Live;

/// Conversations remembered to recognise the ones that are not named.
const SESSIONS: usize = 100_000;

/// What all connections share.
#[derive(Debug)]
struct Gate {
    live: RwLock<Arc<Live>>,
    governor: Arc<dyn Governor>,
    sessions: Sessions,
    metrics: Arc<Metrics>,
    tracer: Option<Tracer>,
    clock: Clock,
}

impl Gate {
    fn live(&self) -> Arc<Live> {
        self.live
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces the configuration for requests to come; the ones under way keep theirs.
    fn reload(&self, config: &Config) -> Result<(), ConfigError> {
        if config.traces.as_ref() != self.tracer.as_ref().map(|tracer| &tracer.traces) {
            let what = "[traces] changes only with a restart".to_owned();
            return Err(ConfigError::Governor { what });
        }
        let live = Arc::new(Live::new(config, &environment, self.live().lanes())?);
        let governed = self.governor.reload(config);
        governed.map_err(|what| ConfigError::Governor { what })?;
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = live;
        Ok(())
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
