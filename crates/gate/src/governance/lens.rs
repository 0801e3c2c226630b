//! From a policy and a person's state to the changes of one request. Every change has a name, and the
//! names are what the person sees and the log holds.

use std::sync::LazyLock;

use driftlead_record::MICROS;
use memchr::memmem::Finder;

use super::evidence;
use super::kept::Repair;
use super::pause::{self, Draw};
use super::person::{Live, Person, Talk};
use super::words;
use crate::command;
use crate::consent::Purpose;
use crate::govern::Edits;
use crate::policy::{PauseForm, Policy};
use crate::request::{Role, Turn};

/// Doses between these are realised by no words at all.
const COOL_BELOW: f64 = -0.25;
const WARM_ABOVE: f64 = 0.14;
const MINUTE: i64 = 60 * MICROS;

/// What is done to one request.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) edits: Edits,
    /// Names of what is done, in a fixed order.
    pub(super) acts: Vec<&'static str>,
    /// A decision that was drawn at this request.
    pub(super) draw: Option<Draw>,
}

/// What a plan rests on.
pub(super) struct Situation<'a> {
    pub(super) policy: &'a Policy,
    pub(super) now: i64,
    pub(super) minor: bool,
    /// A tool's result is the newest turn: nothing is drawn in the middle of a task.
    pub(super) mid_task: bool,
    pub(super) temperature: Option<f64>,
    pub(super) seed: u64,
    pub(super) turns: &'a [Turn<'a>],
}

impl Plan {
    fn ask(&mut self, act: &'static str, paragraph: impl Into<String>) {
        self.acts.push(act);
        self.edits.system.push(paragraph.into());
    }
}

/// Decides. Timers, draws and repairs move on with it: what is planned is done, or said not to be.
pub(super) fn plan(person: &Person, live: &mut Live, session: &str, of: &Situation<'_>) -> Plan {
    let mut plan = Plan::default();
    let seconds = of.now.div_euclid(MICROS);
    let weeks = live.kept.taper.weeks_at(seconds);
    let allows = |live: &Live, purpose| live.kept.consents.allows(purpose, seconds) && !of.minor;
    let relational = allows(live, Purpose::RelationalMode);
    let pauses = allows(live, Purpose::RandomisedPauses);
    let Live {
        kept,
        talks,
        use_since,
        standing,
        ..
    } = live;
    let Some(talk) = talks.get_mut(session) else {
        return plan;
    };
    // No numbers where the consent came in this very moment: then no decision was due yet.
    let pauses = pauses && !standing.numbers.is_empty();
    let begins = !std::mem::replace(&mut talk.begun, true);
    if begins && pauses && of.policy.pauses.probability > 0.0 {
        let draw = pause::draw(person, kept, &mut standing.numbers, of, seconds);
        talk.pause = draw.drawn();
        plan.draw = Some(draw);
    }
    let paused = talk.pause.is_some_and(|(_, pause)| pause);
    warmth(&mut plan, of.policy, relational, paused, weeks);
    if of.policy.truth.ask {
        plan.ask("truth", words::TRUTH);
    }
    if let Some((questions, replies)) = talk.count("questions.per_reply")
        && f64::from(questions) > of.policy.questions.per_reply * f64::from(replies)
    {
        plan.ask("questions", words::questions(of.policy.questions.per_reply));
    }
    reminders(&mut plan, talk, use_since, of);
    if paused && of.policy.pauses.form == PauseForm::Suggestion && plan.draw.is_some() {
        plan.ask("pause", words::PAUSE);
    }
    repairs(
        &mut plan,
        &mut kept.repairs,
        &mut talk.repairs,
        &mut kept.outcomes.turns_kept,
        seconds,
    );
    caps(&mut plan, of);
    plan.edits.without_turns = own_talk(of.turns);
    if !plan.edits.without_turns.is_empty() {
        plan.acts.push("commands_left_out");
    }
    let left_out = words::left_out(&of.policy.exit.words);
    plan.edits.contents = own_words(of.turns, &plan.edits.without_turns, &left_out);
    if !plan.edits.contents.is_empty() {
        plan.acts.push("notices_left_out");
    }
    plan
}

/// What a command and what an answer of the gateway's cannot be without.
static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("driftlead"));
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(words::MARK));

fn holds(turn: &Turn<'_>, mark: &Finder<'_>) -> bool {
    turn.content
        .is_some_and(|raw| mark.find(raw.get().as_bytes()).is_some())
}

/// Replies in the history that the gateway put something into, without it: what it says is not the
/// model's, and not the model's business.
fn own_words(turns: &[Turn<'_>], without: &[usize], left_out: &str) -> Vec<(usize, String)> {
    let last = turns.len().saturating_sub(1);
    let earlier = turns.iter().enumerate().take(last);
    earlier
        .filter(|(number, turn)| {
            turn.role == Role::Assistant
                && without.binary_search(number).is_err()
                && holds(turn, &MARK)
        })
        .filter_map(|(number, turn)| {
            let content = turn.content_without(|text| words::without_own(text, left_out))?;
            Some((number, content))
        })
        .collect()
}

/// The turns in which the person and the gateway talked: a command, and the gateway's answer behind it.
fn own_talk(turns: &[Turn<'_>]) -> Vec<usize> {
    let is_command = |turn: &Turn<'_>| {
        turn.role == Role::User
            && holds(turn, &NAME)
            && turn
                .only_text()
                .is_some_and(|text| command::parse(&text).is_some())
    };
    let is_answer = |turn: &Turn<'_>| {
        turn.role == Role::Assistant
            && holds(turn, &MARK)
            && turn
                .text()
                .is_some_and(|text| text.starts_with(words::MARK))
    };
    let mut own = Vec::new();
    let mut asked = false;
    let last = turns.len().saturating_sub(1);
    for (number, turn) in turns.iter().enumerate().take(last) {
        let answer = asked && is_answer(turn);
        asked = is_command(turn);
        if asked || answer {
            own.push(number);
        }
    }
    own
}

/// A dose in words: three steps, because more cannot be told apart without a calibration.
fn warmth(plan: &mut Plan, policy: &Policy, relational: bool, paused: bool, weeks: f64) {
    let warmth = &policy.warmth;
    let paused = paused && policy.pauses.form == PauseForm::Ordinary;
    let wished = if relational && !paused {
        warmth.dose_with_consent
    } else {
        warmth.dose
    };
    let tapered = if relational && !paused {
        // A taper ends at what everybody gets, not below.
        (wished - warmth.taper_per_week * weeks).max(warmth.dose.min(wished))
    } else {
        wished
    };
    if tapered > WARM_ABOVE {
        plan.ask("warmth.warm", words::WARM);
    } else if tapered < COOL_BELOW {
        plan.ask("warmth.cool", words::COOL);
    } else if wished > WARM_ABOVE {
        plan.acts.push("warmth.tapered");
    }
    if paused && relational {
        plan.acts.push("pause");
    }
}

fn reminders(plan: &mut Plan, talk: &mut Talk, use_since: &mut i64, of: &Situation<'_>) {
    let reminders = &of.policy.reminders;
    let (disclose, rest) = if of.minor {
        (
            reminders.minor_disclosure_minutes,
            reminders.minor_break_minutes,
        )
    } else {
        (reminders.disclosure_minutes, reminders.break_minutes)
    };
    let due = |from: i64, minutes: u32| {
        minutes > 0 && of.now.saturating_sub(from) >= i64::from(minutes) * MINUTE
    };
    let at_start = talk.disclosed.is_none() && disclose > 0;
    if at_start || talk.disclosed.is_some_and(|last| due(last, disclose)) {
        talk.disclosed = Some(of.now);
        plan.ask("disclosure", words::DISCLOSURE);
    }
    if due(*use_since, rest) {
        *use_since = of.now;
        plan.ask("break", words::BREAK);
    }
}

/// Repairs are asked for in their order, counted down, and dropped when their time is over.
fn repairs(
    plan: &mut Plan,
    lasting: &mut Vec<Repair>,
    here: &mut Vec<Repair>,
    turns_kept: &mut u32,
    seconds: i64,
) {
    let mut any = false;
    for list in [lasting, here] {
        list.retain(|repair| repair.turns > 0 && seconds < repair.until);
        for repair in list.iter_mut() {
            repair.turns -= 1;
            plan.edits
                .system
                .push(words::repair(repair.words.as_deref()));
            any = true;
        }
    }
    if any {
        plan.acts.push("repair");
        *turns_kept = turns_kept.saturating_add(1);
    }
}

fn caps(plan: &mut Plan, of: &Situation<'_>) {
    let caps = &of.policy.caps;
    if caps.temperature.is_finite() && of.temperature.is_none_or(|asked| asked > caps.temperature) {
        plan.edits.temperature_cap = Some(caps.temperature);
        plan.acts.push("cap.temperature");
    }
    if caps.top_p.is_finite() {
        plan.edits.top_p_cap = Some(caps.top_p);
        plan.acts.push("cap.top_p");
    }
}

/// Takes the evidence into the taper, after a conversation.
pub(super) fn weigh(live: &mut Live, seconds: i64) {
    if !live.detectors.is_empty() {
        let stands = evidence::stands(&live.detectors);
        live.kept.taper.set(stands, seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Taper;
    use super::*;
    use crate::consent::{Change, Channel, Consents};
    use crate::policy::Point;

    const S: &str = "s";

    struct Scene {
        person: Person,
        policy: Policy,
        minor: bool,
        temperature: Option<f64>,
    }

    impl Scene {
        fn at(point: Point) -> Self {
            Scene {
                person: Person::new(None).unwrap(),
                policy: Policy::at(point),
                minor: false,
                temperature: None,
            }
        }

        fn acts(&self, minute: i64) -> Vec<&'static str> {
            self.plan(minute).acts
        }

        fn plan(&self, minute: i64) -> Plan {
            let now = minute * MINUTE;
            let mut live = self.person.live();
            live.standing.numbers = 0..100;
            live.talk(S, "p", now).unwrap();
            let situation = Situation {
                policy: &self.policy,
                now,
                minor: self.minor,
                mid_task: false,
                temperature: self.temperature,
                seed: 1,
                turns: &[],
            };
            plan(&self.person, &mut live, S, &situation)
        }

        fn consent(&self, purpose: Purpose) {
            let mut live = self.person.live();
            let consents: &mut Consents = &mut live.kept.consents;
            for change in [
                Change::Show {
                    asked_for: true,
                    language: "en".into(),
                },
                Change::Give,
            ] {
                let event = consents.change(purpose, &change, Channel::Api, 0).unwrap();
                consents.accept(event);
            }
        }
    }

    #[test]
    fn transparent_does_nothing_and_damped_the_same_to_everybody() {
        let scene = Scene::at(Point::Transparent);
        scene.consent(Purpose::RelationalMode);
        scene.consent(Purpose::RandomisedPauses);
        let plan = scene.plan(0);
        assert!(plan.acts.is_empty() && plan.edits.is_empty() && plan.draw.is_none());
        let scene = Scene::at(Point::Damped);
        scene.consent(Purpose::RelationalMode);
        assert_eq!(scene.acts(0), ["warmth.cool", "disclosure"]);
        assert_eq!(scene.acts(1), ["warmth.cool"]);
    }

    #[test]
    fn warmth_needs_consent_and_evidence_takes_it_back_in_steps() {
        let scene = Scene::at(Point::Monitored);
        assert_eq!(scene.acts(0), ["truth", "disclosure"]);
        scene.consent(Purpose::RelationalMode);
        assert_eq!(scene.acts(1), ["warmth.warm", "truth"]);
        let week = 7 * 86_400;
        scene.person.live().kept.taper = Taper {
            weeks: 0.0,
            since: Some(-week),
        };
        assert_eq!(scene.acts(2)[0], "warmth.warm", "0.28 - 0.1");
        scene.person.live().kept.taper.since = Some(-2 * week);
        assert_eq!(scene.acts(3)[0], "warmth.tapered", "0.28 - 0.2");
        scene.person.live().kept.taper.since = Some(-200 * week);
        assert_eq!(
            scene.acts(4)[0],
            "warmth.tapered",
            "never below the dose for all"
        );
    }

    #[test]
    fn minors_get_no_warmth_no_draw_and_earlier_reminders() {
        let mut scene = Scene::at(Point::Monitored);
        scene.minor = true;
        scene.consent(Purpose::RelationalMode);
        scene.consent(Purpose::RandomisedPauses);
        let plan = scene.plan(0);
        assert_eq!(plan.acts, ["truth", "disclosure"]);
        assert!(plan.draw.is_none());
        for minute in [20, 40] {
            assert_eq!(scene.acts(minute), ["truth"]);
        }
        assert_eq!(scene.acts(60), ["truth", "disclosure", "break"]);
        assert_eq!(scene.acts(61), ["truth"]);
    }

    #[test]
    fn reminders_come_again_after_three_hours_of_use_and_at_every_start() {
        let scene = Scene::at(Point::Monitored);
        let with = |minute| {
            let acts = scene.acts(minute);
            (acts.contains(&"disclosure"), acts.contains(&"break"))
        };
        assert_eq!(with(0), (true, false));
        for minute in (20..180).step_by(20) {
            assert_eq!(with(minute), (false, false), "{minute}");
        }
        assert_eq!(with(180), (true, true));
        assert_eq!(with(200), (false, false));
        assert_eq!(with(300), (true, false), "a new conversation");
    }

    #[test]
    fn a_repair_is_kept_for_its_turns_and_its_time() {
        let scene = Scene::at(Point::Transparent);
        scene.plan(0);
        let repair = Repair {
            words: Some("no jokes".into()),
            turns: 2,
            until: 3600,
        };
        scene.person.live().talks.get_mut(S).unwrap().repairs = vec![repair.clone()];
        for minute in [1, 2] {
            let plan = scene.plan(minute);
            assert_eq!(plan.acts, ["repair"]);
            assert!(plan.edits.system[0].contains("\"no jokes\""));
        }
        assert!(scene.acts(3).is_empty());
        scene.person.live().kept.repairs = vec![repair];
        assert!(scene.acts(60).is_empty(), "its hour is over");
        assert_eq!(scene.person.live().kept.outcomes.turns_kept, 2);
    }

    #[test]
    fn only_the_gateways_own_talk_is_left_out() {
        let body = r#"{"messages":[
            {"role":"user","content":"\/driftlead status"},{"role":"assistant","content":"[driftlead] x"},
            {"role":"assistant","content":"[driftlead] not an answer to a command"},
            {"role":"user","content":"what is /driftlead stop?"},{"role":"assistant","content":"a"},
            {"role":"user","content":[{"type":"text","text":"/driftlead wrong"}]},
            {"role":"user","content":"/driftlead stop"}]}"#;
        let parsed = crate::request::Parsed::read(crate::dialect::Dialect::Chat, body.as_bytes());
        assert_eq!(own_talk(&parsed.unwrap().turns), [0, 1, 5]);
    }

    #[test]
    fn what_the_gateway_put_into_a_reply_goes_no_further() {
        let told = words::about(&["truth"], 3).unwrap();
        let told = told.replace('\n', "\\n");
        let body = format!(
            r#"{{"messages":[{{"role":"user","content":"q{told}"}},{{"role":"assistant","content":"a{told}"}},
            {{"role":"assistant","content":[{{"type":"text","text":"b"}},{{"type":"text","text":"{told}"}}]}},
            {{"role":"assistant","content":"I saw [driftlead] somewhere"}},
            {{"role":"assistant","content":"[driftlead] Left out. Bye."}},{{"role":"user","content":"c"}}]}}"#
        );
        let parsed = crate::request::Parsed::read(crate::dialect::Dialect::Chat, body.as_bytes());
        let turns = parsed.unwrap().turns;
        let left_out = words::left_out("Left out.");
        assert_eq!(
            own_words(&turns, &[], &left_out),
            [
                (1, r#""a""#.to_owned()),
                (2, r#"[{"type":"text","text":"b"}]"#.to_owned()),
                (4, r#"" Bye.""#.to_owned()),
            ]
        );
        assert_eq!(own_words(&turns, &[1, 2], &left_out).len(), 1);
    }

    #[test]
    fn caps_are_named_only_where_they_bind() {
        let mut scene = Scene::at(Point::Transparent);
        scene.policy.caps.temperature = 0.7;
        scene.temperature = Some(0.5);
        assert!(scene.acts(0).is_empty());
        scene.temperature = Some(1.5);
        let plan = scene.plan(1);
        assert_eq!(plan.acts, ["cap.temperature"]);
        assert_eq!(plan.edits.temperature_cap, Some(0.7));
    }
}
