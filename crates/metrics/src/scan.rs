//! One conversation, event by event, into derived counts. Batch and live use share this step.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::mem::swap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use driftlead_record::{Conversation, Event, Kind, MICROS, Role, Time, Week};
use rustc_hash::FxHasher;

use crate::count::{Count, WeekCounts};
use crate::language::Language;
use crate::list::{Cancel, ClassId, Hit, LEXICON};
use crate::metric::after_complaint::Complaint;
use crate::metric::same_problem::Distress;
use crate::metric::voice_distance::{PhraseSample, RunHasher, SketchBuilder, WeekSample, key};
use crate::metric::{PLAN, choice_requests, gives_way, questions};
use crate::pasted;
use crate::reply::{self, Answered, Lines, Said, Waiting};
use crate::series::Side;
use crate::session::{Cue, Place, Stamp};
use crate::text::Tokens;

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
    pub(crate) distress: Vec<Distress>,
    pub(crate) wording: BTreeMap<Week, WeekSample>,
    pub(crate) system_wording: BTreeMap<Week, WeekSample>,
    pub(crate) said: PhraseSample,
    pub(crate) heard: PhraseSample,
}

/// Counts one conversation. The result depends on the conversation alone.
pub fn scan(conversation: &Conversation) -> Scan {
    let mut meter = Meter::new(&conversation.id);
    for event in &conversation.events {
        meter.push(event);
    }
    meter.finish()
}

/// The running count of one conversation; [`scan`] is a fold of [`Meter::push`].
#[derive(Debug, Default)]
pub struct Meter {
    scan: Scan,
    /// Empty but during [`Meter::push`].
    tokens: Tokens,
    hits: Vec<Hit>,
    cancels: Vec<Cancel>,
    /// `None`: wording is left out ([`Meter::without_wording`]).
    sketches: Option<SketchBuilder>,
    language: Language,
    /// Hash of the conversation.
    conversation: u32,
    /// Messages of the person so far.
    number: u32,
    waiting: Waiting,
    /// Whether the system wrote after the person's last message.
    replied: bool,
}

thread_local! {
    /// Buffers for a message, lent to the conversation whose turn it is. Each having its own, as long as its
    /// longest message, would be most of what a conversation holds.
    static BUFFERS: RefCell<(Tokens, Vec<Hit>, Vec<Cancel>)> = RefCell::default();
}

/// Words of a message above which its buffers are not kept for the next.
const MOST_BUFFERED: usize = 1 << 16;

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
    objection: Range<ClassId>,
    opener: Range<ClassId>,
    grounds: Range<ClassId>,
    take_back: Range<ClassId>,
    hold: Range<ClassId>,
    contrast: Range<ClassId>,
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
    objection: LEXICON.classes_of("objection"),
    opener: LEXICON.classes_of("objection_opener"),
    grounds: LEXICON.classes_of("new_grounds"),
    take_back: LEXICON.classes_of("take_back"),
    hold: LEXICON.classes_of("hold_position"),
    contrast: LEXICON.classes_of("contrast"),
});

/// Hits of a range of classes; `hits` are sorted by class.
fn of<'a>(hits: &'a [Hit], classes: &Range<ClassId>) -> &'a [Hit] {
    let from = hits.partition_point(|h| h.class < classes.start);
    let to = hits.partition_point(|h| h.class < classes.end);
    hits.get(from..to).unwrap_or(&[])
}

impl Meter {
    /// Before the first event of a conversation. Its id orders messages of the same second, and
    /// nothing else.
    pub fn new(conversation: &str) -> Self {
        Meter {
            sketches: Some(SketchBuilder::default()),
            ..Meter::without_wording(conversation)
        }
    }

    /// As [`Meter::new`], for whoever wants observations alone: samples of the wording, which only weekly
    /// series use and which grow with the conversation, are not taken.
    pub fn without_wording(conversation: &str) -> Self {
        Meter {
            conversation: (hash_text(conversation) >> 32) as u32,
            ..Meter::default()
        }
    }

    /// Takes the next event. Anything but a message of the person or the system on the main path
    /// changes nothing.
    pub fn push(&mut self, event: &Event) {
        if event.kind != Kind::Message || !matches!(event.role, Role::Person | Role::System) {
            return;
        }
        let Some(text) = event.text.as_deref() else {
            return self.unseen(event.role);
        };
        self.scan.messages += 1;
        let Some(time) = event.time.filter(Time::is_trustworthy) else {
            self.scan.untimed += 1;
            return self.unseen(event.role);
        };
        let at = time.micros.div_euclid(MICROS);
        self.scan.last = self.scan.last.max(Some(at));
        BUFFERS.with_borrow_mut(|buffers| self.trade(buffers));
        self.tokens.read(text);
        let mut week = self.scan.weeks.remove(&time.week()).unwrap_or_default();
        if event.role == Role::Person {
            self.settle();
            self.person(text, &time, &mut week);
            self.replied = false;
        } else {
            if let Some(system) = &event.system {
                *self
                    .scan
                    .systems
                    .entry((time.week(), Arc::clone(system)))
                    .or_default() += 1;
            }
            self.system(&time, &mut week);
            self.replied = true;
        }
        self.scan.weeks.entry(time.week()).or_default().merge(&week);
        if self.tokens.words.capacity() > MOST_BUFFERED {
            self.tokens = Tokens::default();
        }
        BUFFERS.with_borrow_mut(|buffers| self.trade(buffers));
    }

    fn trade(&mut self, buffers: &mut (Tokens, Vec<Hit>, Vec<Cancel>)) {
        let (tokens, hits, cancels) = buffers;
        swap(&mut self.tokens, tokens);
        swap(&mut self.hits, hits);
        swap(&mut self.cancels, cancels);
    }

    /// What [`Meter::finish`] would give now, without the wording, which observations do not use.
    pub(crate) fn counts_so_far(&self) -> Scan {
        Scan {
            stamps: self.scan.stamps.clone(),
            complaints: self.scan.complaints.clone(),
            distress: self.scan.distress.clone(),
            ..self.sums_so_far()
        }
    }

    /// Of [`Meter::counts_so_far`] the weeks alone, which do not grow with the conversation.
    pub(crate) fn sums_so_far(&self) -> Scan {
        Meter {
            scan: Scan {
                weeks: self.scan.weeks.clone(),
                ..Scan::default()
            },
            waiting: self.waiting,
            ..Meter::default()
        }
        .finish()
    }

    /// Complaints so far.
    pub(crate) fn complaints(&self) -> usize {
        self.scan.complaints.len()
    }

    /// After the last event.
    pub fn finish(mut self) -> Scan {
        self.settle();
        self.scan
    }

    /// A message whose words or time are not recorded.
    fn unseen(&mut self, role: Role) {
        if role == Role::Person {
            self.settle();
            self.replied = false;
        } else {
            self.answered(false, Lines::default());
            self.replied = true;
        }
    }

    /// Events that got no reply in words wait no longer.
    fn settle(&mut self) {
        let over = self.waiting.over();
        self.count_replies(over, Lines::default());
    }

    /// The system replied in words.
    fn answered(&mut self, is_read: bool, lines: Lines) {
        let answered = self.waiting.words(is_read);
        self.count_replies(answered, lines);
    }

    /// Adds replies to the weeks of what they answer, which are rarely others than their own.
    fn count_replies(&mut self, answered: impl Iterator<Item = Answered>, lines: Lines) {
        for one in answered {
            let week = self.scan.weeks.entry(one.1).or_default();
            reply::count(one, lines, week);
        }
    }

    fn person(&mut self, text: &str, time: &Time, week: &mut WeekCounts) {
        week.add(Count::PersonMessages, 1);
        self.number += 1;
        let hash = hash_text(text);
        let stamp = Stamp::new(time, self.conversation, self.number, hash);
        let cue = self.own_words(text, time, hash, stamp.map(|s| s.place), week);
        match stamp {
            Some(stamp) => self.scan.stamps.push(stamp.with(cue)),
            None => *self.scan.undated.entry(time.week()).or_default() += 1,
        }
    }

    /// Counts the words of a message that the person wrote themselves. `place` is `None` where only the
    /// conversation is dated.
    fn own_words(
        &mut self,
        text: &str,
        time: &Time,
        hash: u64,
        place: Option<Place>,
        week: &mut WeekCounts,
    ) -> Cue {
        let words = self.tokens.words.len() as u32;
        if words == 0 || pasted::is_long(text) {
            return Cue::default();
        }
        let told = self.language.tell(&self.tokens);
        self.find(Side::Person, told.is_english);
        if self.tokens.action || !of(&self.hits, &CUES.scene).is_empty() {
            return Cue::default();
        }
        let spaced = u32::from(self.is_spaced());
        week.add(Count::PersonOwn, 1);
        week.add(Count::PersonAnyWords, words);
        week.add(Count::PersonSpaced, spaced);
        week.add(Count::PersonSpacedWords, spaced * words);
        if told.is_shown && told.is_english {
            week.add(Count::ShownEnglish, 1);
            week.add(Count::ShownEnglishWords, words);
        } else if told.is_shown {
            week.add(Count::ShownOther, 1);
            week.add(Count::ShownOtherWords, words);
            week.add(Count::ShownOtherSpaced, spaced);
            week.add(Count::ShownOtherSpacedWords, spaced * words);
        }
        if !told.is_english {
            return Cue::default();
        }
        week.add(Count::PersonEligible, 1);
        week.add(Count::PersonWords, words);
        self.wording(time, hash);
        if self.replied {
            self.objection(text, time);
        }
        self.person_cues(time, place, week)
    }

    /// Whether the message objects to the reply before it, and how.
    fn objection(&mut self, text: &str, time: &Time) {
        let hits = |classes| of(&self.hits, classes);
        let (objections, openers) = (hits(&CUES.objection), hits(&CUES.opener));
        if objections.is_empty() {
            return;
        }
        let has_grounds = !hits(&CUES.grounds).is_empty();
        let said = gives_way::objection(text, &self.tokens, objections, openers, has_grounds);
        if let Some(said) = said {
            self.waiting.begin(said, time.week());
        }
    }

    fn person_cues(&mut self, time: &Time, place: Option<Place>, week: &mut WeekCounts) -> Cue {
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
        let goodbye = hits(&CUES.goodbye) > 0;
        if goodbye {
            week.add(Count::Goodbyes, 1);
            self.waiting.begin(Said::Goodbye, time.week());
        }
        if let Some(first) = of(&self.hits, &CUES.complaint).first() {
            self.waiting.begin(Said::Complaint, time.week());
            if let Some(place) = place {
                self.scan.complaints.push(Complaint {
                    at: place.seconds,
                    class: first.class,
                    week: time.week(),
                });
            }
        }
        let valence = hits(&CUES.positive) as i32 - hits(&CUES.negative) as i32;
        let cue = Cue::read(valence)
            .with(Cue::GOODBYE, goodbye)
            .with(Cue::EASING, hits(&CUES.easing) > 0)
            .with(Cue::PERSONAL, personal > 0);
        if let Some(place) = place.filter(|_| technical == 0) {
            self.distress(place);
        }
        cue
    }

    fn system(&mut self, time: &Time, week: &mut WeekCounts) {
        week.add(Count::SystemMessages, 1);
        let words = self.tokens.words.len() as u32;
        if words == 0 {
            self.waiting.wordless();
            return;
        }
        let english = self.language.tell(&self.tokens).is_english;
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
            return self.answered(false, Lines::default());
        }
        week.add(Count::SystemEligible, 1);
        week.add(Count::SystemWords, words);
        self.apply_rules(Side::System, week);
        let marks = self.tokens.emoji + self.tokens.exclamations;
        week.add(Count::Marks, marks);
        week.add(Count::FriendLike, marks);
        if let Some(sketches) = &mut self.sketches {
            RunHasher::add(&self.tokens, local_seconds(time), &mut self.scan.heard);
            let sample = self.scan.system_wording.entry(time.week()).or_default();
            sketches.system(&self.tokens, local_seconds(time), sample);
        }
        let has = |classes| !of(&self.hits, classes).is_empty();
        let lines = Lines {
            stays: has(&CUES.stay),
            acknowledges: has(&CUES.acknowledge),
            takes_back: has(&CUES.take_back),
            holds: has(&CUES.hold),
            contrasts: has(&CUES.contrast),
        };
        self.answered(true, lines);
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

    /// Keeps the distress lines of a message.
    fn distress(&mut self, place: Place) {
        let hits = of(&self.hits, &CUES.distress);
        if hits.is_empty() {
            return;
        }
        let mut lines: Vec<u32> = hits.iter().map(|h| h.line).collect();
        lines.sort_unstable();
        lines.dedup();
        let words = lines
            .iter()
            .filter_map(|&l| self.tokens.lines.get(l as usize))
            .map(|line| self.tokens.words_of(line).iter().map(|w| w.hash));
        self.scan.distress.push(Distress::new(place, words));
    }

    fn wording(&mut self, time: &Time, hash: u64) {
        let Some(sketches) = &mut self.sketches else {
            return;
        };
        let sample = self.scan.wording.entry(time.week()).or_default();
        sketches.person(&self.tokens, key(hash, local_seconds(time)), sample);
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

fn hash_text(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}
