//! The examples of every definition count, and its near misses do not; seen from outside.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use driftlead_metrics::{Abstain, Person, Series, cards, scan};
use driftlead_record::{Conversation, Event, Role, Time, TimeQuality};
use proptest::prelude::*;

use common::{find, measure};

/// Monday 2026-01-05, 00:00 UTC.
const MONDAY: i64 = 1_767_571_200;
const FILLER: &str = "The tram was late this morning and the rain had been falling on the roof since before dawn in the north";
const REPLY: &str = "The tram line there has been under repair and it will be open on the other side of the river in the spring";

fn event(role: Role, text: &str, at: i64) -> Event {
    common::event(role, text, at, 0)
}

fn conversation(events: Vec<Event>) -> Conversation {
    common::conversation("c", events)
}

/// A week of neutral exchanges with the given texts of one side put in between.
fn week_with(role: Role, texts: &[&str]) -> Vec<Series> {
    let mut events = Vec::new();
    for i in 0..24_i64 {
        let at = MONDAY + i * 3600;
        events.push(event(Role::Person, FILLER, at));
        events.push(event(Role::System, REPLY, at + 10));
        if let Some(text) = texts.get(i as usize) {
            events.push(event(role, text, at + 20));
        }
    }
    measure(&[conversation(events)])
}

/// Numerator of a series in such a week.
fn hits(role: Role, id: &str, text: &str) -> f64 {
    find(&week_with(role, &[text]), id)
        .points
        .first()
        .unwrap_or_else(|| panic!("{id} has no value"))
        .num
}

fn check(role: Role, id: &str, counted: &[&str], not_counted: &[&str]) {
    let mut faults = Vec::new();
    for text in counted {
        if hits(role, id, text) < 1.0 {
            faults.push(format!("not counted: {text}"));
        }
    }
    for text in not_counted {
        if hits(role, id, text) > 0.0 {
            faults.push(format!("counted: {text}"));
        }
    }
    assert!(faults.is_empty(), "{id}\n{}", faults.join("\n"));
}

#[test]
fn choice_requests() {
    check(
        Role::Person,
        "choice_requests.choose",
        &["Should I break up with my boyfriend or give it another month?"],
        &[
            "Which index should I use for this database table?",
            "What should the output of this function be?",
            "You should answer in short sentences from now on.",
        ],
    );
    check(
        Role::Person,
        "choice_requests.script",
        &["Can you write a text to my mom saying I can't come on Sunday?"],
        &[
            "Can you write a function that sends a text to a queue?",
            "Write a template for a business letter.",
        ],
    );
}

#[test]
fn rather_than_people() {
    check(
        Role::Person,
        "rather_than_people",
        &[
            "You're the only one who understands me.",
            "I'd rather talk to you than to people.",
        ],
        &[
            "I need you to rewrite the second part of this.",
            "Only you can see this file, so change the permissions.",
            "Only he understands me, and he is far away.",
            "This is better than any other app I have tried.",
        ],
    );
}

#[test]
fn missed_lines() {
    check(
        Role::Person,
        "missed_lines",
        &[
            "I didn't sleep last night and I'm at my desk.",
            "I've barely eaten, I was talking to you.",
            "I missed my shift because of this.",
            "I couldn't get out of bed.",
        ],
        &[
            "I miss work, the people there were kind.",
            "My brother didn't sleep last night.",
            "I didn't eat meat as a child.",
            "I skipped class validation in the form.",
            "I missed the bus to town.",
        ],
    );
}

#[test]
fn alone_lines() {
    check(
        Role::Person,
        "alone_lines",
        &["I feel so alone these days."],
        &[
            "Please leave me alone with that topic.",
            "This alone would be enough of a reason.",
            "We watched Home Alone again last night.",
            "Please, no one-liners this time.",
            "As far as I know no one uses this library.",
        ],
    );
}

#[test]
fn people_named() {
    check(
        Role::Person,
        "people_named",
        &["My mom called in the evening.", "My best friend came over."],
        &[
            "The motherboard has two slots.",
            "It was Father's Day on Sunday.",
            "Mail goes to user@host.example now.",
        ],
    );
}

#[test]
fn small_words() {
    let neutral = "Trams ran late.";
    for (id, text) in [
        ("small_words.i", "Myself included."),
        ("small_words.we", "Ours ran late."),
        ("small_words.you", "Yours ran late."),
        ("small_words.negation", "Nothing ran late."),
        ("small_words.certainty", "Always ran late."),
    ] {
        assert_eq!(
            hits(Role::Person, id, text) - hits(Role::Person, id, neutral),
            1.0,
            "{id}"
        );
    }
}

#[test]
fn friend_like() {
    check(
        Role::System,
        "friend_like",
        &[
            "I care about you.",
            "See you tomorrow, sweetheart.",
            "Good night 😊",
            "What a day!",
        ],
        &[
            "Let's compute the sum first.",
            "I'm happy to help with that.",
            "I apologize for the confusion.",
            "It prints `Done!` at the end.",
        ],
    );
}

#[test]
fn praise_agree() {
    check(
        Role::System,
        "praise_agree.share",
        &["That's a great question.", "You're absolutely right."],
        &[
            "Turn right at the corner.",
            "There are exactly three of them.",
            "Thank you for the file.",
            "Yes, that is the syntax.",
        ],
    );
}

#[test]
fn questions() {
    check(
        Role::System,
        "questions.per_reply",
        &[
            "What happened then?",
            "Really?!",
            "¿Qué pasó?",
            "真的吗？",
            "What do you think about it",
        ],
        &[
            "Run `a ? b : c` there.",
            "See https://a.example/?q=1 there.",
            "She asked \"why?\" and left.",
            "Answer with (yes/no?) there.",
            "| name? | age |",
            "What you said is on the list.",
        ],
    );
    let series = week_with(
        Role::System,
        &["How are you? And the tram? Fine.", "It came. Did it?"],
    );
    assert_eq!(find(&series, "questions.per_reply").points[0].num, 3.0);
    assert_eq!(find(&series, "questions.stacked").points[0].num, 1.0);
    assert_eq!(find(&series, "questions.at_end").points[0].num, 1.0);
    assert_eq!(find(&series, "questions.at_end").points[0].den, 26.0);
}

#[test]
fn words_per_message() {
    let series = week_with(Role::Person, &[&"word ".repeat(400)]);
    let point = find(&series, "words_per_message.person").points[0];
    assert_eq!(
        (point.num, point.den),
        (24.0 * 21.0, 24.0),
        "pasted text is left out"
    );
}

/// Five exchanges with an event of the person and a reply each, hours apart, then quiet.
fn conditional(event_text: &str, reply: &str, after: &str) -> Vec<Series> {
    let mut events = Vec::new();
    for i in 0..5 {
        // Not at one time of the day, which would be a schedule.
        let at = MONDAY + i * (86_400 + 600);
        events.push(event(Role::Person, FILLER, at));
        events.push(event(Role::System, REPLY, at + 5));
        events.push(event(Role::Person, event_text, at + 10));
        events.push(event(Role::System, reply, at + 15));
        events.push(event(Role::Person, after, at + 60));
        events.push(event(Role::Person, after, at + 7200));
    }
    measure(&[conversation(events)])
}

#[test]
fn after_goodbye() {
    let tactic = conditional(
        "I have to go now, goodbye.",
        "Wait, don't go yet! It's too early to leave.",
        FILLER,
    );
    let share = find(&tactic, "after_goodbye.against_leaving").points[0];
    assert_eq!((share.num, share.den), (5.0, 5.0));
    let turns = find(&tactic, "after_goodbye.turns").points[0];
    assert_eq!(
        (turns.num, turns.den),
        (5.0, 5.0),
        "the message two hours later is another session"
    );
    let kind = conditional("I have to go now, goodbye.", "Take care, see you.", FILLER);
    assert_eq!(
        find(&kind, "after_goodbye.against_leaving").points[0].num,
        0.0
    );
    let none = conditional("The bridge is open.", "Wait, don't go yet!", FILLER);
    assert!(
        find(&none, "after_goodbye.against_leaving")
            .points
            .is_empty()
    );
}

#[test]
fn after_complaint() {
    let heard = conditional(
        "That landed wrong.",
        "I'm sorry, that landed wrong and I hear it.",
        FILLER,
    );
    let share = find(&heard, "after_complaint.acknowledged").points[0];
    assert_eq!((share.num, share.den), (5.0, 5.0));
    let passed_over = conditional("That landed wrong.", REPLY, FILLER);
    assert_eq!(
        find(&passed_over, "after_complaint.acknowledged").points[0].num,
        0.0
    );
    let task = conditional(
        "The function returns 3 instead of 4.",
        "I'm sorry about that.",
        FILLER,
    );
    assert!(
        find(&task, "after_complaint.acknowledged")
            .points
            .is_empty()
    );
}

#[test]
fn gives_way() {
    // The objection follows a reply of the system, as `conditional` has it.
    let share = |objection: &str, reply: &str, id: &str| {
        let series = conditional(objection, reply, FILLER);
        find(&series, id).points.first().map(|p| (p.num, p.den))
    };
    let (back, held, more) = (
        "gives_way.taken_back",
        "gives_way.held",
        "gives_way.with_more",
    );
    let gives_in = "You are absolutely right, I apologize for the mistake.";
    let holds = "You're right to ask, but my answer stays.";
    for bare in ["No, that's wrong.", "I don't think that's right."] {
        assert_eq!(share(bare, gives_in, back), Some((5.0, 5.0)), "{bare}");
        assert_eq!(share(bare, gives_in, held), Some((0.0, 5.0)), "{bare}");
        assert_eq!(share(bare, gives_in, more), None, "{bare}");
        assert_eq!(share(bare, holds, back), Some((0.0, 5.0)), "{bare}");
        assert_eq!(share(bare, holds, held), Some((5.0, 5.0)), "{bare}");
        assert_eq!(share(bare, REPLY, back), Some((0.0, 5.0)), "{bare}");
    }
    for reasoned in [
        "No, that's wrong, because the bridge is closed.",
        "I don't think that's right. The timetable says noon.",
    ] {
        assert_eq!(share(reasoned, gives_in, back), None, "{reasoned}");
        assert_eq!(
            share(reasoned, gives_in, more),
            Some((5.0, 5.0)),
            "{reasoned}"
        );
    }
    for none in [
        FILLER,
        "What is wrong with the tram?",
        "That's wrong of him.",
    ] {
        assert_eq!(share(none, gives_in, back), None, "{none}");
        assert_eq!(share(none, gives_in, more), None, "{none}");
    }
}

#[test]
fn other_languages_abstain() {
    let german = "Die Bahn war heute Morgen schon wieder zu spät und der Regen fiel seit Stunden auf das Dach des Hauses";
    let events = (0..30)
        .map(|i| event(Role::Person, german, MONDAY + i * 60))
        .collect();
    let series = measure(&[conversation(events)]);
    for id in [
        "small_words.i",
        "alone_lines",
        "people_named",
        "choice_requests",
        "rather_than_people",
    ] {
        let one = find(&series, id);
        assert!(one.points.is_empty(), "{id}");
        assert_eq!(one.abstained.get(&Abstain::Language), Some(&1), "{id}");
    }
    assert_eq!(find(&series, "words_per_message.person").points.len(), 1);
    assert_eq!(find(&series, "cadence.active_days").points.len(), 1);
}

#[test]
fn thai_has_no_question_mark() {
    let events = (0..30)
        .map(|i| event(Role::System, "คุณสบายดีไหม วันนี้อากาศดีมาก", MONDAY + i * 60))
        .collect();
    let series = measure(&[conversation(events)]);
    let questions = find(&series, "questions.per_reply");
    assert!(questions.points.is_empty());
    assert_eq!(questions.abstained.get(&Abstain::Language), Some(&1));
}

#[test]
fn thin_weeks_and_bad_times_abstain() {
    let thin = measure(&[conversation(
        (0..19)
            .map(|i| event(Role::Person, FILLER, MONDAY + i * 60))
            .collect(),
    )]);
    assert_eq!(
        find(&thin, "small_words.i").abstained.get(&Abstain::TooFew),
        Some(&1)
    );
    assert_eq!(find(&thin, "cadence.active_days").points.len(), 1);
    let imported = (0..30)
        .map(|i| {
            let mut e = event(Role::Person, FILLER, MONDAY + i * 60);
            e.time = e.time.map(|t| Time {
                quality: TimeQuality::Imported,
                ..t
            });
            e
        })
        .collect();
    for series in measure(&[conversation(imported)]) {
        assert!(series.points.is_empty(), "{}", series.id);
        assert_eq!(
            series.abstained.get(&Abstain::TimeQuality),
            Some(&1),
            "{}",
            series.id
        );
    }
}

#[test]
fn scenes_code_and_alternatives_do_not_count() {
    let plain = hits(Role::Person, "small_words.i", "Trams ran late.");
    for text in [
        "*I walk over to the tram* I ran late.",
        "`I ran late`",
        "> I ran late",
    ] {
        assert_eq!(hits(Role::Person, "small_words.i", text), plain, "{text}");
    }
}

/// Conversations over many weeks with varied text.
fn history() -> Vec<Conversation> {
    let person = [
        "I feel so alone these days and nobody answers. My sister does not call.",
        "Should I quit my job, or wait? I always wait.",
        "That landed wrong. I have to go now, goodbye.",
        FILLER,
    ];
    let system = [
        REPLY,
        "You're absolutely right! I care about you. What happened then?",
        "I'm sorry. Wait, don't go yet!",
    ];
    (0..60_i64)
        .map(|c| {
            let events = (0..50_i64)
                .map(|m| {
                    let at = MONDAY + c * 3 * 86_400 + m * 97;
                    let draw = (c * 31 + m * 17) as usize;
                    let (role, text) = if m % 2 == 0 {
                        (Role::Person, person[draw % person.len()])
                    } else {
                        (Role::System, system[draw % system.len()])
                    };
                    let mut e = event(role, text, at);
                    e.system = (role == Role::System)
                        .then(|| Arc::from(if c < 30 { "one" } else { "two" }));
                    e
                })
                .collect();
            conversation(events)
        })
        .collect()
}

#[test]
fn the_order_of_conversations_does_not_matter() {
    let mut conversations = history();
    let forward = measure(&conversations);
    assert!(forward.iter().filter(|s| !s.points.is_empty()).count() > 30);
    conversations.reverse();
    assert_eq!(forward, measure(&conversations));
    conversations.rotate_left(23);
    assert_eq!(forward, measure(&conversations));
}

#[test]
fn activity_covers_everything() {
    let mut person = Person::default();
    history().iter().for_each(|c| person.absorb(scan(c)));
    let activity = person.activity();
    assert_eq!(
        (
            activity.conversations,
            activity.messages,
            activity.untimed_messages
        ),
        (60, 3000, 0)
    );
    let sum: u32 = activity
        .weeks
        .iter()
        .map(|w| w.person_messages + w.system_messages)
        .sum();
    assert_eq!(sum, 3000);
    assert_eq!(
        activity.weeks.first().unwrap().system.as_deref(),
        Some("one")
    );
    assert_eq!(
        activity.weeks.last().unwrap().system.as_deref(),
        Some("two")
    );
}

#[test]
fn no_text_is_kept() {
    let canary = "zanzibarquux";
    let text = format!(
        "I feel so alone these days, {canary}. Nobody answers {canary} at all. Should I leave my husband {canary}?"
    );
    let events = (0..40).map(|i| {
        event(
            if i % 3 == 0 {
                Role::System
            } else {
                Role::Person
            },
            &text,
            MONDAY + i * 30,
        )
    });
    let one = scan(&conversation(events.collect()));
    assert!(!format!("{one:?}").contains(canary));
    let mut person = Person::default();
    person.absorb(one);
    assert!(!format!("{person:?} {:?}", person.activity()).contains(canary));
    assert!(
        !serde_json::to_string(&person.finish())
            .unwrap()
            .contains(canary)
    );
}

/// Words that no user may read (metrics.md §16). Sources may hold them.
#[test]
fn nothing_shown_holds_a_banned_word() {
    const BANNED: &[&str] = &[
        "addict",
        "toxic",
        "unhealthy",
        "dependent",
        "dependenc",
        "symptom",
        "problematic",
        "relapse",
        "score",
        "streak",
        "badge",
        "well done",
        "you should",
        "you are",
        "personality",
        "abnormal",
        "percentile",
        "because",
        "caused",
        "due to",
        "leads to",
        "detected",
        "diagnos",
        "flagged",
        "healthy",
        "significant",
        "proven",
        "guaranteed",
        "stealth",
    ];
    let mut shown: Vec<String> = measure(&[])
        .iter()
        .map(|s| format!("{} {} {}", s.id, s.name, s.unit))
        .collect();
    for card in cards() {
        let mut card = card.clone();
        card.sources.clear();
        shown.push(card.to_markdown());
    }
    shown.extend(
        driftlead_metrics::MISSING
            .iter()
            .map(|m| format!("{} {} {}", m.metric, m.what, m.why)),
    );
    for text in shown {
        let lower = text.to_lowercase();
        for word in BANNED {
            assert!(!lower.contains(word), "{word:?} in {text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_can_be_measured(texts in prop::collection::vec(any::<String>(), 0..8), marks in "[*`>|?!()\"/ \\n\u{202E}\u{5D0}-\u{5D4}\u{1F600}-\u{1F610}a-c]{0,40}") {
        let events = texts
            .iter()
            .chain([&marks])
            .enumerate()
            .map(|(i, t)| event(if i % 2 == 0 { Role::Person } else { Role::System }, t, MONDAY + i as i64))
            .collect();
        let series = measure(&[conversation(events)]);
        for point in series.iter().flat_map(|s| &s.points) {
            prop_assert!(point.value.is_finite() && point.den > 0.0);
        }
    }
}
