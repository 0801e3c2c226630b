//! Listeners and connections, from the first to the last.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use super::flow::{Flow, Watched};
use super::forward::Door;
use super::lanes::{Berth, Lanes};
use super::metrics::Metrics;
use super::trace::{Exporter, Tracer};
use super::upstream::Live;
use super::{Gate, SESSIONS, admin, environment, forward, heap};
use crate::audit::random_bytes;
use crate::config::{Config, ConfigError, Limits};
use crate::govern::Governor;
use crate::identity::Sessions;

/// Most bytes buffered per connection and direction; headers must fit.
const BUFFER: usize = 64 << 10;
/// Connections that the admin listener serves at once.
const ADMIN_CONNECTIONS: usize = 64;
/// How long the collector of traces may take for the last ones.
const LAST_SPANS: Duration = Duration::from_secs(2);
/// Pause after a failed accept: mostly there are no file handles left, and some must come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address could not be taken.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        error: io::Error,
    },
    /// The system gave no randomness, no threads or no signals.
    #[error("cannot start: {0}")]
    Start(String),
}

/// A gateway whose listeners stand and whose connections wait to be served.
#[derive(Debug)]
pub struct Server {
    main: TcpListener,
    admin: TcpListener,
    person: Option<TcpListener>,
    address: SocketAddr,
    admin_address: SocketAddr,
    gate: Arc<Gate>,
    lanes: Lanes,
    exporter: Option<Exporter>,
}

impl Server {
    /// Takes the addresses, and starts a thread for every core, which serve the connections. Port 0 takes a
    /// free one.
    ///
    /// # Errors
    /// If the configuration is wrong, an address is taken, or there is no randomness or no thread.
    pub async fn bind(config: &Config, governor: Arc<dyn Governor>) -> Result<Self, ServeError> {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let lanes = Lanes::start(cores).map_err(|e| ServeError::Start(e.to_string()))?;
        let live = Live::new(config, &environment, lanes.count())?;
        let key = random_bytes().map_err(|e| ServeError::Start(e.to_string()))?;
        let (main, address) = listen(config.listen).await?;
        let (admin, admin_address) = listen(config.admin).await?;
        let person = match config.person {
            Some(address) => Some(listen(address).await?.0),
            None => None,
        };
        let metrics = Arc::new(Metrics::new());
        let (tracer, exporter) = Tracer::new(config, &metrics)?.unzip();
        let gate = Arc::new(Gate {
            live: RwLock::new(Arc::new(live)),
            clock: governor.clock(),
            governor,
            sessions: Sessions::new(key, SESSIONS),
            metrics,
            tracer,
        });
        Ok(Server {
            main,
            admin,
            person,
            address,
            admin_address,
            gate,
            lanes,
            exporter,
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where health and metrics are.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Where the person's interface is served by itself, if it is.
    pub fn person_address(&self) -> Option<SocketAddr> {
        self.person.as_ref()?.local_addr().ok()
    }

    /// Replaces the configuration of a running server, listeners excepted. A wrong one changes
    /// nothing.
    pub fn reloader(&self) -> impl Fn(&Config) -> Result<(), ConfigError> + use<> {
        let gate = self.gate.clone();
        move |config| gate.reload(config)
    }

    /// Serves until `stop`, then lets open replies finish within the configured bound, then lets the
    /// governor write out what must not be lost. `true`: every reply finished.
    pub async fn run(self, stop: impl Future<Output = ()>) -> bool {
        let gate = self.gate;
        let limits = gate.live().limits.clone();
        let patience = Limits::seconds(limits.client_seconds);
        let (tell, told) = watch::channel(false);
        let (end, ended) = watch::channel(false);

        let admin_gate = gate.clone();
        let state = told.clone();
        let admin_open = Arc::new(Semaphore::new(ADMIN_CONNECTIONS));
        let serve_admin = move |stream, ended, _: Berth| {
            let (gate, state) = (admin_gate.clone(), state.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (gate, stopping) = (gate.clone(), *state.borrow());
                async move { Ok::<_, Infallible>(admin::serve(&gate, stopping, request).await) }
            });
            connection(stream, Flow::default(), service, patience, ended)
        };
        // What an operator asks for may take long; no request to a model is to wait for it.
        let here = Arc::new(Lanes::here());
        let serve_admin = accept(self.admin, here, admin_open, ended, serve_admin);
        let (no_more, stopped) = oneshot::channel();
        let exporting = self
            .exporter
            .map(|exporter| tokio::spawn(exporter.run(stopped)));
        // The admin listener outlives the main one, so that it can tell of the stopping.
        let admin_task = tokio::spawn(serve_admin);

        let open = Arc::new(Semaphore::new(
            limits.connections.min(Semaphore::MAX_PERMITS),
        ));
        let lanes = Arc::new(self.lanes);
        let doors = [(Some(self.main), Door::Main), (self.person, Door::Person)];
        let tasks: Vec<_> = doors
            .into_iter()
            .filter_map(|(listener, door)| Some((listener?, door)))
            .map(|(listener, door)| {
                let gate = gate.clone();
                let serve = move |stream, told, berth: Berth| {
                    let gate = gate.clone();
                    async move {
                        gate.metrics.connections.inc();
                        let shared = gate.clone();
                        let flow = Flow::default();
                        let own = flow.clone();
                        let serve = move |mut request: Request<Incoming>| {
                            request.extensions_mut().insert(own.clone());
                            forward::serve(shared.clone(), door, berth.lane, request)
                        };
                        connection(stream, flow, service_fn(serve), patience, told).await;
                        gate.metrics.connections.dec();
                    }
                };
                let (lanes, open) = (lanes.clone(), open.clone());
                tokio::spawn(accept(listener, lanes, open, told.clone(), serve))
            })
            .collect();

        tokio::select! {
            () = stop => {}
            never = heap::tidy(&gate) => match never {},
        }
        let _ = tell.send(true);
        let bound = Limits::seconds(limits.drain_seconds);
        // Dropping the tasks that are left closes their connections, so their ends are reported.
        let mut left = Vec::new();
        for task in tasks {
            left.push(task.await.unwrap_or_default());
        }
        let finished = tokio::time::timeout(bound, async {
            for open in &mut left {
                while open.join_next().await.is_some() {}
            }
        });
        let finished = finished.await.is_ok();
        for mut open in left {
            open.shutdown().await;
        }
        gate.governor.shutdown().await;
        let _ = no_more.send(());
        if let Some(exporting) = exporting {
            let _ = tokio::time::timeout(LAST_SPANS, exporting).await;
        }
        let _ = end.send(true);
        if let Ok(mut left) = admin_task.await {
            left.shutdown().await;
        }
        finished
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |error| ServeError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let taken = listener.local_addr().map_err(failed)?;
    Ok((listener, taken))
}

/// Accepts until told to stop; returns the connections that are still open.
async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    lanes: Arc<Lanes>,
    open: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
    serve: impl Fn(TcpStream, watch::Receiver<bool>, Berth) -> F + Clone + Send + 'static,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    loop {
        let next = async {
            let permit = open.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            Some(_) = tasks.join_next() => continue,
            _ = stop.changed() => return tasks,
        };
        // Every event loop watches its own sockets, so this one lets go of it.
        match accepted.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => {
                // Without this, a frame written in two parts waits 40 ms for an acknowledgement.
                let _ = stream.set_nodelay(true);
                let Some((berth, runtime)) = lanes.berth() else {
                    continue;
                };
                let (serve, stop) = (serve.clone(), stop.clone());
                let served = async move {
                    if let Ok(stream) = TcpStream::from_std(stream) {
                        serve(stream, stop, berth).await;
                    }
                    drop(permit);
                };
                tasks.spawn_on(served, runtime);
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves one connection; told to stop, it finishes the reply under way and closes.
async fn connection<S, B>(
    stream: TcpStream,
    flow: Flow,
    service: S,
    patience: Duration,
    mut stop: watch::Receiver<bool>,
) where
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    TokioIo<TcpStream>: Read + Write + Unpin,
{
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(BUFFER)
        .serve_connection(Watched::new(TokioIo::new(stream), flow), service);
    let mut served = std::pin::pin!(served);
    // An error here is a client that went away or a reply that broke off; both are counted where
    // they happen.
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}
