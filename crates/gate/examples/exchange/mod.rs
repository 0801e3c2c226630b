//! One request at a time over a socket, and a model server that always answers the same.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// A history of short turns that ends with the person's.
pub(crate) fn body(bytes: usize) -> String {
    let turn = "It rained all day and we stayed in and talked about the garden for a while.";
    let pairs = bytes / 240;
    let mut turns: Vec<String> = (0..pairs)
        .flat_map(|_| ["user", "assistant"])
        .map(|role| format!(r#"{{"role":"{role}","content":"{turn}"}}"#))
        .collect();
    turns.push(format!(r#"{{"role":"user","content":"{turn} 000000"}}"#));
    format!(r#"{{"model":"m","messages":[{}]}}"#, turns.join(","))
}

pub(crate) fn connect(target: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(target).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// One request of a person, and the body of the reply. `000000` in its body is another number every time: the
/// same newest turn again would be taken for a regeneration.
pub(crate) fn ask(stream: &mut TcpStream, path: &str, who: &str, body: &str) -> Vec<u8> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed) % 1_000_000;
    let body = body.replacen("000000", &format!("{number:06}"), 1);
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nx-driftlead-subject: {who}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    read(&mut BufReader::new(stream)).unwrap()
}

/// One message with a length: its body, `None` at the end of the connection.
fn read(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// A model server that answers everything in the same way.
pub(crate) fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || {
                let text = "It sounds like a good day. What did you plant? ".repeat(4);
                let json = format!(
                    r#"{{"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}]}}"#
                );
                let reply = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
                    json.len()
                );
                let mut reader = BufReader::new(&stream);
                while read(&mut reader).is_some() {
                    if (&stream).write_all(reply.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}
