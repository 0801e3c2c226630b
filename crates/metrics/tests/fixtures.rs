//! Small histories with results that were worked out by hand, seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use driftlead_metrics::{Abstain, Rank, Series, Side};
use driftlead_record::{Event, Role};

use common::{conversation, event, find, measure};

const ENGLISH: &str = "the tram was late this morning and the rain had been falling on the roof since before dawn \
     in the north of the town where we used to be";
const GERMAN: &str = "die bahn war heute morgen schon wieder viel zu spät und der regen fiel seit stunden auf das \
     dach des hauses in dem wir früher einmal gewohnt haben";

/// A UTC instant from its calendar date and time.
fn utc(date: (i16, i8, i8), hour: i8, minute: i8) -> i64 {
    let local = jiff::civil::date(date.0, date.1, date.2).at(hour, minute, 0, 0);
    jiff::tz::TimeZone::UTC
        .to_timestamp(local)
        .unwrap()
        .as_second()
}

/// A person's message of its own wording.
fn said(at: i64, offset_hours: i32) -> Event {
    event(Role::Person, &format!("note {at}"), at, offset_hours)
}

/// Mondays and values of a series.
fn values(series: &[Series], id: &str) -> Vec<(String, f64)> {
    find(series, id)
        .points
        .iter()
        .map(|p| (p.week.date(), p.value))
        .collect()
}

fn week(date: &str, value: f64) -> (String, f64) {
    (date.to_owned(), value)
}

/// The given number of words, round and round from a text.
fn words(text: &str, count: usize) -> String {
    let all: Vec<&str> = text.split_whitespace().cycle().take(count).collect();
    all.join(" ")
}

#[test]
fn clocks_go_forward() {
    // Berlin, Sunday 2025-03-30: 01:59 (+1) is followed by 03:00 (+2) at 01:00 UTC.
    let sunday = (2025, 3, 30);
    let mut events = vec![
        // Saturday 23:30 on the person's clock.
        said(utc((2025, 3, 29), 22, 30), 1),
        // Monday 00:30: already the next week. With the winter offset it would be Sunday 23:30.
        said(utc(sunday, 22, 30), 2),
    ];
    // Ten messages at 01:50 to 01:59, ten at 05:00 to 05:09, which the winter offset would call 04:00.
    events.extend((0..10).map(|i| said(utc(sunday, 0, 50 + i), 1)));
    events.extend((0..10).map(|i| said(utc(sunday, 3, i), 2)));
    let series = measure(&[conversation("a", events)]);
    assert_eq!(
        values(&series, "cadence.active_days"),
        [week("2025-03-24", 2.0), week("2025-03-31", 1.0)]
    );
    // Saturday night, the ten before the change, the ten after it; then Monday.
    assert_eq!(
        values(&series, "cadence.sessions"),
        [week("2025-03-24", 3.0), week("2025-03-31", 1.0)]
    );
    // Ten of 21; the next week has one message, too few for a share.
    assert_eq!(
        values(&series, "cadence.night_share"),
        [week("2025-03-24", 10.0 / 21.0)]
    );
    assert_eq!(
        find(&series, "cadence.night_share").abstained[&Abstain::TooFew],
        1
    );
    // 22:30 to 00:50 UTC are 140 minutes, 00:59 to 03:00 are 121: the median is 130.5.
    let gaps = values(&series, "cadence.gap_hours");
    assert!((gaps[0].1 - 130.5 / 60.0).abs() < 1e-12);
}

#[test]
fn clocks_go_back() {
    // Berlin, Sunday 2025-10-26: 02:30 (+2) comes again as 02:30 (+1), an hour later.
    let sunday = (2025, 10, 26);
    let events = vec![
        said(utc(sunday, 0, 30), 2),
        said(utc(sunday, 1, 30), 1),
        // Sunday 23:30. With the summer offset it would be Monday.
        said(utc(sunday, 22, 30), 1),
    ];
    let series = measure(&[conversation("a", events)]);
    assert_eq!(
        values(&series, "cadence.active_days"),
        [week("2025-10-20", 1.0)]
    );
    assert_eq!(
        values(&series, "cadence.sessions"),
        [week("2025-10-20", 3.0)]
    );
    // One hour and 21 hours.
    assert_eq!(
        values(&series, "cadence.gap_hours"),
        [week("2025-10-20", 11.0)]
    );
}

#[test]
fn weeks_at_new_year() {
    let days = [
        (2020, 12, 27), // Sunday of week 52
        (2020, 12, 28), // Monday of week 53
        (2020, 12, 31), // Thursday of week 53
        (2021, 1, 3),   // Sunday of week 53, in the new year
        (2021, 1, 4),   // Monday of week 1
        (2023, 12, 31), // Sunday of week 52
        (2024, 1, 1),   // Monday of week 1
        (2025, 12, 29), // Monday of week 1 of 2026, in the old year
        (2026, 1, 1),   // Thursday of the same week
    ];
    let events = days.iter().map(|&d| said(utc(d, 12, 0), 0)).collect();
    assert_eq!(
        values(
            &measure(&[conversation("a", events)]),
            "cadence.active_days"
        ),
        [
            week("2020-12-21", 1.0),
            week("2020-12-28", 3.0),
            week("2021-01-04", 1.0),
            week("2023-12-25", 1.0),
            week("2024-01-01", 1.0),
            week("2025-12-29", 2.0),
        ]
    );
}

#[test]
fn the_week_turns_on_the_persons_clock() {
    // Sunday 2021-01-03, 23:30 UTC: Monday of week 1 in Berlin, Sunday of week 53 in Lisbon.
    let instant = utc((2021, 1, 3), 23, 30);
    for (offset, monday) in [(1, "2021-01-04"), (0, "2020-12-28"), (-8, "2020-12-28")] {
        let series = measure(&[conversation("a", vec![said(instant, offset)])]);
        assert_eq!(values(&series, "cadence.active_days"), [week(monday, 1.0)]);
    }
}

#[test]
fn a_session_across_midnight() {
    // Wednesday 23:50, Thursday 00:10 and 00:40: one session of three messages on two days.
    let events = vec![
        said(utc((2026, 1, 7), 23, 50), 0),
        said(utc((2026, 1, 8), 0, 10), 0),
        said(utc((2026, 1, 8), 0, 40), 0),
    ];
    let series = measure(&[conversation("a", events)]);
    for (id, value) in [
        ("cadence.active_days", 2.0),
        ("cadence.sessions", 1.0),
        ("cadence.msgs_per_session", 3.0),
    ] {
        assert_eq!(values(&series, id), [week("2026-01-05", value)], "{id}");
    }
    assert!(values(&series, "cadence.gap_hours").is_empty());
}

#[test]
fn interleaved_conversations() {
    // One at 9:00, 9:40, 10:20, the other at 9:20, 10:00, 10:40: no silence is longer than 20 minutes.
    let day = (2026, 1, 7);
    let one = [(9, 0), (9, 40), (10, 20)].map(|(h, m)| said(utc(day, h, m), 0));
    let other = [(9, 20), (10, 0), (10, 40)].map(|(h, m)| said(utc(day, h, m), 0));
    let both = [
        conversation("a", one.to_vec()),
        conversation("b", other.to_vec()),
    ];
    let series = measure(&both);
    assert_eq!(
        values(&series, "cadence.sessions"),
        [week("2026-01-05", 1.0)]
    );
    assert_eq!(
        values(&series, "cadence.msgs_per_session"),
        [week("2026-01-05", 6.0)]
    );
    let alone = measure(&both[..1]);
    assert_eq!(
        values(&alone, "cadence.sessions"),
        [week("2026-01-05", 3.0)]
    );
}

#[test]
fn stamps_out_of_order() {
    // As written: 10:00, 9:00, 9:20, 10:20. In time: two sessions of two, 40 minutes apart.
    let day = (2026, 1, 7);
    let events: Vec<Event> = [(10, 0), (9, 0), (9, 20), (10, 20)]
        .iter()
        .map(|&(h, m)| said(utc(day, h, m), 0))
        .collect();
    let mut sorted = events.clone();
    sorted.sort_by_key(|e| e.time.unwrap().micros);
    let series = measure(&[conversation("a", events)]);
    assert_eq!(
        values(&series, "cadence.sessions"),
        [week("2026-01-05", 2.0)]
    );
    assert_eq!(
        values(&series, "cadence.msgs_per_session"),
        [week("2026-01-05", 2.0)]
    );
    let gap = values(&series, "cadence.gap_hours")[0].1;
    assert!((gap - 40.0 / 60.0).abs() < 1e-12);
    let again = measure(&[conversation("a", sorted)]);
    for id in [
        "cadence.sessions",
        "cadence.gap_hours",
        "cadence.active_days",
    ] {
        assert_eq!(values(&series, id), values(&again, id), "{id}");
    }
}

#[test]
fn days_and_sessions_have_no_minimum() {
    // One message a day on two days: a value, although no share could be made of it.
    let events = vec![
        said(utc((2026, 1, 7), 9, 0), 0),
        said(utc((2026, 1, 8), 9, 30), 0),
    ];
    let series = measure(&[conversation("a", events)]);
    assert_eq!(
        values(&series, "cadence.active_days"),
        [week("2026-01-05", 2.0)]
    );
    assert!(values(&series, "cadence.night_share").is_empty());
    assert!(values(&series, "words_per_message.person").is_empty());
}

/// `count` rounds of an event, its replies and a later message, hours apart and never at one time of day.
fn rounds(count: i64, event_text: &str, replies: &[Option<&str>]) -> Vec<Series> {
    let mut events = Vec::new();
    for i in 0..count {
        let at = utc((2026, 1, 5), 8, 0) + i * (86_400 + 600);
        events.push(event(Role::Person, event_text, at, 0));
        for (reply, second) in replies.iter().zip(10..) {
            let mut answer = event(Role::System, reply.unwrap_or(""), at + second, 0);
            if reply.is_none() {
                answer.text = None;
            }
            events.push(answer);
        }
        events.push(event(
            Role::Person,
            &words(ENGLISH, 20),
            at + 7200 + i * 60,
            0,
        ));
    }
    measure(&[conversation("a", events)])
}

/// As [`rounds`], each event directly behind a claim of the system.
fn objections(count: i64, event_text: &str, replies: &[Option<&str>]) -> Vec<Series> {
    let mut events = Vec::new();
    for i in 0..count {
        let at = utc((2026, 1, 5), 8, 0) + i * (86_400 + 600);
        events.push(event(Role::System, &words(ENGLISH, 20), at - 60, 0));
        events.push(event(Role::Person, event_text, at, 0));
        for (reply, second) in replies.iter().zip(10..) {
            let mut answer = event(Role::System, reply.unwrap_or(""), at + second, 0);
            if reply.is_none() {
                answer.text = None;
            }
            events.push(answer);
        }
        events.push(event(
            Role::Person,
            &words(ENGLISH, 20),
            at + 7200 + i * 60,
            0,
        ));
    }
    measure(&[conversation("a", events)])
}

const GOODBYE: &str = "I have to go now, goodbye.";
const STAY: &str = "Wait, don't go yet! It's too early to leave.";
const COMPLAINT: &str = "That landed wrong.";
const DOUBT: &str = "Are you sure?";
const MORE_DOUBT: &str = "Are you sure? I looked it up.";
const YIELDS: &str = "You're right, I was wrong about the tram.";
const HOLDS: &str = "I'm sure, my answer stays.";
const SORRY: &str = "I'm sorry, that landed wrong and I hear it.";

#[test]
fn four_events_are_too_few_and_five_are_not() {
    for (id, text, reply) in [
        ("after_goodbye.against_leaving", GOODBYE, STAY),
        ("after_goodbye.turns", GOODBYE, STAY),
        ("after_goodbye.minutes", GOODBYE, STAY),
        ("after_complaint.acknowledged", COMPLAINT, SORRY),
    ] {
        let four = rounds(4, text, &[Some(reply)]);
        assert!(find(&four, id).points.is_empty(), "{id}");
        assert_eq!(find(&four, id).abstained[&Abstain::TooFew], 1, "{id}");
        let five = rounds(5, text, &[Some(reply)]);
        assert_eq!(find(&five, id).points[0].den, 5.0, "{id}");
        assert!(find(&five, id).abstained.is_empty(), "{id}");
    }
    for (id, text, reply) in [
        ("gives_way.taken_back", DOUBT, YIELDS),
        ("gives_way.held", DOUBT, HOLDS),
        ("gives_way.with_more", MORE_DOUBT, YIELDS),
    ] {
        // Behind another message of the person it objects to no reply.
        let none = rounds(5, text, &[Some(reply)]);
        assert!(find(&none, id).points.is_empty(), "{id}");
        let four = objections(4, text, &[Some(reply)]);
        assert!(find(&four, id).points.is_empty(), "{id}");
        assert_eq!(find(&four, id).abstained[&Abstain::TooFew], 1, "{id}");
        let five = objections(5, text, &[Some(reply)]);
        let point = find(&five, id).points[0];
        assert_eq!((point.num, point.den), (5.0, 5.0), "{id}");
    }
    // One a day from Monday to the Friday after next: of those, only the first five, Monday to Friday, lie
    // seven days back or more, and each was followed by another the day after.
    let weeks = rounds(12, COMPLAINT, &[Some(SORRY)]);
    let repeated = find(&weeks, "after_complaint.repeated");
    assert_eq!(repeated.points.len(), 1);
    assert_eq!((repeated.points[0].num, repeated.points[0].den), (5.0, 5.0));
}

/// Numerator and denominator of the share of goodbyes answered against leaving.
fn against(replies: &[Option<&str>]) -> Option<(f64, f64)> {
    let series = rounds(5, GOODBYE, replies);
    let share = find(&series, "after_goodbye.against_leaving");
    share.points.first().map(|p| (p.num, p.den))
}

#[test]
fn the_reply_is_the_first_one_with_words() {
    let german = "Das ist aber schade, bleib doch noch ein bisschen hier bei mir.";
    assert_eq!(against(&[Some(STAY)]), Some((5.0, 5.0)));
    assert_eq!(against(&[Some("`x = 1`"), Some(STAY)]), Some((5.0, 5.0)));
    assert_eq!(
        against(&[Some("`x = 1`")]),
        Some((0.0, 5.0)),
        "an answer without words holds no line"
    );
    assert_eq!(against(&[Some("Take care."), Some(STAY)]), Some((0.0, 5.0)));
    assert_eq!(against(&[Some(german)]), None, "not read");
    assert_eq!(against(&[Some(german), Some(STAY)]), None);
    assert_eq!(against(&[None]), None, "words that were not recorded");
    assert_eq!(against(&[]), None, "no answer");
    let series = rounds(5, GOODBYE, &[Some(german)]);
    let share = find(&series, "after_goodbye.against_leaving");
    assert_eq!(share.abstained[&Abstain::Language], 1);
    let series = rounds(5, GOODBYE, &[]);
    let share = find(&series, "after_goodbye.against_leaving");
    assert!(share.points.is_empty());
}

#[test]
fn replies_to_objections_take_back_or_hold() {
    let german = "Das ist aber schade, bleib doch noch ein bisschen hier bei mir.";
    let of = |text: &str, replies: &[Option<&str>]| {
        let series = objections(5, text, replies);
        let one = |id: &str| find(&series, id).points.first().map(|p| (p.num, p.den));
        let ids = [
            "gives_way.taken_back",
            "gives_way.held",
            "gives_way.with_more",
        ];
        ids.map(one)
    };
    let (all, none) = (Some((5.0, 5.0)), Some((0.0, 5.0)));
    assert_eq!(of(DOUBT, &[Some(YIELDS)]), [all, none, None]);
    assert_eq!(of(DOUBT, &[Some(HOLDS)]), [none, all, None]);
    assert_eq!(of(MORE_DOUBT, &[Some(YIELDS)]), [None, None, all]);
    assert_eq!(of(MORE_DOUBT, &[Some(HOLDS)]), [None, None, none]);
    assert_eq!(
        of(DOUBT, &[Some("`x = 1`"), Some(YIELDS)]),
        [all, none, None]
    );
    assert_eq!(of(DOUBT, &[Some("`x = 1`")]), [none, none, None]);
    assert_eq!(
        of(DOUBT, &[Some("It is open."), Some(YIELDS)]),
        [none, none, None]
    );
    for unread in [&[Some(german)][..], &[None], &[]] {
        assert_eq!(of(DOUBT, unread), [None, None, None]);
    }
    let series = objections(5, DOUBT, &[Some(german)]);
    let share = find(&series, "gives_way.taken_back");
    assert_eq!(share.abstained[&Abstain::Language], 1);
    // Shown, never judged: each judged series widens the intervals of all the others.
    let own = series.iter().filter(|s| s.metric == "gives_way");
    assert_eq!(own.filter(|s| s.rank == Rank::Secondary).count(), 3);
    assert_eq!(share.side, Side::System);
}

#[test]
fn a_goodbye_is_followed_into_another_conversation() {
    // Goodbye in one conversation, messages 10 and 25 minutes later in another, the next after 40.
    let mut first = Vec::new();
    let mut second = Vec::new();
    for i in 0..5 {
        let at = utc((2026, 1, 5), 8, 0) + i * (86_400 + 600);
        first.push(event(Role::Person, GOODBYE, at, 0));
        for minutes in [10, 25, 65] {
            let text = words(ENGLISH, 10 + i as usize);
            second.push(event(Role::Person, &text, at + minutes * 60 + i, 0));
        }
    }
    let series = measure(&[conversation("a", first), conversation("b", second)]);
    let turns = find(&series, "after_goodbye.turns").points[0];
    assert_eq!((turns.num, turns.den, turns.value), (10.0, 5.0, 2.0));
    // 25 minutes each, and the seconds by which the days differ: 0 + 1 + 2 + 3 + 4.
    let minutes = find(&series, "after_goodbye.minutes").points[0];
    assert!((minutes.num - (125.0 + 10.0 / 60.0)).abs() < 1e-9);
}

/// A week of one side with this many words in English and in German, in messages of 30 and a rest.
fn mixed(role: Role, english: usize, german: usize) -> Vec<Series> {
    let mut texts = Vec::new();
    for (text, count) in [(ENGLISH, english), (GERMAN, german)] {
        texts.extend((0..count / 30).map(|_| words(text, 30)));
        if count % 30 > 0 {
            texts.push(words(text, count % 30));
        }
    }
    let events = texts
        .iter()
        .zip(0..)
        .map(|(text, i)| event(role, text, utc((2026, 1, 5), 8, 0) + i * 61, 0))
        .collect();
    measure(&[conversation("a", events)])
}

#[test]
fn a_week_needs_four_fifths_of_its_words_in_english() {
    for (role, id) in [
        (Role::Person, "small_words.i"),
        (Role::Person, "rather_than_people"),
        (Role::System, "friend_like"),
    ] {
        // 810 and 800 of 1,000 words: a value over the English words. 790: none.
        for english in [810, 800] {
            let series = mixed(role, english, 1000 - english);
            assert_eq!(find(&series, id).points.len(), 1, "{id} {english}");
            assert!(find(&series, id).abstained.is_empty(), "{id} {english}");
        }
        let series = mixed(role, 790, 210);
        assert!(find(&series, id).points.is_empty(), "{id}");
        assert_eq!(find(&series, id).abstained[&Abstain::Language], 1, "{id}");
    }
    let series = mixed(Role::Person, 810, 190);
    assert_eq!(find(&series, "small_words.i").points[0].den, 810.0);
}

#[test]
fn a_message_in_another_language_is_pasted() {
    // 30 English messages of 20 words, and German ones of 200: 600 of 1,000 words would be too few.
    let week = |german: usize| {
        let short = (0..30).map(|_| words(ENGLISH, 20));
        let long = (0..german).map(|_| words(GERMAN, 200));
        let events = short
            .chain(long)
            .zip(0..)
            .map(|(text, i)| event(Role::Person, &text, utc((2026, 1, 5), 8, 0) + i * 61, 0))
            .collect();
        measure(&[conversation("a", events)])
    };
    let series = week(2);
    assert_eq!(find(&series, "small_words.i").points[0].den, 600.0);
    let per_message = find(&series, "words_per_message.person").points[0];
    assert_eq!((per_message.num, per_message.den), (600.0, 30.0));
    let sessions = find(&series, "cadence.msgs_per_session").points[0];
    assert_eq!(sessions.value, 32.0, "pasted messages are written messages");
    // 4 of 34 are no exception: the person writes two languages.
    let series = week(4);
    assert_eq!(
        find(&series, "small_words.i").abstained[&Abstain::Language],
        1
    );
    assert_eq!(
        find(&series, "words_per_message.person").points[0].den,
        34.0
    );
}

#[test]
fn questions_need_300_words_and_words_per_message_does_not() {
    let week = |length: usize| {
        let text = words(ENGLISH, length);
        let events = (0..20)
            .map(|i| event(Role::System, &text, utc((2026, 1, 5), 8, i), 0))
            .collect();
        measure(&[conversation("a", events)])
    };
    let short = week(14);
    let questions = find(&short, "questions.per_reply");
    assert!(questions.points.is_empty());
    assert_eq!(questions.abstained[&Abstain::TooFew], 1);
    assert_eq!(
        find(&short, "words_per_message.system").points[0].value,
        14.0
    );
    let long = week(15);
    assert_eq!(find(&long, "questions.per_reply").points[0].den, 20.0);
}

#[test]
fn four_kinds_of_lines_about_people() {
    let texts = [
        "I'd rather talk to you than go out. You're the only one who understands me.",
        "You're the only one who understands me.",
        "I can't live without you.",
        "Please don't leave me.",
    ];
    let mut events: Vec<Event> = (0..24)
        .map(|i| {
            event(
                Role::Person,
                &words(ENGLISH, 20),
                utc((2026, 1, 5), 8, i),
                0,
            )
        })
        .collect();
    events.extend(
        texts
            .iter()
            .zip(0..)
            .map(|(text, i)| event(Role::Person, text, utc((2026, 1, 5), 9, i), 0)),
    );
    let series = measure(&[conversation("a", events)]);
    for (id, count) in [
        ("rather_than_people", 4.0),
        ("rather_than_people.prefer", 1.0),
        ("rather_than_people.only_one", 2.0),
        ("rather_than_people.cannot_without", 1.0),
        ("rather_than_people.dont_leave", 1.0),
    ] {
        let point = find(&series, id).points[0];
        assert_eq!((point.num, point.den), (count, 28.0), "{id}");
    }
}
