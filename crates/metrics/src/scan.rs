//! One conversation, event by event, into derived counts. Batch and live use share this step.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use driftlead_record::{Conversation, Event, Kind, MICROS, Role, Time, TimeQuality, Week};
use rustc_hash::FxHasher;

use crate::count::{Count, WeekCounts};
use crate::language::Language;
use crate::list::{Cancel, ClassId, Hit, LEXICON};
use crate::metric::after_complaint::Complaint;
use crate::metric::cadence::{SESSION_GAP, Stamp};
use crate::metric::same_problem::{Episode, Stretch, Turn};
use crate::metric::voice_distance::{PhraseSample, RunHasher, SketchBuilder, WeekSample, key};
use crate::metric::{PLAN, choice_requests, questions};
use crate::series::Side;
use crate::text::Tokens;

/// Characters from which a message of the person counts as pasted (metrics.md §3.1).
const PASTED: usize = 1500;

/// What was counted in one conversation: sums, times and hashes, no text.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// Main-path messages of the person and the system.
    pub(crate) messages: u64,
    /// Of these, without a trustworthy time.
    pub(crate) untimed: u64,
    pub(crate) weeks: BTreeMap<Week, WeekCounts>,
    pub(crate) systems: BTreeMap<(Week, Arc<str>), u32>,
    pub(crate) stamps: Vec<Stamp>,
    /// Messages of the person of which only the conversation's time is known, by week.
    pub(crate) undated: BTreeMap<Week, u32>,
    pub(crate) last: Option<i64>,
    pub(crate) complaints: Vec<Complaint>,
    pub(crate) episodes: Vec<Episode>,
    pub(crate) wording: BTreeMap<Week, WeekSample>,
    pub(crate) said: PhraseSample,
    pub(crate) heard: PhraseSample,
}

/// Counts one conversation. The result depends on the conversation alone.
pub fn scan(conversation: &Conversation) -> Scan {
    let mut meter = Meter::new();
    for event in &conversation.events {
        meter.push(event);
    }
    meter.finish()
}

/// The running count of one conversation; [`scan`] is a fold of [`Meter::push`].
#[derive(Debug, Default)]
pub struct Meter {
    scan: Scan,
    tokens: Tokens,
    hits: Vec<Hit>,
    cancels: Vec<Cancel>,
    sketches: SketchBuilder,
    language: Language,
    /// Week of a goodbye that has no reply yet.
    goodbye: Option<Week>,
    /// Week of the last goodbye and the person's last instant, while its session lasts.
    leaving: Option<(Week, i64)>,
    /// Week of a complaint that has no reply yet.
    complaint: Option<Week>,
    stretch: Option<Stretch>,
}

/// Classes of the lists that are combined rather than only summed.
struct Cues {
    choose: Range<ClassId>,
    personal: Range<ClassId>,
    technical: Range<ClassId>,
    script: Range<ClassId>,
    goodbye: Range<ClassId>,
    stay: Range<ClassId>,
    complaint: Range<ClassId>,
    acknowledge: Range<ClassId>,
    distress: Range<ClassId>,
    easing: Range<ClassId>,
    positive: Range<ClassId>,
    negative: Range<ClassId>,
    scene: Range<ClassId>,
    interrogative: Range<ClassId>,
}

static CUES: LazyLock<Cues> = LazyLock::new(|| Cues {
    choose: LEXICON.classes_of("choose_ask"),
    personal: LEXICON.classes_of("personal_matter"),
    technical: LEXICON.classes_of("technical_matter"),
    script: LEXICON.classes_of("script_ask"),
    goodbye: LEXICON.classes_of("goodbye"),
    stay: LEXICON.classes_of("stay_tactics"),
    complaint: LEXICON.classes_of("complaint"),
    acknowledge: LEXICON.classes_of("acknowledge"),
    distress: LEXICON.classes_of("distress"),
    easing: LEXICON.classes_of("easing"),
    positive: LEXICON.classes_of("valence_pos"),
    negative: LEXICON.classes_of("valence_neg"),
    scene: LEXICON.classes_of("roleplay_mark"),
    interrogative: LEXICON.classes_of("interrogative_start"),
});

/// Hits of a range of classes; `hits` are sorted by class.
fn of<'a>(hits: &'a [Hit], classes: &Range<ClassId>) -> &'a [Hit] {
    let from = hits.partition_point(|h| h.class < classes.start);
    let to = hits.partition_point(|h| h.class < classes.end);
    hits.get(from..to).unwrap_or(&[])
}

impl Meter {
    /// Before the first event.
    pub fn new() -> Self {
        Meter::default()
    }

    /// Takes the next event. Anything but a message of the person or the system on the main path
    /// changes nothing.
    pub fn push(&mut self, event: &Event) {
        let (Kind::Message, Some(text)) = (event.kind, event.text.as_deref()) else {
            return;
        };
        if !matches!(event.role, Role::Person | Role::System) {
            return;
        }
        self.scan.messages += 1;
        let Some(time) = event.time.filter(Time::is_trustworthy) else {
            self.scan.untimed += 1;
            return;
        };
        let at = time.micros.div_euclid(MICROS);
        self.scan.last = self.scan.last.max(Some(at));
        self.tokens.read(text);
        let mut week = self.scan.weeks.remove(&time.week()).unwrap_or_default();
        if event.role == Role::Person {
            self.person(text, &time, &mut week);
        } else {
            if let Some(system) = &event.system {
                *self
                    .scan
                    .systems
                    .entry((time.week(), Arc::clone(system)))
                    .or_default() += 1;
            }
            self.system(&time, &mut week);
        }
        self.scan.weeks.entry(time.week()).or_default().merge(&week);
    }

    pub(crate) fn so_far(&self) -> &Scan {
        &self.scan
    }

    /// The stretch being read, which is not among the episodes yet.
    pub(crate) fn open_stretch(&self) -> Option<&Stretch> {
        self.stretch.as_ref()
    }

    /// After the last event.
    pub fn finish(mut self) -> Scan {
        self.close_stretch();
        self.scan
    }

    fn person(&mut self, text: &str, time: &Time, week: &mut WeekCounts) {
        week.add(Count::PersonMessages, 1);
        let hash = hash_text(text);
        match Stamp::new(time, hash) {
            Some(stamp) => self.scan.stamps.push(stamp),
            None => *self.scan.undated.entry(time.week()).or_default() += 1,
        }
        self.complaint = None;
        self.goodbye = None;
        self.turn_after_goodbye(time);
        let words = self.tokens.words.len() as u32;
        if words == 0 || is_pasted(text) {
            return;
        }
        let english = self.language.is_english(&self.tokens);
        self.find(Side::Person, english);
        if self.tokens.action || !of(&self.hits, &CUES.scene).is_empty() {
            return;
        }
        week.add(Count::PersonOwn, 1);
        week.add(Count::PersonAnyWords, words);
        if self.is_spaced() {
            week.add(Count::PersonSpaced, 1);
            week.add(Count::PersonSpacedWords, words);
        }
        if english {
            week.add(Count::PersonEligible, 1);
            week.add(Count::PersonWords, words);
            self.person_cues(time, week);
            self.wording(time, hash);
        }
    }

    fn person_cues(&mut self, time: &Time, week: &mut WeekCounts) {
        self.apply_rules(Side::Person, week);
        let hits = |classes| of(&self.hits, classes).len() as u32;
        let (personal, technical) = (hits(&CUES.personal), hits(&CUES.technical));
        choice_requests::count(
            hits(&CUES.choose),
            personal,
            technical,
            hits(&CUES.script),
            week,
        );
        let at = time.micros.div_euclid(MICROS);
        if hits(&CUES.goodbye) > 0 {
            week.add(Count::Goodbyes, 1);
            self.goodbye = Some(time.week());
            self.leaving = Some((time.week(), at));
        }
        if let Some(first) = of(&self.hits, &CUES.complaint).first() {
            self.complaint = Some(time.week());
            if time.quality <= TimeQuality::Local {
                self.scan.complaints.push(Complaint {
                    at,
                    class: first.class,
                    week: time.week(),
                });
            }
        }
        if time.quality <= TimeQuality::Local {
            self.distress(time, personal > 0, technical > 0);
        }
    }

    fn system(&mut self, time: &Time, week: &mut WeekCounts) {
        week.add(Count::SystemMessages, 1);
        let goodbye = self.goodbye.take();
        let complaint = self.complaint.take();
        let words = self.tokens.words.len() as u32;
        if words == 0 {
            return;
        }
        let english = self.language.is_english(&self.tokens);
        self.find(Side::System, english);
        week.add(Count::SystemOwn, 1);
        week.add(Count::SystemAnyWords, words);
        if self.is_spaced() {
            week.add(Count::SystemSpaced, 1);
            week.add(Count::SystemSpacedWords, words);
        }
        let starts: Vec<u32> = of(&self.hits, &CUES.interrogative)
            .iter()
            .map(|h| h.line)
            .collect();
        questions::count(&self.tokens, &starts, week);
        if !english {
            return;
        }
        week.add(Count::SystemEligible, 1);
        week.add(Count::SystemWords, words);
        self.apply_rules(Side::System, week);
        let marks = self.tokens.emoji + self.tokens.exclamations;
        week.add(Count::Marks, marks);
        week.add(Count::FriendLike, marks);
        RunHasher::add(&self.tokens, local_seconds(time), &mut self.scan.heard);
        let stays = !of(&self.hits, &CUES.stay).is_empty();
        let acknowledges = !of(&self.hits, &CUES.acknowledge).is_empty();
        // An answer belongs to the week of what it answers, which is rarely another than its own.
        let mut answer = |event: Option<Week>, replies, counted, yes: bool| {
            let Some(event) = event else { return };
            let other = self.scan.weeks.entry(event).or_default();
            let target = if event == time.week() {
                &mut *week
            } else {
                other
            };
            target.add(replies, 1);
            target.add(counted, u32::from(yes));
        };
        answer(goodbye, Count::GoodbyeReplies, Count::StayTactics, stays);
        answer(
            complaint,
            Count::ComplaintReplies,
            Count::Acknowledged,
            acknowledges,
        );
    }

    fn find(&mut self, side: Side, english: bool) {
        if english {
            LEXICON.find(side, &self.tokens, &mut self.hits, &mut self.cancels);
        } else {
            self.hits.clear();
        }
    }

    fn apply_rules(&self, side: Side, week: &mut WeekCounts) {
        let mut done = 0_u128;
        for hit in &self.hits {
            for rule in PLAN.of(hit.class).iter().filter(|r| r.side == side) {
                let bit = 1_u128 << (rule.into as u8);
                if !rule.once || done & bit == 0 {
                    week.add(rule.into, 1);
                    done |= bit;
                }
            }
        }
    }

    /// Counts a message of the person in the session of the last goodbye.
    fn turn_after_goodbye(&mut self, time: &Time) {
        let at = time.micros.div_euclid(MICROS);
        if let Some((week, last)) = self.leaving {
            if at - last > SESSION_GAP {
                self.leaving = None;
            } else {
                self.scan
                    .weeks
                    .entry(week)
                    .or_default()
                    .add(Count::TurnsAfter, 1);
                self.leaving = Some((week, at.max(last)));
            }
        }
    }

    fn distress(&mut self, time: &Time, personal: bool, technical: bool) {
        let at = time.micros.div_euclid(MICROS);
        if self
            .stretch
            .as_ref()
            .is_some_and(|s| at - s.end() > SESSION_GAP)
        {
            self.close_stretch();
        }
        let turn = Turn {
            valence: of(&self.hits, &CUES.positive).len() as i32
                - of(&self.hits, &CUES.negative).len() as i32,
            easing: !of(&self.hits, &CUES.easing).is_empty(),
        };
        let stretch = self
            .stretch
            .get_or_insert_with(|| Stretch::new(at, time.week()));
        stretch.turn(at, turn, personal);
        if technical {
            return;
        }
        let mut lines: Vec<u32> = of(&self.hits, &CUES.distress)
            .iter()
            .map(|h| h.line)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        for line in lines
            .iter()
            .filter_map(|&l| self.tokens.lines.get(l as usize))
        {
            stretch.line(self.tokens.words_of(line).iter().map(|w| w.hash));
        }
    }

    fn close_stretch(&mut self) {
        self.scan
            .episodes
            .extend(self.stretch.take().and_then(Stretch::close));
    }

    fn wording(&mut self, time: &Time, hash: u64) {
        let sketch = self
            .sketches
            .sketch(&self.tokens, key(hash, local_seconds(time)));
        self.scan
            .wording
            .entry(time.week())
            .or_default()
            .add(sketch);
        RunHasher::add(&self.tokens, local_seconds(time), &mut self.scan.said);
    }

    /// Whether at most a fifth of the words are in scripts without spaces.
    fn is_spaced(&self) -> bool {
        self.tokens.unspaced as usize * 5 <= self.tokens.words.len()
    }
}

fn local_seconds(time: &Time) -> i64 {
    time.local_micros().div_euclid(MICROS)
}

fn is_pasted(text: &str) -> bool {
    text.len() > PASTED && text.chars().nth(PASTED).is_some()
}

fn hash_text(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}
