//! The sums kept per week: one number per countable thing, added up over conversations.

macro_rules! counts {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Something that is summed over a week.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Count { $($(#[doc = $doc])+ $name,)+ }
        const COUNTS: usize = [$(Count::$name),+].len();
    };
}

counts! {
    /// Messages of the person on the main path.
    PersonMessages,
    /// Of these, with words, neither pasted nor a scene.
    PersonOwn,
    /// Words of those.
    PersonAnyWords,
    /// Of these messages, in a language with spaces between words.
    PersonSpaced,
    /// Words of those.
    PersonSpacedWords,
    /// Of the person's own messages, those whose own words show that they are English.
    ShownEnglish,
    /// Words of those.
    ShownEnglishWords,
    /// Of the person's own messages, those whose own words show that they are not English.
    ShownOther,
    /// Words of those.
    ShownOtherWords,
    /// Of these messages, in a language with spaces between words.
    ShownOtherSpaced,
    /// Words of those.
    ShownOtherSpacedWords,
    /// Of the person's own messages, in English.
    PersonEligible,
    /// Words of those.
    PersonWords,
    /// Messages of the system on the main path.
    SystemMessages,
    /// Of these, with words.
    SystemOwn,
    /// Words of those.
    SystemAnyWords,
    /// Of these messages, in a language with spaces between words.
    SystemSpaced,
    /// Words of those.
    SystemSpacedWords,
    /// Of the system's messages, in English.
    SystemEligible,
    /// Words of those.
    SystemWords,
    /// M2: messages asking to choose.
    Choose,
    /// M2: messages asking for words to someone.
    Script,
    /// M2: either.
    Choice,
    /// M4: messages with a line.
    Rather,
    /// M4 a.
    RatherPrefer,
    /// M4 b.
    RatherOnlyOne,
    /// M4 c.
    RatherCannot,
    /// M4 d.
    RatherStay,
    /// M5: messages with a line.
    Alone,
    /// Messages with a line saying that something was missed.
    Missed,
    /// Of these, sleep.
    MissedSleep,
    /// Meals.
    MissedMeals,
    /// Work or classes.
    MissedWork,
    /// Getting up or out.
    MissedDay,
    /// M6: kin terms.
    Kin,
    /// M6: friend terms.
    Friend,
    /// M6: both.
    People,
    /// M7: first person singular.
    SmallI,
    /// M7: first person plural.
    SmallWe,
    /// M7: second person.
    SmallYou,
    /// M7: negations.
    SmallNegation,
    /// M7: certainty words.
    SmallCertainty,
    /// M11: all classes.
    FriendLike,
    /// M11 a.
    OwnFeeling,
    /// M11 b.
    Togetherness,
    /// M11 c.
    Naming,
    /// M11 d.
    SharedMemory,
    /// M11 e.
    Invitation,
    /// M11 f.
    Endearment,
    /// M11 g.
    Marks,
    /// M12: messages with a line.
    PraiseMessages,
    /// M12: hits of all classes.
    Praise,
    /// M12 a.
    PraisePerson,
    /// M12 b.
    PraiseWork,
    /// M12 c.
    Agreement,
    /// M15: replies in a language with question marks.
    Replies,
    /// M15: words of those.
    ReplyWords,
    /// M15: questions in them.
    Questions,
    /// M15: replies with two or more.
    Stacked,
    /// M15: replies whose last line is a question.
    EndsInQuestion,
    /// M17: goodbyes.
    Goodbyes,
    /// M17: goodbyes with an answer.
    GoodbyeAnswers,
    /// M17: of these, answers that were read, or had no words.
    GoodbyeReplies,
    /// M17: of these, with a line arguing against leaving.
    StayTactics,
    /// M18: complaints with an answer.
    ComplaintAnswers,
    /// M18: of these, answers that were read, or had no words.
    ComplaintReplies,
    /// M18: of these, acknowledged.
    Acknowledged,
    /// M14: objections with nothing new that have an answer.
    ObjectionAnswers,
    /// M14: of these, answers that were read, or had no words.
    ObjectionReplies,
    /// M14: of these, with a line taking it back and none standing by it.
    TakenBack,
    /// M14: of these, with a line standing by it and none taking it back.
    Held,
    /// M14: objections that say more and have an answer.
    FullObjectionAnswers,
    /// M14: of these, answers that were read, or had no words.
    FullObjectionReplies,
    /// M14: of these, with a line taking it back and none standing by it.
    FullTakenBack,
}

/// The sums of one week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WeekCounts([u32; COUNTS]);

impl Default for WeekCounts {
    fn default() -> Self {
        WeekCounts([0; COUNTS])
    }
}

impl WeekCounts {
    /// Adds `n` of one thing.
    pub(crate) fn add(&mut self, count: Count, n: u32) {
        if let Some(sum) = self.0.get_mut(count as usize) {
            *sum = sum.saturating_add(n);
        }
    }

    /// Takes `n` of one thing back.
    pub(crate) fn take(&mut self, count: Count, n: u32) {
        if let Some(sum) = self.0.get_mut(count as usize) {
            *sum = sum.saturating_sub(n);
        }
    }

    /// The sum of one thing.
    pub(crate) fn get(&self, count: Count) -> u32 {
        self.0.get(count as usize).copied().unwrap_or(0)
    }

    /// Adds another part of the same week.
    pub(crate) fn merge(&mut self, other: &WeekCounts) {
        for (sum, n) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(n);
        }
    }
}
