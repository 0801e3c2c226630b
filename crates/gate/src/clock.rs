//! Where the gateway takes the time of day from.
//!
//! Everything that means something to people rests on it: when a conversation is over, when a reminder is
//! due, when a consent ends, what time stands in the log and the record. How long a server may take or a
//! connection stay silent does not: that is measured, not read off a clock, and no clock that is set can
//! change it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system's clock, or one that is set by hand, for simulated months and for clocks that jump.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    hand: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Clock::default()
    }

    /// One that stands at `micros` (µs since 1970 UTC) until it is set. Clones are the same clock.
    #[must_use]
    pub fn standing_at(micros: i64) -> Self {
        Clock {
            hand: Some(Arc::new(AtomicI64::new(micros))),
        }
    }

    /// Sets a standing clock, forwards or back. The system's is not the gateway's to set: nothing happens.
    pub fn set(&self, micros: i64) {
        if let Some(hand) = &self.hand {
            hand.store(micros, Ordering::Release);
        }
    }

    /// µs since 1970 UTC.
    #[must_use]
    pub fn now_micros(&self) -> i64 {
        match &self.hand {
            Some(hand) => hand.load(Ordering::Acquire),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| {
                    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
                }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_goes_where_it_is_set_and_the_systems_does_not() {
        let clock = Clock::standing_at(5);
        let same = clock.clone();
        clock.set(3);
        assert_eq!((same.now_micros(), clock.now_micros()), (3, 3));
        let system = Clock::system();
        let before = system.now_micros();
        system.set(3);
        assert!(before > 1_700_000_000_000_000 && system.now_micros() >= before);
    }
}
