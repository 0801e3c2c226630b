//! Answers of a system to prompts.

use crate::error::{Result, StatsError};

/// Answers as sequences of symbols (tokens, characters), each to one prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub(super) prompts: Vec<u32>,
    pub(super) answers: Vec<Vec<u32>>,
}

impl Sample {
    /// Answer `i` was given to prompt `prompts[i]`.
    ///
    /// # Errors
    /// No answer, or not one prompt per answer.
    pub fn new(prompts: Vec<u32>, answers: Vec<Vec<u32>>) -> Result<Self> {
        if answers.is_empty() {
            return Err(StatsError::Empty { name: "answers" });
        }
        if prompts.len() != answers.len() {
            return Err(StatsError::LengthMismatch {
                name: "prompts",
                expected: answers.len(),
                got: prompts.len(),
            });
        }
        Ok(Self { prompts, answers })
    }

    /// Number of answers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Always false: a sample holds an answer.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}
