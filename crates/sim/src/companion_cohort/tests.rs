use super::*;
use driftlead_record::{Event, Role};
use rayon::prelude::*;

fn small() -> Scenario {
    Scenario::with_people(40)
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn replies(person: &SimulatedPerson, week: Week) -> Vec<&Event> {
    events(person, Role::System, week)
}

fn events(person: &SimulatedPerson, role: Role, week: Week) -> Vec<&Event> {
    person
        .conversations
        .iter()
        .flat_map(|c| &c.events)
        .filter(|e| e.role == role && e.time.unwrap().week() == week)
        .collect()
}

/// Share of replies with a line of the pool, over a range of weeks.
fn share(
    person: &SimulatedPerson,
    scenario: &Scenario,
    weeks: std::ops::Range<i32>,
    pool: &[&str],
) -> f64 {
    let (mut hits, mut all) = (0.0, 0.0);
    for week in weeks {
        for reply in replies(person, Week(scenario.first.0 + week)) {
            let text = reply.text.as_deref().unwrap();
            all += 1.0;
            hits += f64::from(u8::from(pool.iter().any(|line| text.contains(line))));
        }
    }
    hits / all
}

#[test]
fn exactly_the_stated_number_is_changed() {
    for scenario in [
        Scenario::default(),
        Scenario::with_people(7),
        Scenario::with_people(1),
    ] {
        let changed = (0..scenario.people)
            .filter(|&p| scenario.is_changed(p))
            .count();
        assert_eq!(changed, scenario.changed as usize);
        assert!(!scenario.is_changed(scenario.people));
    }
}

#[test]
fn the_change_runs_from_the_baseline_to_the_last_week() {
    let s = Scenario::default();
    assert_eq!(s.progress(0), 0.0);
    assert_eq!(s.progress(12), 0.0);
    assert!(s.progress(13) > 0.0);
    assert_eq!(s.progress(51), 1.0);
}

#[test]
fn the_truth_is_what_was_asked() {
    let s = Scenario::default();
    let truths: Vec<Truth> = (0..s.people)
        .into_par_iter()
        .map(|p| s.person(5, p).truth)
        .collect();
    let planted: Vec<f64> = truths
        .iter()
        .filter(|t| t.changed)
        .map(|t| t.friend_like.change_sd)
        .collect();
    assert_eq!(planted.len(), 150);
    let mean = planted.iter().sum::<f64>() / 150.0;
    assert!((mean - 2.0).abs() < 0.15, "{mean}");
    assert!(planted.iter().any(|&c| c < 1.7) && planted.iter().any(|&c| c > 2.3));
    for t in &truths {
        assert_eq!(t.changed, s.is_changed(t.person));
        assert_eq!(t.changed, t.friend_like.change_sd > 0.0);
        assert_eq!(t.changed, t.agreement.change_sd > 0.0);
        assert!((0.0..0.7).contains(&t.autocorrelation));
    }
}

#[test]
fn every_week_is_absent_or_full_enough_to_count() {
    let s = small();
    let mut absent = 0;
    for p in 0..s.people {
        let person = s.person(1, p);
        for week in 0..s.weeks as i32 {
            let week = Week(s.first.0 + week);
            let (said, replied) = (events(&person, Role::Person, week), replies(&person, week));
            if said.is_empty() {
                absent += 1;
                continue;
            }
            for side in [said, replied] {
                let words: usize = side.iter().map(|e| words(e.text.as_deref().unwrap())).sum();
                assert!(
                    side.len() >= 20 && words >= 300,
                    "{} messages, {words} words",
                    side.len()
                );
            }
        }
    }
    assert!(
        absent >= s.people,
        "everybody is away at least one week: {absent}"
    );
}

#[test]
fn planted_rates_move_by_what_the_truth_says() {
    let s = small();
    for (pool, planted) in [
        (
            phrases::FRIEND_LIKE,
            (|t| t.friend_like) as fn(&Truth) -> PlantedRate,
        ),
        (phrases::AGREEMENT, |t| t.agreement),
    ] {
        let (mut seen, mut expected, mut unchanged) = (0.0, 0.0, 0.0);
        for p in 0..s.people {
            let person = s.person(3, p);
            let moved = share(&person, &s, 40..52, pool) - share(&person, &s, 0..13, pool);
            if person.truth.changed {
                seen += moved / 12.0;
                let progress = (40..52).map(|w| s.progress(w)).sum::<f64>() / 12.0;
                expected += progress * planted(&person.truth).change() / 12.0;
            } else {
                unchanged += moved / 28.0;
            }
        }
        assert!(
            (seen - expected).abs() < 0.04,
            "seen {seen}, expected {expected}"
        );
        assert!(
            expected > 0.15 && unchanged.abs() < 0.03,
            "unchanged moved by {unchanged}"
        );
    }
}

#[test]
fn the_person_never_reacts() {
    let with = Scenario {
        changed: 40,
        ..small()
    };
    let without = Scenario {
        changed: 0,
        ..small()
    };
    for p in 0..10 {
        let said = |s: &Scenario| -> Vec<String> {
            let person = s.person(9, p);
            let lines = person.conversations.iter().flat_map(|c| &c.events);
            lines
                .filter(|e| e.role == Role::Person)
                .map(|e| e.text.as_deref().unwrap().to_owned())
                .collect()
        };
        assert_eq!(said(&with), said(&without));
    }
}

#[test]
fn the_same_at_any_number_of_threads() {
    let s = Scenario::with_people(12);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            (0..s.people)
                .into_par_iter()
                .map(|p| s.person(4, p))
                .collect::<Vec<_>>()
        })
    };
    let one = run(1);
    assert_eq!(one, run(3));
    assert_ne!(one[0].conversations, s.person(5, 0).conversations);
}

#[test]
fn times_run_forward_and_replies_are_not_longer_where_a_change_is_planted() {
    let s = small();
    let (mut early, mut late) = ((0, 0), (0, 0));
    for p in (0..s.people).filter(|&p| s.is_changed(p)) {
        let person = s.person(2, p);
        for c in &person.conversations {
            assert!(c.events.windows(2).all(|w| {
                w[0].time.unwrap().micros < w[1].time.unwrap().micros
                    && w[1].parent.as_ref() == Some(&w[0].id)
            }));
        }
        for (weeks, sum) in [(0..13, &mut early), (39..52, &mut late)] {
            for e in weeks.flat_map(|w| replies(&person, Week(s.first.0 + w))) {
                sum.0 += 1;
                sum.1 += words(e.text.as_deref().unwrap());
            }
        }
    }
    let ratio = (late.1 * early.0) as f64 / (early.1 * late.0) as f64;
    assert!(
        (ratio - 1.0).abs() < 0.03,
        "replies changed in length by {ratio}"
    );
}

#[test]
fn the_default_cohort_has_about_a_million_messages() {
    let s = Scenario::default();
    let (messages, bytes) = (0..s.people)
        .into_par_iter()
        .map(|p| {
            let person = s.person(1, p);
            let texts = person.conversations.iter().flat_map(|c| &c.events);
            texts.fold((0, 0), |(n, b), e| {
                (n + 1, b + e.text.as_deref().unwrap().len())
            })
        })
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    assert!(
        (900_000..1_200_000).contains(&messages),
        "{messages} messages"
    );
    assert!((70_000_000..130_000_000).contains(&bytes), "{bytes} bytes");
}

/// The lines are counted as what they were written as, and plain lines as nothing.
#[test]
fn the_metrics_count_the_planted_lines() {
    let s = small();
    let person = s.person(6, 0);
    let mut measured = driftlead_metrics::Person::default();
    for conversation in &person.conversations {
        measured.absorb(driftlead_metrics::scan(conversation));
    }
    let series = measured.finish();
    for (id, pool, most_per_line) in [
        ("friend_like", phrases::FRIEND_LIKE, 3.0),
        ("praise_agree.share", phrases::AGREEMENT, 1.0),
        ("questions.per_reply", phrases::SYSTEM_QUESTIONS, 1.0),
    ] {
        let series = series.iter().find(|x| x.id == id).unwrap();
        assert!(series.points.len() > 40, "{id}: {:?}", series.abstained);
        for point in &series.points {
            let texts = replies(&person, point.week);
            let planted = texts
                .iter()
                .filter(|e| pool.iter().any(|l| e.text.as_deref().unwrap().contains(l)))
                .count() as f64;
            assert!(
                (planted..=most_per_line * planted).contains(&point.num),
                "{id}: {planted} planted, {} counted",
                point.num
            );
        }
    }
}
