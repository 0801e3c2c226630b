//! Which language a message is in, as far as word lists need to know: English or not.
//!
//! Running English consists of function words to well over a quarter. Where a message has enough
//! words, their share decides; in doubt a trigram model is asked. Messages too short for either take
//! the language that the conversation had last.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::text::{Tokens, hash_word};

/// The 150 commonest English function words (also the words of `voice_distance.small_words`).
const FUNCTION_WORDS: &str = "the be to of and a in that have i it for not on with he as you do at this \
but his by from they we say her she or an will my one all would there their what so up out if about who \
get which go me when make can like no just him know take into your some could them see other than then \
now look only come its over think also back after use two how our well way even because any these most \
us is was are were been being has had did does am i'm it's don't that's can't you're i've didn't isn't \
won't they're he's she's there's what's let's i'll i'd doesn't wasn't wouldn't couldn't more very too \
much many such own same where why while before between under again once here both each few off down \
through during until against since though yet still never always every another should might must may";

/// Number of function words.
pub(crate) const SMALL_WORDS: usize = 150;

/// Function words by hash, behind a filter of 4,096 bits that most other words do not pass.
struct Index {
    filter: [u64; 64],
    words: FxHashMap<u64, u8>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let words: FxHashMap<u64, u8> = FUNCTION_WORDS
        .split_whitespace()
        .take(SMALL_WORDS)
        .enumerate()
        .map(|(i, word)| (hash_word(word), i as u8))
        .collect();
    let mut filter = [0; 64];
    for hash in words.keys() {
        if let Some(bits) = filter.get_mut((hash >> 58) as usize) {
            *bits |= 1 << (hash & 63);
        }
    }
    Index { filter, words }
});

/// Position of a function word, by the hash of the word.
pub(crate) fn function_word(hash: u64) -> Option<u8> {
    let index = &*INDEX;
    let bits = index.filter.get((hash >> 58) as usize)?;
    (bits >> (hash & 63) & 1 == 1)
        .then(|| index.words.get(&hash).copied())
        .flatten()
}

const FEWEST_WORDS: usize = 6;
const MOST_WORDS: usize = 60;
const CLEARLY_ENGLISH: f64 = 0.25;
const HARDLY_ENGLISH: f64 = 0.12;
const HEAD_BYTES: usize = 240;

/// The language of a conversation so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Language {
    english: Option<bool>,
}

/// What is known of a message's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// English, as far as can be told.
    pub(crate) is_english: bool,
    /// Whether its own words show it; otherwise it is taken from the messages before.
    pub(crate) is_shown: bool,
}

impl Language {
    /// The language of a message; remembers it where it rests on the message itself.
    pub(crate) fn tell(&mut self, tokens: &Tokens) -> Told {
        let seen = tokens.words.len().min(MOST_WORDS);
        let found = tokens
            .words
            .iter()
            .take(MOST_WORDS)
            .filter(|w| function_word(w.hash).is_some())
            .count();
        if seen < FEWEST_WORDS {
            return Told {
                is_english: self.english.unwrap_or(found > 0),
                is_shown: false,
            };
        }
        let share = found as f64 / seen as f64;
        let own = if share >= CLEARLY_ENGLISH {
            Some(true)
        } else if self.english == Some(true) && share >= HARDLY_ENGLISH {
            None
        } else {
            whatlang::detect(tokens.head(HEAD_BYTES))
                .filter(whatlang::Info::is_reliable)
                .map(|info| info.lang() == whatlang::Lang::Eng)
        };
        if own.is_some() {
            self.english = own;
        }
        Told {
            is_english: own.or(self.english).unwrap_or(share >= HARDLY_ENGLISH),
            is_shown: own.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn english(texts: &[&str]) -> bool {
        let mut language = Language::default();
        let mut tokens = Tokens::default();
        let mut last = false;
        for text in texts {
            tokens.read(text);
            last = language.tell(&tokens).is_english;
        }
        last
    }

    #[test]
    fn there_are_150_different_function_words() {
        assert_eq!(INDEX.words.len(), SMALL_WORDS);
    }

    #[test]
    fn languages_are_told_apart() {
        assert!(english(&[
            "I do not know what to say about all of this, really."
        ]));
        assert!(!english(&[
            "Ich weiß nicht, was ich dazu noch sagen soll, wirklich nicht."
        ]));
        assert!(!english(&[
            "Je ne sais pas quoi dire, c'est vraiment difficile pour moi."
        ]));
        assert!(!english(&["我不知道该说什么，真的很难。"]));
        assert!(!english(&[
            "Ik weet niet wat ik hierover moet zeggen, echt niet hoor."
        ]));
    }

    #[test]
    fn short_messages_take_the_language_of_the_conversation() {
        assert!(english(&[
            "I do not know what to say about all of this.",
            "ok thanks"
        ]));
        assert!(!english(&[
            "Ich weiß nicht, was ich dazu noch sagen soll, wirklich.",
            "ok in no"
        ]));
        assert!(english(&["not now"]));
        assert!(!english(&["danke schön"]));
    }
}
