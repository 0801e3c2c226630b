//! The wire: listeners, the way to the upstreams, and the bodies between them.

mod admin;
mod answer;
mod body;
mod copy;
mod errors;
mod forward;
mod headers;
mod metrics;
mod place;
mod run;
mod server;
mod upstream;

use std::sync::{Arc, PoisonError, RwLock};

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::govern::Governor;
use crate::identity::Sessions;
use metrics::Metrics;
pub use run::{Event, run};
pub use server::{ServeError, Server};
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
        let live = Arc::new(Live::new(config, &environment)?);
        let governed = self.governor.reload(config);
        governed.map_err(|what| ConfigError::Governor { what })?;
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = live;
        Ok(())
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
