//! The wire: listeners, the way to the upstreams, and the bodies between them.

mod admin;
mod answer;
mod body;
mod copy;
mod errors;
mod flow;
mod forward;
mod headers;
mod metrics;
mod place;
mod rewrite;
mod run;
mod server;
mod upstream;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

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

/// µs since 1970 UTC.
fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}
