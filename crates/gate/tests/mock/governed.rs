//! A gateway with a policy, what people say to it, and its log.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use driftlead_gate::audit::{Kind, Verified, verify};
use driftlead_gate::config::Config;
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use serde_json::{Value, json};

use super::serve::{Served, serve};
use super::{Mock, Reply, ask};

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const DIALECTS: [&str; 3] = [CHAT, "/v1/messages", "/v1/responses"];
pub(crate) const REPLY: &str =
    r#"{ "odd":1.50,"choices":[{"index":0,"message":{"content":"Fine."},"finish_reason":"stop"}]}"#;

pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) served: Served,
}

impl Gate {
    pub(crate) async fn start(mock: &Mock, folder: &Path, policy: &Policy) -> Gate {
        let govern = Govern {
            data: folder.to_owned(),
            page_address: Some("http://gate.example".to_owned()),
            ..Govern::default()
        };
        Gate::with(mock, &govern, policy).await
    }

    pub(crate) async fn with(mock: &Mock, govern: &Govern, policy: &Policy) -> Gate {
        let config = Config::for_upstream(format!("http://{}", mock.address));
        let governance = Governance::open(govern, policy).unwrap();
        let served = serve(config, Arc::new(governance)).await;
        Gate {
            address: served.address,
            admin: served.admin,
            served,
        }
    }

    pub(crate) async fn says(&self, who: &str, text: &str) -> Reply {
        self.talk(who, CHAT, &[("user", text)], false, "").await
    }

    pub(crate) async fn talk(
        &self,
        who: &str,
        path: &str,
        turns: &[(&str, &str)],
        stream: bool,
        headers: &str,
    ) -> Reply {
        let turns: Vec<Value> = turns
            .iter()
            .map(|(role, text)| json!({ "role": role, "content": text }))
            .collect();
        let key = if path.ends_with("responses") {
            "input"
        } else {
            "messages"
        };
        let mut body = json!({ "model": "m", "stream": stream });
        body[key] = turns.into();
        let headers = format!("x-driftlead-subject: {who}\r\n{headers}");
        ask(self.address, path, &headers, &body.to_string()).await
    }

    pub(crate) async fn me(&self, who: &str, path: &str, body: &str) -> Reply {
        let headers = format!("x-driftlead-subject: {who}\r\n");
        let path = format!("/driftlead/me{path}");
        ask(self.address, &path, &headers, body).await
    }

    /// Ends in order.
    pub(crate) async fn stop(self) {
        self.served.end().await;
    }
}

pub(crate) fn at(point: Point) -> Policy {
    Policy::at(point)
}

/// The text that a reply of the gateway's own says, in any dialect.
pub(crate) fn said(path: &str, reply: &Reply, stream: bool) -> String {
    let text = String::from_utf8(reply.body.clone()).unwrap();
    if !stream {
        let json: Value = serde_json::from_str(&text).unwrap();
        assert!(json["usage"].is_object(), "clients read it: {text}");
        let places = [
            "/choices/0/message/content",
            "/content/0/text",
            "/output/0/content/0/text",
        ];
        let found = places
            .iter()
            .find_map(|place| json.pointer(place)?.as_str());
        assert!(found.is_some(), "{path}: {text}");
        return found.unwrap_or_default().to_owned();
    }
    text.split("\n\n")
        .filter_map(|event| {
            let data = event.lines().find_map(|line| line.strip_prefix("data: "))?;
            let json: Value = serde_json::from_str(data).ok()?;
            let places = ["/choices/0/delta/content", "/delta/text", "/delta"];
            places
                .iter()
                .find_map(|place| json.pointer(place)?.as_str().map(str::to_owned))
        })
        .collect()
}

pub(crate) fn on_disk(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return on_disk(&path, needle);
        }
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(needle.len()).any(|part| part == needle)
    })
}

pub(crate) fn log(folder: &Path) -> Verified {
    verify(&folder.join("audit.log")).unwrap()
}

pub(crate) fn count(of: &Verified, kind: Kind) -> u64 {
    of.kinds.get(&kind).copied().unwrap_or(0)
}
