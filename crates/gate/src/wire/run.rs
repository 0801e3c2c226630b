//! A gateway as a process: its own runtime, signals, what it says.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Builder;

use super::server::{ServeError, Server};
use crate::config::Config;
use crate::govern::Governor;

/// What a running gateway tells the terminal. Nothing of a request is ever in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Both listeners stand.
    Listening {
        /// Where clients connect.
        main: SocketAddr,
        /// Where health and metrics are.
        admin: SocketAddr,
    },
    /// A new configuration holds.
    Reloaded,
    /// A new configuration was wrong; the old one holds.
    NotReloaded(String),
    /// Told to stop; open replies finish.
    Stopping,
    /// Every reply finished, or the bound came first.
    Stopped {
        /// False where replies were cut.
        finished: bool,
    },
}

/// Serves until SIGTERM or SIGINT; a second one ends at once. SIGHUP asks `reread` for a new
/// configuration, where there is one.
///
/// # Errors
/// Only before it serves.
pub fn run(
    config: &Config,
    governor: Arc<dyn Governor>,
    reread: Option<&dyn Fn() -> Result<Config, String>>,
    say: &dyn Fn(Event),
) -> Result<(), ServeError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ServeError::Start(error.to_string()))?;
    let result = runtime.block_on(serve(config, governor, reread, say));
    // A second signal must not wait for what still runs.
    runtime.shutdown_background();
    result
}

async fn serve(
    config: &Config,
    governor: Arc<dyn Governor>,
    reread: Option<&dyn Fn() -> Result<Config, String>>,
    say: &dyn Fn(Event),
) -> Result<(), ServeError> {
    let mut signals = Signals::new().map_err(|e| ServeError::Start(e.to_string()))?;
    let server = Server::bind(config, governor).await?;
    let reload = server.reloader();
    say(Event::Listening {
        main: server.address(),
        admin: server.admin_address(),
    });
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let serving = server.run(async {
        let _ = told.await;
    });
    let mut serving = std::pin::pin!(serving);
    let mut tell = Some(tell);
    loop {
        let signal = tokio::select! {
            finished = serving.as_mut() => {
                say(Event::Stopped { finished });
                return Ok(());
            }
            signal = signals.next() => signal,
        };
        match (signal, tell.take()) {
            (Signal::Reload, still) => {
                tell = still;
                if let Some(reread) = reread {
                    let outcome = reread().and_then(|new| {
                        let places = |of: &Config| (of.listen, of.admin, of.person);
                        if places(&new) != places(config) {
                            return Err("listeners cannot change while running".to_owned());
                        }
                        reload(&new).map_err(|error| error.to_string())
                    });
                    say(outcome.map_or_else(Event::NotReloaded, |()| Event::Reloaded));
                }
            }
            (Signal::Stop, Some(tell)) => {
                say(Event::Stopping);
                let _ = tell.send(());
            }
            (Signal::Stop, None) => {
                say(Event::Stopped { finished: false });
                return Ok(());
            }
        }
    }
}

enum Signal {
    Reload,
    Stop,
}

#[cfg(unix)]
struct Signals {
    hangup: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) -> Signal {
        // Where Ctrl-C cannot be heard, the process is ended from outside.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop
    }
}
