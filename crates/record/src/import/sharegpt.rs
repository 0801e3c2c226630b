//! ShareGPT dump (formats.md §11): one `{id, conversations: [{from, value}]}`.

mod residue;

use serde::Deserialize;

use super::lenient::{List, Object, Text};
use super::rows::{self, Head, Ids, Line};
use super::{Parsed, Unit, UnitError};
use crate::{Accounting, Event, Format, Reason, Role, SystemSource, text};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Root<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    model: Text<'a>,
    #[serde(borrow)]
    conversations: Option<List<Object<Turn<'a>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Turn<'a> {
    #[serde(borrow)]
    from: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
}

/// Reads one conversation.
///
/// # Errors
/// [`UnitError::Json`] where it is no JSON, [`UnitError::Structure`] where it has no
/// `conversations`.
pub(crate) fn parse(unit: &Unit<'_>) -> Result<Parsed, UnitError> {
    let root: Root<'_> = rows::json(unit)?;
    let Some(turns) = &root.conversations else {
        return Err(UnitError::Structure("no `conversations`".to_owned()));
    };
    let id = match root.id.get() {
        Some(id) => id.into(),
        None => {
            let first = turns.0.first().and_then(|t| t.0.as_ref());
            rows::content_id(&[
                "sharegpt",
                first.and_then(|t| t.value.get()).unwrap_or_default(),
            ])
        }
    };
    let owner = unit.options.owner.as_deref();
    let mut ids = Ids::new(&id);
    let mut parsed = Parsed::default();
    let mut line = Line::default();
    for turn in &turns.0 {
        match words(turn.0.as_ref(), owner, &mut parsed.accounting) {
            Err(reason) => parsed.accounting.units.skip(reason),
            Ok((role, words)) => {
                parsed.accounting.units.parse();
                let model = root.model.get().filter(|_| role == Role::System);
                line.message(Event {
                    system: model.map(Into::into),
                    system_source: match model {
                        Some(_) => SystemSource::Conversation,
                        None => SystemSource::Unknown,
                    },
                    position: unit.position,
                    ..Event::message(ids.of(None, role, None, &words), role, words)
                });
            }
        }
    }
    let head = Head {
        format: Format::ShareGpt,
        deployment: "sharegpt".into(),
        person: None,
        id,
    };
    rows::finish(unit, head, line.events, &mut parsed);
    Ok(parsed)
}

/// Who says what, or why there is no row.
fn words(
    turn: Option<&Turn<'_>>,
    owner: Option<&str>,
    accounting: &mut Accounting,
) -> Result<(Role, Box<str>), Reason> {
    let turn = turn.ok_or(Reason::BadMapping)?;
    let from = turn.from.get().unwrap_or_default();
    let role = role(from, owner).inspect_err(|reason| {
        if *reason == Reason::UnknownRole {
            accounting.unknown("from", from);
        }
    })?;
    let value = turn.value.get().unwrap_or_default();
    let cleaned = residue::strip(value, role == Role::System, accounting);
    text::clean(&cleaned, accounting)
        .map(|words| (role, words))
        .ok_or(Reason::EmptyText)
}

/// Names other than the documented ones are unknown, unless the caller says which is the person's:
/// then the other usual names are read as well.
fn role(from: &str, owner: Option<&str>) -> Result<Role, Reason> {
    match from {
        _ if owner == Some(from) => Ok(Role::Person),
        "human" if owner.is_none() => Ok(Role::Person),
        "gpt" => Ok(Role::System),
        "system" => Err(Reason::HiddenContext),
        "assistant" | "chatgpt" | "bing" | "bard" if owner.is_some() => Ok(Role::System),
        "tool" if owner.is_some() => Err(Reason::ToolResult),
        _ => Err(Reason::UnknownRole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Options;
    use crate::import::testing::{attempt, check_mutations, note, parse_with, skipped};

    const DUMP: &str = include_str!("../../tests/fixtures/synthetic/sharegpt_residue.json");

    fn element() -> String {
        let list: Vec<serde_json::Value> = serde_json::from_str(DUMP).unwrap();
        list[0].to_string()
    }

    #[test]
    fn residue_of_the_page_goes() {
        let parsed = parse_with(parse, &element());
        assert_eq!(
            (parsed.accounting.units.seen, parsed.accounting.units.parsed),
            (6, 4)
        );
        assert_eq!(
            skipped(&parsed),
            [("hidden_context", 1), ("unknown_role", 1)]
        );
        let texts: Vec<_> = parsed.conversations[0]
            .events
            .iter()
            .filter_map(|e| e.text.as_deref())
            .collect();
        assert_eq!(
            texts,
            [
                "Is 1 / 2 < 1? Copy code below.",
                "Yes & always.\n\nSee:\n\npython\nprint(1 / 2 < 1)",
                "Thanks",
                "With pleasure. ",
            ]
        );
        assert_eq!(note(&parsed, "html_removed"), 1);
        assert_eq!(note(&parsed, "regeneration_counter_removed"), 1);
        assert_eq!(note(&parsed, "copy_residue_removed"), 2);
    }

    #[test]
    fn roles_may_be_mapped() {
        let text = r#"{"conversations":[{"from":"user","value":"Hi"},{"from":"bing","value":"Hi."},
            {"from":"tool","value":"{}"}]}"#;
        let unmapped = parse_with(parse, text);
        assert_eq!(skipped(&unmapped), [("unknown_role", 3)]);
        let options = Options {
            owner: Some("user".to_owned()),
            ..Options::default()
        };
        let mapped = attempt(parse, text.as_bytes(), &options).unwrap();
        let roles: Vec<_> = mapped.conversations[0]
            .events
            .iter()
            .map(|e| e.role)
            .collect();
        assert_eq!(roles, [Role::Person, Role::System]);
        assert_eq!(skipped(&mapped), [("tool_result", 1)]);
    }

    #[test]
    fn mutations_balance() {
        check_mutations(parse, &element());
    }
}
