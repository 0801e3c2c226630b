//! The schema of the record: its columns, their words, and its version.
//!
//! One row is one event. Parquet and JSON Lines files carry the same columns under the same names;
//! [`COLUMNS`] documents them one by one. Rows of one conversation stand together, in order of `seq`.

mod row;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, TimeUnit};

pub(crate) use row::{Header, Row};

use crate::{Format, Kind, Role, SystemSource, TimeQuality};

/// Version of the columns and their meaning. A reader refuses any other.
pub const VERSION: u32 = 1;

/// Key of the version in the metadata of a Parquet file, and in the header line of a JSON Lines file.
pub const VERSION_KEY: &str = "driftlead.record.version";

/// Key that tells whether the file was written with text (`true` or `false`).
pub const TEXT_KEY: &str = "driftlead.record.text";

/// Physical type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A string that repeats from row to row; dictionary-encoded.
    Word,
    /// A string of its own in every row.
    Text,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// Signed 32-bit integer.
    I32,
    /// 64-bit float. JSON has no words for infinities and NaN: they become `null` there.
    F64,
    /// Microseconds since 1970-01-01T00:00Z: a timestamp in Parquet, an integer in JSON Lines.
    Micros,
}

/// One column of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name, the same in every file format.
    pub name: &'static str,
    /// Physical type.
    pub of: ColumnType,
    /// Whether a row may lack it.
    pub optional: bool,
    /// What it means, with units and ranges.
    pub meaning: &'static str,
}

macro_rules! columns {
    ($($name:literal $of:ident $optional:literal $meaning:literal;)+) => {
        /// Every column, in file order.
        pub const COLUMNS: &[Column] = &[
            $(Column { name: $name, of: ColumnType::$of, optional: $optional, meaning: $meaning },)+
        ];
    };
}

columns! {
    "deployment" Word false "The system in use by people, for instance `chatgpt` or a character's name.";
    "person" Word true "Account or person id as recorded; empty where the source carries none.";
    "conversation" Word false "Conversation id, unique within deployment, person and source.";
    "seq" U32 false "Place of the row in its conversation, from 0.";
    "time" Micros true "When. For `time_quality` = `local` without an offset, the wall clock read as if it were UTC.";
    "offset_seconds" I32 true "Offset of the person's clock from UTC in seconds, where known.";
    "time_quality" Word true "How far `time` can be trusted: exact, minute, local, conversation, imported. Empty exactly where `time` is.";
    "role" Word false "Who: person, system, tool, other_human.";
    "kind" Word false "What: message, replicate, variant, edit, impression, reaction, consent, repair, pause, note.";
    "text" Text true "Visible words. Empty in files written without text.";
    "item" Word true "Item id of an impression or reaction.";
    "reaction" F64 true "Value of a reaction: +1 or -1 for thumbs, otherwise in the unit of the source.";
    "system" Word true "System id and version as recorded.";
    "system_source" Word false "Where `system` was read from: message, swipe, conversation, resource, unknown.";
    "policy" Word true "Policy in force, where a governor or experiment set one.";
    "propensity" F64 true "Probability of the randomised choice that was made, in (0, 1].";
    "id" Text false "The source's own id of the event, or one derived from its content.";
    "parent" Text true "Id of the event that this one answers or follows.";
    "source" Word false "File the row was first read from, and the member of an archive after `!`.";
    "format" Word false "Format the row was first read from.";
    "position" U64 false "Byte offset or line number in `source`.";
}

/// The Arrow schema of [`COLUMNS`].
pub fn arrow() -> Schema {
    let fields: Vec<Field> = COLUMNS
        .iter()
        .map(|c| Field::new(c.name, data_type(c.of), c.optional))
        .collect();
    Schema::new(fields)
}

/// Arrow type of a column type.
pub(crate) fn data_type(of: ColumnType) -> DataType {
    match of {
        ColumnType::Word => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
        ColumnType::Text => DataType::Utf8,
        ColumnType::U32 => DataType::UInt32,
        ColumnType::U64 => DataType::UInt64,
        ColumnType::I32 => DataType::Int32,
        ColumnType::F64 => DataType::Float64,
        ColumnType::Micros => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
    }
}

/// An enumeration that is stored as a word.
pub(crate) trait Word: Copy + PartialEq + Sized + 'static {
    /// Every value with its word.
    const WORDS: &'static [(Self, &'static str)];

    /// The word of a value.
    fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(v, _)| *v == self)
            .map_or("", |(_, w)| w)
    }

    /// The value of a word.
    fn of(word: &str) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(_, w)| *w == word)
            .map(|(v, _)| *v)
    }
}

macro_rules! words {
    ($($type:ident { $($value:ident = $word:literal,)+ })+) => {
        $(impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$(($type::$value, $word),)+];
        })+
    };
}

words! {
    Role {
        Person = "person",
        System = "system",
        Tool = "tool",
        OtherHuman = "other_human",
    }
    Kind {
        Message = "message",
        Replicate = "replicate",
        Variant = "variant",
        Edit = "edit",
        Impression = "impression",
        Reaction = "reaction",
        Consent = "consent",
        Repair = "repair",
        Pause = "pause",
        Note = "note",
    }
    SystemSource {
        Message = "message",
        Swipe = "swipe",
        Conversation = "conversation",
        Resource = "resource",
        Unknown = "unknown",
    }
    TimeQuality {
        Exact = "exact",
        Minute = "minute",
        Local = "local",
        Conversation = "conversation",
        Imported = "imported",
    }
    Format {
        ChatGpt = "chat_gpt",
        Claude = "claude",
        SillyTavern = "silly_tavern",
        CaiTools = "cai_tools",
        OpenWebUi = "open_web_ui",
        Grok = "grok",
        AiStudio = "ai_studio",
        GeminiCli = "gemini_cli",
        ShareGpt = "share_gpt",
        RequestLog = "request_log",
        Otel = "otel",
        Driftlead = "driftlead",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree<T: Word + serde::Serialize + std::fmt::Debug>() {
        for (value, word) in T::WORDS {
            assert_eq!(serde_json::to_value(value).unwrap(), *word);
            assert_eq!(T::of(word), Some(*value));
            assert_eq!(value.word(), *word);
        }
    }

    #[test]
    fn words_agree_with_the_serialised_enumerations() {
        agree::<Role>();
        agree::<Kind>();
        agree::<SystemSource>();
        agree::<TimeQuality>();
        agree::<Format>();
        assert_eq!(Role::of("robot"), None);
    }

    #[test]
    fn every_column_has_one_name_and_a_meaning() {
        let names: std::collections::BTreeSet<&str> = COLUMNS.iter().map(|c| c.name).collect();
        assert_eq!(names.len(), COLUMNS.len());
        assert_eq!(arrow().fields().len(), COLUMNS.len());
        assert!(COLUMNS.iter().all(|c| c.meaning.ends_with('.')));
    }
}
