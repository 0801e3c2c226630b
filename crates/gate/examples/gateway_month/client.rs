//! A chat application: one connection to the gateway, one to its admin listener.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// A reply, as far as it is needed here.
pub(crate) struct Reply {
    /// What the gateway did to the request, from `x-driftlead-acts`.
    pub(crate) acts: Vec<String>,
    pub(crate) body: Value,
}

impl Reply {
    /// What the assistant says.
    pub(crate) fn said(&self) -> &str {
        self.body["choices"][0]["message"]["content"]
            .as_str()
            .unwrap_or_default()
    }
}

pub(crate) struct Client {
    gate: BufReader<TcpStream>,
    admin: BufReader<TcpStream>,
    /// Exchanges of conversations so far.
    exchanges: u64,
}

impl Client {
    pub(crate) fn connect(gate: SocketAddr, admin: SocketAddr) -> io::Result<Self> {
        let open = |address| -> io::Result<BufReader<TcpStream>> {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            Ok(BufReader::new(stream))
        };
        Ok(Client {
            gate: open(gate)?,
            admin: open(admin)?,
            exchanges: 0,
        })
    }

    /// One exchange of a conversation. It returns when the gateway is done with it too: what the gateway
    /// counts at the end of a reply must not see the clock of what comes after.
    pub(crate) fn chat(&mut self, who: &str, session: &str, body: &Value) -> io::Result<Reply> {
        let headers = format!("x-driftlead-subject: {who}\r\nx-driftlead-session: {session}\r\n");
        let reply = ask(
            &mut self.gate,
            "POST",
            "/v1/chat/completions",
            &headers,
            &body.to_string(),
        )?;
        self.exchanges += 1;
        while ended(&ask(&mut self.admin, "GET", "/metrics", "", "")?.1) < self.exchanges {
            std::thread::yield_now();
        }
        Ok(Reply {
            acts: reply.0,
            body: serde_json::from_str(&reply.1)?,
        })
    }

    /// A request of the person's own interface.
    pub(crate) fn me(&mut self, who: &str, path: &str, body: Option<&Value>) -> io::Result<Value> {
        let method = if body.is_some() { "POST" } else { "GET" };
        let headers = format!("x-driftlead-subject: {who}\r\n");
        let body = body.map(Value::to_string).unwrap_or_default();
        let path = format!("/driftlead/me{path}");
        Ok(serde_json::from_str(
            &ask(&mut self.gate, method, &path, &headers, &body)?.1,
        )?)
    }
}

/// Exchanges that are over, by the gateway's own count.
fn ended(metrics: &str) -> u64 {
    metrics
        .lines()
        .filter(|line| line.starts_with("driftlead_gate_replies_ended_total"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// The acts and the body of a reply with status 200.
fn ask(
    stream: &mut BufReader<TcpStream>,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<(Vec<String>, String)> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: gate\r\n{headers}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.get_mut().write_all(head.as_bytes())?;
    let (mut status, mut acts, mut length) = (String::new(), Vec::new(), 0);
    stream.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            "x-driftlead-acts" => {
                acts = value.split(',').map(|act| act.trim().to_owned()).collect()
            }
            "x-driftlead-ungoverned" => {
                return Err(io::Error::other(format!("ungoverned:{value}")));
            }
            _ => {}
        }
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    if status.split(' ').nth(1) != Some("200") {
        return Err(io::Error::other(format!(
            "{method} {path}: {}: {text}",
            status.trim()
        )));
    }
    Ok((acts, text))
}
