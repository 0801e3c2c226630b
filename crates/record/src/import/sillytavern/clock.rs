//! Times of a chat whose messages carry the wall clock of the machine that wrote them, while answers
//! may carry instants as well (formats.md §6).

use std::collections::BTreeMap;

use crate::when::{Clock, Stamp, offset_between};
use crate::{Event, MICROS, Time, TimeQuality};

/// What one row of the file says about time, in the order of the file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stamps {
    /// `send_date`.
    pub(super) sent: Option<Time>,
    /// `gen_finished`.
    pub(super) finished: Option<Time>,
}

impl Stamps {
    pub(super) fn of(sent: &Stamp, finished: &Stamp, clock: Clock<'_>) -> Self {
        Stamps {
            sent: sent.time(clock),
            finished: finished.time(clock),
        }
    }

    /// The better of the two.
    pub(super) fn best(self) -> Option<Time> {
        self.finished.or(self.sent)
    }

    fn offset(self) -> Option<i32> {
        let sent = self.sent.filter(|t| t.quality == TimeQuality::Local)?;
        offset_between(&sent, &self.finished?)
    }
}

/// Offset of the machine's clock at each message, learned from its answers: the last one known, at
/// the beginning the first. An answer that was continued an hour later points to a wrong offset, so
/// that where there are several, one answer alone is not believed.
pub(super) fn offsets(messages: &[Stamps]) -> Vec<Option<i32>> {
    let mut support: BTreeMap<i32, u32> = BTreeMap::new();
    let found: Vec<Option<i32>> = messages.iter().map(|m| m.offset()).collect();
    for offset in found.iter().flatten() {
        *support.entry(*offset).or_default() += 1;
    }
    let is_only = support.values().sum::<u32>() == 1;
    let is_believed = |o: &i32| is_only || support.get(o).is_some_and(|n| *n > 1);
    let mut last = found.iter().flatten().copied().find(is_believed);
    found
        .iter()
        .map(|offset| {
            last = offset.filter(is_believed).or(last);
            last
        })
        .collect()
}

/// Turns a wall clock into an instant, and gives an instant the offset.
pub(super) fn apply(offset: i32, event: &mut Event) {
    let Some(time) = event.time.as_mut() else {
        return;
    };
    if time.quality == TimeQuality::Local {
        time.micros = time.micros.saturating_sub(i64::from(offset) * MICROS);
    }
    time.offset_seconds = Some(offset);
}

/// Whether all times are the moment of a conversion, as programs write that convert chats of other
/// services: nobody writes three messages within five seconds.
pub(super) fn is_converted(created: Option<Time>, messages: &[Stamps], is_cai: bool) -> bool {
    let sent: Vec<Time> = messages.iter().filter_map(|m| m.sent).collect();
    let enough = if is_cai { 1 } else { 3 };
    if sent.len() < enough || messages.iter().any(|m| m.finished.is_some()) {
        return false;
    }
    let header = created.filter(|_| is_cai);
    let stamps = || sent.iter().chain(header.as_ref()).map(|t| t.micros);
    match (stamps().min(), stamps().max()) {
        (Some(first), Some(last)) => last.saturating_sub(first) <= 5 * MICROS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(sent_minute: i64, finished_minute: Option<i64>) -> Stamps {
        let local = |m: i64| Time {
            micros: (m + 1_000_000) * 60 * MICROS,
            offset_seconds: Some(0),
            quality: TimeQuality::Local,
        };
        Stamps {
            sent: Some(local(sent_minute)),
            finished: finished_minute.map(|m| Time::exact(local(m).micros)),
        }
    }

    #[test]
    fn the_last_believed_offset_holds() {
        let hour = Some(3600);
        let two = Some(7200);
        let chat = [
            stamps(60, None),
            stamps(60, Some(0)),
            stamps(70, Some(10)),
            stamps(80, None),
            // Continued an hour later: the only answer that says so.
            stamps(90, Some(90)),
            stamps(200, Some(80)),
            stamps(210, Some(90)),
        ];
        assert_eq!(offsets(&chat), [hour, hour, hour, hour, hour, two, two]);
        assert_eq!(
            offsets(&[stamps(60, None), stamps(60, Some(0))]),
            [hour, hour]
        );
        assert_eq!(offsets(&[stamps(60, None)]), [None]);
        let differing = [stamps(60, Some(0)), stamps(200, Some(80))];
        assert_eq!(offsets(&differing), [None, None]);
    }

    #[test]
    fn conversions_are_stamped_at_once() {
        let same = [stamps(0, None); 3];
        assert!(is_converted(None, &same, false));
        assert!(!is_converted(None, &same[..2], false));
        assert!(is_converted(same[0].sent, &same[..1], true));
        assert!(!is_converted(stamps(9, None).sent, &same, true));
        assert!(!is_converted(
            None,
            &[same[0], same[0], stamps(1, None)],
            false
        ));
        assert!(!is_converted(None, &[Stamps::default(); 3], false));
        let undated = [same[0], Stamps::default(), same[1], same[2]];
        assert!(is_converted(None, &undated, false));
    }
}
