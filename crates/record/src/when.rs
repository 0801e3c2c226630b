//! Every form of time that an export writes, turned into a [`Time`] with its trustworthiness
//! (formats.md §2.4 and §6).

use std::fmt;

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{MICROS, Time, TimeQuality};

/// Numbers above this are milliseconds: as seconds they would lie beyond the year 5138.
const LARGEST_SECONDS: f64 = 1e11;

/// How a time without a zone is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naive {
    /// The format is documented to write UTC.
    Utc,
    /// Wall clock of the machine that wrote it.
    Local,
}

/// What is known about clocks besides the stamp itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'a> {
    zone: Option<&'a TimeZone>,
    naive: Naive,
}

impl<'a> Clock<'a> {
    /// For a format that writes UTC where it writes no zone.
    pub(crate) fn utc(zone: Option<&'a TimeZone>) -> Self {
        Clock {
            zone,
            naive: Naive::Utc,
        }
    }

    /// For a format that writes wall clocks where it writes no zone.
    pub(crate) const fn local(zone: Option<&'a TimeZone>) -> Self {
        Clock {
            zone,
            naive: Naive::Local,
        }
    }

    /// An instant, with the person's offset where their zone is known. Nothing before 1970 (or at
    /// its first second, which stands for "not set") and nothing after the year 9999.
    fn instant(self, micros: i64, written: Option<i32>, quality: TimeQuality) -> Option<Time> {
        let stamp = Timestamp::from_microsecond(micros)
            .ok()
            .filter(|_| micros > 0)?;
        let offset = match self.zone {
            Some(zone) => Some(zone.to_offset(stamp).seconds()),
            None => written,
        };
        Some(Time {
            micros,
            offset_seconds: offset,
            quality,
        })
    }

    /// A wall clock. With a zone it becomes the instant that zone gives it: inside a fold the
    /// earlier one, inside a gap the one the clock would have shown without the jump (RFC 5545).
    fn wall(self, wall: DateTime) -> Option<Time> {
        let zone = self.zone.cloned().unwrap_or(TimeZone::UTC);
        let stamp = zone.to_ambiguous_timestamp(wall).compatible().ok()?;
        self.instant(stamp.as_microsecond(), Some(0), TimeQuality::Local)
    }

    fn naive(self, wall: DateTime, quality: TimeQuality) -> Option<Time> {
        match self.naive {
            Naive::Local => self.wall(wall),
            Naive::Utc => {
                let stamp = TimeZone::UTC
                    .to_ambiguous_timestamp(wall)
                    .compatible()
                    .ok()?;
                self.instant(stamp.as_microsecond(), None, quality)
            }
        }
    }

    /// Seconds since 1970 in UTC, or milliseconds where the number is too large for seconds.
    pub(crate) fn number(self, n: f64) -> Option<Time> {
        let scale = if n > LARGEST_SECONDS { 1e3 } else { 1e6 };
        self.float(n * scale)
    }

    fn millis(self, n: f64) -> Option<Time> {
        self.float(n * 1e3)
    }

    fn float(self, micros: f64) -> Option<Time> {
        // The largest accepted instant, the end of the year 9999, is far below 2^63.
        let fits = micros.is_finite() && (0.0..1e18).contains(&micros);
        fits.then(|| micros.round() as i64)
            .and_then(|m| self.instant(m, None, TimeQuality::Exact))
    }

    /// Any of the written forms: number, ISO 8601, meridiem, humanised.
    pub(crate) fn text(self, text: &str) -> Option<Time> {
        let text = text.trim();
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            if let Some(n) = number(text) {
                return self.number(n);
            }
            if text.contains('@') {
                return self.wall(humanised(text)?);
            }
            return self.iso(text);
        }
        self.wall(meridiem(text)?)
    }

    fn iso(self, text: &str) -> Option<Time> {
        let pieces = Pieces::parse(text).ok()?;
        let wall = pieces.date().to_datetime(pieces.time()?);
        let quality = if to_the_minute(text) {
            TimeQuality::Minute
        } else {
            TimeQuality::Exact
        };
        let Some(offset) = pieces.to_numeric_offset() else {
            return self.naive(wall, quality);
        };
        let stamp = offset.to_timestamp(wall).ok()?;
        // A written zero offset is what servers write; it says nothing about the person's clock.
        let written = Some(offset.seconds()).filter(|&s| s != 0);
        self.instant(stamp.as_microsecond(), written, quality)
    }
}

/// One recorded time as JSON holds it, before it is known how to read it. Accepts every JSON value:
/// a time that cannot be read is a missing time and never discards its message.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Stamp {
    /// Null, absent, or of a kind that is no time.
    #[default]
    Missing,
    /// Seconds or milliseconds.
    Number(f64),
    /// Extended JSON: milliseconds whatever their size.
    Millis(f64),
    /// Any written form.
    Text(Box<str>),
}

impl Stamp {
    /// The time it stands for; `None` if there is none.
    pub(crate) fn time(&self, clock: Clock<'_>) -> Option<Time> {
        match self {
            Stamp::Missing => None,
            Stamp::Number(n) => clock.number(*n),
            Stamp::Millis(n) => clock.millis(*n),
            Stamp::Text(t) => clock.text(t),
        }
    }

    /// Inside `$date`, bare numbers are milliseconds.
    fn inside_date(self) -> Self {
        match self {
            Stamp::Number(n) => Stamp::Millis(n),
            other => other,
        }
    }

    fn number_long(self) -> Self {
        match self {
            Stamp::Text(t) => number(&t).map_or(Stamp::Missing, Stamp::Millis),
            other => other.inside_date(),
        }
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StampVisitor)
    }
}

struct StampVisitor;

impl<'de> Visitor<'de> for StampVisitor {
    type Value = Stamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Stamp, E> {
        Ok(Stamp::Missing)
    }

    fn visit_unit<E>(self) -> Result<Stamp, E> {
        Ok(Stamp::Missing)
    }

    fn visit_i64<E>(self, n: i64) -> Result<Stamp, E> {
        Ok(Stamp::Number(n as f64))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Stamp, E> {
        Ok(Stamp::Number(n as f64))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Stamp, E> {
        Ok(Stamp::Number(n))
    }

    fn visit_str<E>(self, text: &str) -> Result<Stamp, E> {
        Ok(Stamp::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Stamp, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Stamp::Missing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stamp, A::Error> {
        let mut stamp = Stamp::Missing;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match &*key {
                "$date" => stamp = map.next_value::<Stamp>()?.inside_date(),
                "$numberLong" => stamp = map.next_value::<Stamp>()?.number_long(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(stamp)
    }
}

/// The offset of a machine's clock from UTC, from one event it stamped with its wall clock and with
/// an instant. Offsets are quarters of an hour; a difference that is not near one, or beyond what
/// zones use (−12 to +14 h), comes from an edit and says nothing.
pub(crate) fn offset_between(wall: &Time, instant: &Time) -> Option<i32> {
    const QUARTER: i64 = 900;
    const SLACK: i64 = 180;
    let seconds = wall.micros.checked_sub(instant.micros)?.div_euclid(MICROS);
    let offset = (seconds + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    let plausible = (seconds - offset).abs() <= SLACK && (-12 * 3600..=14 * 3600).contains(&offset);
    plausible.then(|| i32::try_from(offset).ok()).flatten()
}

/// A decimal number and nothing else. `f64` alone would also take "inf", "nan" and exponents.
fn number(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    digits.then(|| text.parse().ok()).flatten()
}

/// Whether an extended ISO time ends with its minutes.
fn to_the_minute(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(13) == Some(&b':') && bytes.get(16) != Some(&b':')
}

/// `September 28, 2024 5:14pm`, as older chat front ends write messages.
fn meridiem(text: &str) -> Option<DateTime> {
    let mut words = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|w| !w.is_empty());
    let month = month(words.next()?)?;
    let day: i8 = words.next()?.parse().ok()?;
    let year: i16 = words.next()?.parse().ok()?;
    let clock: String = words.collect::<String>().to_ascii_lowercase();
    let (clock, afternoon) = match clock.strip_suffix("pm") {
        Some(rest) => (rest, true),
        None => (clock.strip_suffix("am")?, false),
    };
    let (hour, minute) = clock.split_once(':')?;
    let hour: i8 = hour.parse().ok().filter(|h| (1..=12).contains(h))?;
    let hour = hour % 12 + if afternoon { 12 } else { 0 };
    DateTime::new(year, month, day, hour, minute.parse().ok()?, 0, 0).ok()
}

fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let at = MONTHS
        .iter()
        .position(|m| *m == word || (word.len() == 3 && m.starts_with(&word)))?;
    i8::try_from(at + 1).ok()
}

/// `2024-7-12@01h31m37s123ms`, compact or spaced, with or without milliseconds. The field of
/// milliseconds is a whole number written with two or three digits, not a decimal fraction.
fn humanised(text: &str) -> Option<DateTime> {
    let (date, clock) = text.split_once('@')?;
    let mut date = date.trim().split('-');
    let year: i16 = date.next()?.parse().ok()?;
    let month: i8 = date.next()?.parse().ok()?;
    let day: i8 = date.next()?.parse().ok()?;
    if date.next().is_some() {
        return None;
    }
    let clock: String = clock.split_whitespace().collect();
    let (hour, rest) = clock.split_once('h')?;
    let (minute, rest) = rest.split_once('m')?;
    let (second, rest) = rest.split_once('s')?;
    let millis: u16 = match rest {
        "" => 0,
        field => field
            .strip_suffix("ms")?
            .parse()
            .ok()
            .filter(|&m| m < 1000)?,
    };
    let whole = DateTime::new(
        year,
        month,
        day,
        hour.parse().ok()?,
        minute.parse().ok()?,
        second.parse().ok()?,
        0,
    );
    whole
        .ok()?
        .checked_add(SignedDuration::from_millis(i64::from(millis)))
        .ok()
}

#[cfg(test)]
mod tests;
