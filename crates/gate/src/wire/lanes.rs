//! The threads that connections are served on: one event loop each.
//!
//! A request, its reply and the connection to its upstream stay on one thread from the first byte to the
//! last. On a runtime that shares its tasks among threads, a task that wakes itself, as reading a body
//! makes it do, wakes another thread too; here that is an entry in the thread's own queue.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Event loops that share the connections of some listeners.
#[derive(Debug)]
pub(super) struct Lanes(Vec<Lane>);

#[derive(Debug)]
struct Lane {
    runtime: Handle,
    /// Held once by every connection that is open on it.
    open: Arc<()>,
    /// The thread ends when this is dropped; `None` where the lane is somebody else's runtime.
    _thread: Option<oneshot::Sender<()>>,
}

/// A connection's place on a lane, held as long as it is open.
#[derive(Debug)]
pub(super) struct Berth {
    /// Number of the lane, from 0.
    pub(super) lane: usize,
    _open: Arc<()>,
}

impl Lanes {
    /// The caller's own runtime.
    pub(super) fn here() -> Self {
        Lanes(vec![Lane {
            runtime: Handle::current(),
            open: Arc::default(),
            _thread: None,
        }])
    }

    /// Threads of their own. They end when this is dropped; nobody waits for them.
    pub(super) fn start(count: NonZeroUsize) -> io::Result<Self> {
        let start = |number| {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let handle = runtime.handle().clone();
            let (thread, over) = oneshot::channel();
            std::thread::Builder::new()
                .name(format!("lane {number}"))
                // It ends with an error: the sender was dropped.
                .spawn(move || drop(runtime.block_on(over)))?;
            Ok(Lane {
                runtime: handle,
                open: Arc::default(),
                _thread: Some(thread),
            })
        };
        (0..count.get())
            .map(start)
            .collect::<io::Result<_>>()
            .map(Lanes)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// A place on the lane with the fewest open connections, and the runtime to serve it on.
    pub(super) fn berth(&self) -> Option<(Berth, &Handle)> {
        let lanes = self.0.iter().enumerate();
        let (lane, of) = lanes.min_by_key(|(_, lane)| Arc::strong_count(&lane.open))?;
        let berth = Berth {
            lane,
            _open: of.open.clone(),
        };
        Some((berth, &of.runtime))
    }
}
