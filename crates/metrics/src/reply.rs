//! The reply to something that the person said: what stands in the denominators of M17 and M18.
//!
//! The reply is the first message with words that the system writes before the person writes again.
//! Where it writes without words (a picture, code alone) and nothing else, no listed line was there:
//! that is an answer counted as without. Where its words are in another language, or were not recorded,
//! nobody knows: the answer leaves the denominator, and a week in which more than a fifth of the answers
//! do so has no value (metrics.md §3.5).

use driftlead_record::Week;

/// An event of the person that waits for its reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Awaited {
    /// The week of the event, which the reply is counted in.
    week: Week,
    wordless: bool,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Answered in words that were read.
    Read,
    /// Answered without words only.
    Wordless,
    /// Answered in words that cannot be read.
    Unread,
}

impl Awaited {
    /// Waits from now on.
    pub(crate) fn new(week: Week) -> Self {
        Awaited {
            week,
            wordless: false,
        }
    }
}

/// The system wrote without words: the event goes on waiting for some.
pub(crate) fn wordless(waiting: &mut Option<Awaited>) {
    if let Some(event) = waiting {
        event.wordless = true;
    }
}

/// The system wrote words: the event is answered.
pub(crate) fn words(waiting: &mut Option<Awaited>, is_read: bool) -> Option<(Week, Reply)> {
    let reply = if is_read { Reply::Read } else { Reply::Unread };
    waiting.take().map(|event| (event.week, reply))
}

/// The person wrote again, or the conversation ended; `None` where the event had no answer at all.
pub(crate) fn over(waiting: &mut Option<Awaited>) -> Option<(Week, Reply)> {
    let event = waiting.take()?;
    event.wordless.then_some((event.week, Reply::Wordless))
}
