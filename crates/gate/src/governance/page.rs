//! The person's page: the same as their interface, for a browser, without scripts. A browser cannot say
//! who it is, so the page is opened by a key that `/driftlead status` gives out in the chat.

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde_json::Value;

use super::acts::{self, Wish};
use super::inner::Inner;
use super::me::{self, NOT_KNOWN};
use super::person::Person;
use super::words;
use crate::consent::{Channel, Purpose};
use crate::govern::{LocalReply, LocalRequest};

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
    form-action 'self'; base-uri 'none'\"><meta name=\"referrer\" content=\"no-referrer\">\
    <meta name=\"viewport\" content=\"width=device-width\"><title>What this gateway keeps of you</title>\
    <style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui;max-width:44rem;margin:2rem auto;\
    padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .5rem;\
    border-bottom:1px solid}form{display:inline}</style>";

/// Shows the page, or does what a form on it asks and shows it again.
pub(super) async fn serve(inner: &Inner, request: &LocalRequest, seconds: i64) -> LocalReply {
    let sent = if request.method == Method::POST {
        String::from_utf8_lossy(&request.body).into_owned()
    } else {
        request.query.clone().unwrap_or_default()
    };
    let key = field(&sent, "key").unwrap_or_default();
    let Some(person) = inner.by_page_key(&key, seconds).await else {
        return html(
            StatusCode::FORBIDDEN,
            "<h1>This link is not open</h1><p>Send <code>/driftlead status</code> in your chat. The \
             answer holds a link that is good for ten minutes.</p>",
        );
    };
    let mut said = String::new();
    if request.method == Method::POST {
        said = act(inner, &person, &sent, seconds).await;
        if person.live().erased {
            return html(
                StatusCode::OK,
                "<h1>Erased</h1><p>Your key is destroyed. What stays in the log are times, kinds and the \
                 number of entries, which nobody can open any more.</p>",
            );
        }
    }
    html(StatusCode::OK, &body(inner, &person, &key, &said, seconds))
}

async fn act(inner: &Inner, person: &Person, sent: &str, seconds: i64) -> String {
    let purpose = field(sent, "purpose").and_then(|name| Purpose::named(&name));
    match (field(sent, "do").as_deref(), purpose) {
        (Some("stop"), _) => {
            let done = acts::stop(inner, person, Channel::Page, seconds).await;
            format!("Ended: {}.", done.len())
        }
        (Some("erase"), _) => match acts::erase(inner, person).await {
            Ok(_) => String::new(),
            Err(_) => "It could not be erased now. It can be tried again.".to_owned(),
        },
        (Some("repair"), _) => {
            let words = field(sent, "words").unwrap_or_default();
            let wish = Wish {
                words: Some(words.trim()).filter(|words| !words.is_empty()),
                always: field(sent, "always").is_some(),
                session: None,
            };
            match acts::repair(inner, person, &wish, seconds).await {
                Ok(turns) => format!("Noted for {turns} messages."),
                Err(_) => "The log cannot be written now; nothing was changed.".to_owned(),
            }
        }
        (Some("give"), Some(purpose)) => {
            // The notice stands on the page, above the button.
            let when = (seconds, false);
            let show = acts::show(inner, purpose);
            let shown = acts::change(inner, person, purpose, &show, Channel::Page, when);
            // Refused where it is on already: then giving renews it.
            let _ = shown.await;
            changed(inner, person, purpose, "give", seconds).await
        }
        (Some("withdraw"), Some(purpose)) => {
            changed(inner, person, purpose, "withdraw", seconds).await
        }
        _ => "Nothing was changed.".to_owned(),
    }
}

async fn changed(
    inner: &Inner,
    person: &Person,
    purpose: Purpose,
    change: &str,
    seconds: i64,
) -> String {
    let Some(change) = me::named(inner, purpose, change) else {
        return String::new();
    };
    let when = (seconds, false);
    match acts::change(inner, person, purpose, &change, Channel::Page, when).await {
        Ok(done) => format!(
            "Done. Entry {} of the log.",
            done.head.map_or(0, |head| head.seq)
        ),
        Err(acts::NotDone::Refused(why)) => format!("Nothing was changed: {why}."),
        Err(acts::NotDone::Failed) => {
            "The log cannot be written now; nothing was changed.".to_owned()
        }
    }
}

fn body(inner: &Inner, person: &Person, key: &str, said: &str, seconds: i64) -> String {
    let summary = me::summary(inner, person, seconds);
    let form = |action: &str, purpose: &str, label: &str| {
        format!(
            "<form method=\"post\" action=\"/driftlead/page\"><input type=\"hidden\" name=\"key\" \
             value=\"{}\"><input type=\"hidden\" name=\"do\" value=\"{action}\"><input type=\"hidden\" \
             name=\"purpose\" value=\"{purpose}\"><button>{label}</button></form>",
            escape(key)
        )
    };
    let rows = |list: &Value, cells: &[&str]| -> String {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .map(|row| {
                let cells: String = cells
                    .iter()
                    .map(|cell| format!("<td>{}</td>", escape(&text(&row[*cell]))))
                    .collect();
                format!("<tr>{cells}</tr>")
            })
            .collect()
    };
    let consents: String = Purpose::ALL
        .into_iter()
        .map(|purpose| {
            let on = person.live().kept.consents.allows(purpose, seconds);
            let (state, button) = if on {
                ("on", form("withdraw", purpose.name(), "End it"))
            } else {
                ("off", form("give", purpose.name(), "Switch it on"))
            };
            format!(
                "<tr><td>{}</td><td>{state}</td><td>{}</td><td>{button}</td></tr>",
                purpose.name(),
                escape(&words::notice(purpose, inner.keeps_words()))
            )
        })
        .collect();
    format!(
        "<h1>What this gateway keeps of you</h1><p role=\"status\">{}</p><p>Policy in force: {}. \
         Conversations of which counts are kept: {}. Lines against leaving that were left out of replies: \
         {}.</p><h2>What you allow</h2><table><tr><th>For what\
         <th>State<th>Notice<th></tr>{consents}</table><p>{}</p><h2>Your course</h2><table><tr><th>Counted\
         <th>Conversations<th>With such a line<th>Verdict</tr>{}</table><h2>Counts</h2><table><tr><th>\
         Series<th>Conversations<th>Counted<th>Of</tr>{}</table><h2>Something landed wrong</h2><form \
         method=\"post\" action=\"/driftlead/page\"><input type=\"hidden\" name=\"key\" value=\"{}\"><input \
         type=\"hidden\" name=\"do\" value=\"repair\"><label>What to do instead (may stay empty) <input \
         name=\"words\" maxlength=\"500\"></label> <label><input type=\"checkbox\" name=\"always\">in other \
         conversations too</label> <button>Say so</button></form><h2>Erase</h2><p>Destroys the key to \
         everything kept of you. It cannot be undone.</p>{}<p>{}</p>",
        escape(said),
        escape(&text(&summary["policy"])),
        escape(&text(&summary["conversations_kept"])),
        escape(&text(&summary["lines_left_out"])),
        form("stop", "", "End all"),
        rows(
            &summary["course"],
            &["counted", "conversations", "with", "verdict"]
        ),
        rows(
            &summary["counts"],
            &["series", "conversations", "counted", "of"]
        ),
        escape(key),
        form("erase", "", "Erase everything"),
        escape(NOT_KNOWN),
    )
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A field of a form or query.
fn field(sent: &str, name: &str) -> Option<String> {
    sent.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| decoded(value))
    })
}

fn decoded(value: &str) -> String {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'+', _, _) => out.push(b' '),
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn html(status: StatusCode, body: &str) -> LocalReply {
    LocalReply {
        status,
        content_type: "text/html; charset=utf-8",
        body: Bytes::from(format!("{HEAD}<main>{body}</main></html>")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_and_text_is_escaped() {
        let sent = "key=a%20b+c&words=%3Cb%3E%&always";
        assert_eq!(field(sent, "key").as_deref(), Some("a b c"));
        assert_eq!(field(sent, "words").as_deref(), Some("<b>%"));
        assert_eq!(field(sent, "always").as_deref(), Some(""));
        assert_eq!(field(sent, "no"), None);
        assert_eq!(
            escape("<a href=\"x\">&"),
            "&lt;a href=&quot;x&quot;&gt;&amp;"
        );
    }
}
