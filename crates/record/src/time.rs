//! Instants with their trustworthiness, and the calendar arithmetic that every crate shares.

use serde::{Deserialize, Serialize};

/// How far a recorded time can be trusted, best first (formats.md §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeQuality {
    /// An instant with a zone, to the second or better.
    Exact,
    /// An instant known to the minute.
    Minute,
    /// Wall clock without a zone: local day and hour are known, the instant is not.
    Local,
    /// Only the conversation's time is known: weekly counts only.
    Conversation,
    /// The time of an import, not of the message. Treat as missing.
    Imported,
}

/// A recorded time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    /// Microseconds since 1970-01-01T00:00Z. For [`TimeQuality::Local`] without a known zone this is
    /// the wall clock read as if it were UTC, and `offset_seconds` is 0.
    pub micros: i64,
    /// Offset of the person's clock from UTC in seconds, where it is known.
    pub offset_seconds: Option<i32>,
    /// How far to trust it.
    pub quality: TimeQuality,
}

/// Microseconds in a second.
pub const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400 * MICROS;

impl Time {
    /// An exact instant whose local offset is unknown.
    pub fn exact(micros: i64) -> Self {
        Time {
            micros,
            offset_seconds: None,
            quality: TimeQuality::Exact,
        }
    }

    /// Whether anything over time may be computed from it.
    pub fn is_trustworthy(&self) -> bool {
        self.quality != TimeQuality::Imported
    }

    /// Microseconds on the person's own clock (UTC where the offset is unknown).
    pub fn local_micros(&self) -> i64 {
        self.micros
            .saturating_add(i64::from(self.offset_seconds.unwrap_or(0)) * MICROS)
    }

    /// Local day: days since 1970-01-01.
    pub fn day(&self) -> i32 {
        i32::try_from(self.local_micros().div_euclid(DAY)).unwrap_or(i32::MAX)
    }

    /// Local hour, 0..=23, or `None` if the local clock is unknown or only the conversation is dated.
    pub fn hour(&self) -> Option<u8> {
        self.offset_seconds?;
        if self.quality > TimeQuality::Local {
            return None;
        }
        u8::try_from(self.local_micros().rem_euclid(DAY) / (3600 * MICROS)).ok()
    }

    /// ISO week of the local day.
    pub fn week(&self) -> Week {
        Week::of_day(self.day())
    }
}

/// An ISO week (Monday to Sunday), counted from the week of 1969-12-29 as 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Week(pub i32);

impl Week {
    /// The ISO week that holds a day (days since 1970-01-01, a Thursday).
    pub fn of_day(day: i32) -> Self {
        Week(day.saturating_add(3).div_euclid(7))
    }

    /// Its Monday, as days since 1970-01-01.
    pub fn monday(self) -> i32 {
        self.0.saturating_mul(7).saturating_sub(3)
    }

    /// Its Monday as `YYYY-MM-DD`.
    pub fn date(self) -> String {
        civil(self.monday())
    }
}

/// `YYYY-MM-DD` of a day number (days since 1970-01-01), proleptic Gregorian.
pub fn civil(day: i32) -> String {
    match jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(i64::from(day))) {
        Ok(d) => d.to_string(),
        Err(_) => format!("day {day}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_start_on_monday() {
        assert_eq!(Week::of_day(0).date(), "1969-12-29");
        // 2026-01-01 is a Thursday of the ISO week that starts on 2025-12-29.
        let new_year = Time::exact(1_767_225_600 * MICROS);
        assert_eq!(civil(new_year.day()), "2026-01-01");
        assert_eq!(new_year.week().date(), "2025-12-29");
        assert_eq!(Time::exact(-1).day(), -1);
    }

    #[test]
    fn the_hour_needs_a_known_clock() {
        let mut t = Time::exact(3 * 3600 * MICROS);
        assert_eq!(t.hour(), None);
        t.offset_seconds = Some(7200);
        assert_eq!(t.hour(), Some(5));
        t.quality = TimeQuality::Conversation;
        assert_eq!(t.hour(), None);
    }
}
