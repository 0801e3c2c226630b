//! Gives memory back to the system when a crowd has left.
//!
//! Every stream holds some buffers. The C library keeps what is freed for later, in lumps that are never
//! empty enough by themselves, so that a gateway would stay as large as in its busiest minute.

use std::convert::Infallible;
use std::time::Duration;

use super::Gate;

/// How often it is looked who is here.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two times at which memory may be given back.
const LOOKS: u32 = 10;

/// Looks and gives back, without an end.
pub(super) async fn tidy(gate: &Gate) -> Infallible {
    // What the start needed and does not need any more goes when nobody is here yet.
    let mut most = 2;
    loop {
        let mut open = 0;
        for _ in 0..LOOKS {
            tokio::time::sleep(LOOK).await;
            // Each connection has buffers, and each exchange has a connection to the upstream.
            open = gate.metrics.connections.get() + gate.metrics.open.get();
            most = most.max(open);
        }
        if open < most / 2 {
            most = open;
            give_back();
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "a function of the C library")]
fn give_back() {
    use std::ffi::c_int;

    // SAFETY: declared as in malloc.h; it takes no pointer, and may be called at any time by any thread.
    unsafe extern "C" {
        safe fn malloc_trim(keep: usize) -> c_int;
    }
    malloc_trim(0);
}

/// Other libraries do it by themselves, or offer no such thing.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
