use super::*;
use TimeQuality::{Exact, Local, Minute};
use proptest::prelude::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn micros(utc: &str) -> i64 {
    utc.parse::<Timestamp>().unwrap().as_microsecond()
}

fn time(utc: &str, offset_seconds: Option<i32>, quality: TimeQuality) -> Option<Time> {
    Some(Time {
        micros: micros(utc),
        offset_seconds,
        quality,
    })
}

fn json(text: &str) -> Option<Time> {
    let stamp: Stamp = serde_json::from_str(text).unwrap();
    stamp.time(Clock::utc(None))
}

#[test]
fn numbers_are_seconds_or_milliseconds() {
    let half = time("2025-06-21T20:24:59.558Z", None, Exact);
    for form in [
        "1750537499.558",
        "\"1750537499.558\"",
        "1750537499558",
        "\"1750537499558\"",
    ] {
        assert_eq!(json(form), half, "{form}");
    }
    assert_eq!(
        json("1767600000"),
        time("2026-01-05T08:00:00Z", None, Exact)
    );
}

#[test]
fn extended_json_is_milliseconds_whatever_its_size() {
    let expected = time("2026-01-06T10:00:01Z", None, Exact);
    for form in [
        r#"{"$date":{"$numberLong":"1767693601000"}}"#,
        r#"{"$date":{"$numberLong":1767693601000}}"#,
        r#"{"$date":1767693601000}"#,
        r#"{"$date":"2026-01-06T10:00:01Z"}"#,
    ] {
        assert_eq!(json(form), expected, "{form}");
    }
    let early = r#"{"$date":{"$numberLong":"86400000"}}"#;
    assert_eq!(json(early), time("1970-01-02T00:00:00Z", None, Exact));
}

#[test]
fn iso_keeps_a_written_offset_unless_it_is_zero() {
    let text = |t| Clock::utc(None).text(t);
    assert_eq!(
        text("2026-01-06T10:00:01.194663Z"),
        time("2026-01-06T10:00:01.194663Z", None, Exact)
    );
    assert_eq!(
        text("2026-01-06T10:00:01+00:00"),
        time("2026-01-06T10:00:01Z", None, Exact)
    );
    assert_eq!(
        text("2026-01-06T10:00:01+05:30"),
        time("2026-01-06T04:30:01Z", Some(19_800), Exact)
    );
    assert_eq!(
        text("2026-01-06T10:00Z"),
        time("2026-01-06T10:00:00Z", None, Minute)
    );
    assert_eq!(
        text("2026-01-06 10:00:01"),
        time("2026-01-06T10:00:01Z", None, Exact)
    );
}

#[test]
fn naive_times_are_local_where_the_format_writes_wall_clocks() {
    let text = Clock::local(None).text("2026-01-06T10:00:01");
    assert_eq!(text, time("2026-01-06T10:00:01Z", Some(0), Local));
}

#[test]
fn all_forms_of_sillytavern() {
    let berlin = zone("Europe/Berlin");
    let text = |t| Clock::local(Some(&berlin)).text(t);
    let cases = [
        ("1700000000000", "2023-11-14T22:13:20Z", 3600, Exact),
        (
            "September 28, 2024 5:14pm",
            "2024-09-28T15:14:00Z",
            7200,
            Local,
        ),
        (
            "January 2, 2024 12:05am",
            "2024-01-01T23:05:00Z",
            3600,
            Local,
        ),
        ("Jan 2, 2024 12:05 PM", "2024-01-02T11:05:00Z", 3600, Local),
        ("2024-7-12@01h31m37s", "2024-07-11T23:31:37Z", 7200, Local),
        (
            "2024-07-12@01h31m37s123ms",
            "2024-07-11T23:31:37.123Z",
            7200,
            Local,
        ),
        (
            "2024-07-12@01h31m37s05ms",
            "2024-07-11T23:31:37.005Z",
            7200,
            Local,
        ),
        (
            "2024-6-5 @14h 56m 50s 682ms",
            "2024-06-05T12:56:50.682Z",
            7200,
            Local,
        ),
        (
            "2026-02-01T18:00:00.000Z",
            "2026-02-01T18:00:00Z",
            3600,
            Exact,
        ),
    ];
    for (form, utc, offset, quality) in cases {
        assert_eq!(text(form), time(utc, Some(offset), quality), "{form}");
    }
}

#[test]
fn gaps_and_folds_of_three_zones() {
    let cases = [
        // Before, in the gap, in the fold (the earlier), after.
        (
            "Europe/Berlin",
            "2024-3-31@01h30m00s",
            "2024-03-31T00:30:00Z",
            3600,
        ),
        (
            "Europe/Berlin",
            "2024-3-31@02h30m00s",
            "2024-03-31T01:30:00Z",
            7200,
        ),
        (
            "Europe/Berlin",
            "2024-10-27@02h30m00s",
            "2024-10-27T00:30:00Z",
            7200,
        ),
        (
            "Europe/Berlin",
            "2024-10-27@03h00m00s",
            "2024-10-27T02:00:00Z",
            3600,
        ),
        (
            "America/New_York",
            "March 10, 2024 2:30am",
            "2024-03-10T07:30:00Z",
            -14_400,
        ),
        (
            "America/New_York",
            "November 3, 2024 1:30am",
            "2024-11-03T05:30:00Z",
            -14_400,
        ),
        (
            "America/New_York",
            "November 3, 2024 2:00am",
            "2024-11-03T07:00:00Z",
            -18_000,
        ),
        // Lord Howe Island moves its clocks by half an hour.
        (
            "Australia/Lord_Howe",
            "2024-10-6 @02h 15m 00s 0ms",
            "2024-10-05T15:45:00Z",
            39_600,
        ),
        (
            "Australia/Lord_Howe",
            "2024-4-7 @01h 45m 00s 0ms",
            "2024-04-06T14:45:00Z",
            39_600,
        ),
        (
            "Australia/Lord_Howe",
            "2024-4-7 @02h 15m 00s 0ms",
            "2024-04-06T15:45:00Z",
            37_800,
        ),
    ];
    for (name, form, utc, offset) in cases {
        let zone = zone(name);
        let read = Clock::local(Some(&zone)).text(form);
        assert_eq!(read, time(utc, Some(offset), Local), "{name} {form}");
    }
}

#[test]
fn what_is_no_time_is_missing() {
    for form in [
        "null",
        "true",
        "[]",
        "[1767600000]",
        "{}",
        r#"{"$date":null}"#,
        "0",
        "-1",
        "-1e300",
        "1e300",
        "\"\"",
        "\"NaN\"",
        "\"inf\"",
        "\"-5\"",
        "\"1.2.3\"",
        "\"2026-13-01T00:00:00Z\"",
        "\"2026-01-06\"",
        "\"2024-7-32@01h31m37s\"",
        "\"2024-7-1@25h31m37s\"",
        "\"2024-7-1@01h31m37s1000ms\"",
        "\"Smarch 1, 2024 5:14pm\"",
        "\"May 1, 2024 13:14pm\"",
        "\"May 1, 2024 0:14am\"",
        "\"1969-12-31T23:59:59Z\"",
    ] {
        assert_eq!(json(form), None, "{form}");
    }
    assert_eq!(Clock::utc(None).number(f64::NAN), None);
    assert_eq!(Clock::utc(None).number(f64::INFINITY), None);
}

#[test]
fn a_machines_offset_from_two_stamps() {
    let wall = Clock::local(None)
        .text("September 28, 2024 5:14pm")
        .unwrap();
    let instant = |t: &str| Time::exact(micros(t));
    assert_eq!(
        offset_between(&wall, &instant("2024-09-28T15:14:07Z")),
        Some(7200)
    );
    assert_eq!(
        offset_between(&wall, &instant("2024-09-28T11:29:10Z")),
        Some(20_700)
    );
    assert_eq!(
        offset_between(&wall, &instant("2024-09-28T15:20:00Z")),
        None
    );
    assert_eq!(
        offset_between(&wall, &instant("2024-09-27T15:14:00Z")),
        None
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let berlin = zone("Europe/Berlin");
        let _ = Clock::local(Some(&berlin)).text(&text);
    }

    #[test]
    fn no_near_miss_panics(text in "[0-9]{1,5}[-@:T ]{0,2}[0-9hmsapZ+: .-]{0,30}") {
        let apia = zone("Pacific/Apia");
        let _ = Clock::local(Some(&apia)).text(&text);
        let _ = Clock::utc(None).text(&text);
    }

    #[test]
    fn no_number_panics(bits: u64) {
        let read = Clock::utc(None).number(f64::from_bits(bits));
        prop_assert!(read.is_none_or(|t| t.micros > 0));
    }

    #[test]
    fn instants_survive_every_form(seconds in 86_400i64..4_000_000_000) {
        let stamp = Timestamp::from_second(seconds).unwrap();
        let wall = TimeZone::UTC.to_datetime(stamp);
        let humanised = format!(
            "{}-{}-{}@{:02}h{:02}m{:02}s",
            wall.year(), wall.month(), wall.day(), wall.hour(), wall.minute(), wall.second()
        );
        let clock = Clock::local(None);
        let expected = Some(seconds * MICROS);
        prop_assert_eq!(clock.text(&humanised).map(|t| t.micros), expected);
        prop_assert_eq!(clock.text(&stamp.to_string()).map(|t| t.micros), expected);
        prop_assert_eq!(clock.number(seconds as f64).map(|t| t.micros), expected);
    }

    #[test]
    fn wall_clocks_outside_gaps_read_back(seconds in 1_000_000_000i64..2_000_000_000) {
        let sydney = zone("Australia/Sydney");
        let wall = TimeZone::UTC.to_datetime(Timestamp::from_second(seconds).unwrap());
        let form = wall.strftime("%Y-%m-%d@%Hh%Mm%Ss").to_string();
        let read = Clock::local(Some(&sydney)).text(&form).unwrap();
        let offset = sydney.to_ambiguous_timestamp(wall).offset();
        let is_gap = matches!(offset, jiff::tz::AmbiguousOffset::Gap { .. });
        prop_assert_eq!(is_gap, read.local_micros() != seconds * MICROS);
    }
}
