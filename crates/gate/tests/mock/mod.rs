//! A model server and a client that know sockets and nothing else, so that every byte is seen.

pub(crate) mod dialects;
pub(crate) mod governed;
pub(crate) mod serve;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does after a request, in order.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// One write.
    Send(Vec<u8>),
    /// A pause, ms.
    Pause(u64),
    /// Wait until the other side closes.
    AwaitClose,
    /// Close at once.
    Close,
}

/// One request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Request line and headers, as sent, names in lower case.
    pub(crate) head: String,
    /// The body, chunks joined.
    pub(crate) body: Vec<u8>,
}

/// What the server saw.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) requests: Vec<Seen>,
    pub(crate) closed: Vec<Instant>,
    pub(crate) written: usize,
}

pub(crate) struct Mock {
    pub(crate) address: SocketAddr,
    pub(crate) log: Arc<Mutex<Log>>,
}

type Script = dyn Fn(&Seen) -> Vec<Step> + Send + Sync;

impl Mock {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Mock {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let script: Arc<Script> = Arc::new(script);
        let shared = log.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(converse(stream, script.clone(), shared.clone()));
            }
        });
        Mock { address, log }
    }

    pub(crate) fn last(&self) -> Seen {
        self.log
            .lock()
            .unwrap()
            .requests
            .last()
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn requests(&self) -> usize {
        self.log.lock().unwrap().requests.len()
    }

    /// Waits until a connection was closed from the other side.
    pub(crate) async fn closed_within(&self, bound: Duration) -> bool {
        let start = Instant::now();
        while start.elapsed() < bound {
            if !self.log.lock().unwrap().closed.is_empty() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        false
    }
}

async fn converse(mut stream: TcpStream, script: Arc<Script>, log: Arc<Mutex<Log>>) {
    let mut held = Vec::new();
    while let Some(seen) = request(&mut stream, &mut held).await {
        log.lock().unwrap().requests.push(seen.clone());
        for step in script(&seen) {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        log.lock().unwrap().closed.push(Instant::now());
                        return;
                    }
                    log.lock().unwrap().written += bytes.len();
                }
                Step::Pause(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Step::AwaitClose => {
                    let mut byte = [0; 1];
                    let _ = stream.read(&mut byte).await;
                    log.lock().unwrap().closed.push(Instant::now());
                    return;
                }
                Step::Close => return,
            }
        }
    }
}

async fn request(stream: &mut TcpStream, held: &mut Vec<u8>) -> Option<Seen> {
    let end = fill_until(stream, held, b"\r\n\r\n").await?;
    let head = String::from_utf8(held.drain(..end).collect())
        .unwrap()
        .to_lowercase();
    let mut body = Vec::new();
    if let Some(length) = value(&head, "content-length") {
        let length: usize = length.parse().unwrap();
        while held.len() < length {
            if stream.read_buf(held).await.ok()? == 0 {
                return None;
            }
        }
        body.extend(held.drain(..length));
    } else if value(&head, "transfer-encoding").is_some() {
        loop {
            let end = fill_until(stream, held, b"\r\n").await?;
            let line = String::from_utf8(held.drain(..end).collect()).unwrap();
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            while held.len() < size + 2 {
                if stream.read_buf(held).await.ok()? == 0 {
                    return None;
                }
            }
            body.extend(held.drain(..size));
            held.drain(..2);
            if size == 0 {
                break;
            }
        }
    }
    Some(Seen { head, body })
}

async fn fill_until(stream: &mut TcpStream, held: &mut Vec<u8>, mark: &[u8]) -> Option<usize> {
    loop {
        if let Some(at) = held.windows(mark.len()).position(|w| w == mark) {
            return Some(at + mark.len());
        }
        if stream.read_buf(held).await.ok()? == 0 {
            return None;
        }
    }
}

/// The value of a header in a head in lower case.
pub(crate) fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// A reply with a length.
pub(crate) fn json_reply(status: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![Step::Send(
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: r1\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes(),
    )]
}

/// The head of a stream.
pub(crate) fn stream_head() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec(),
    )
}

/// One chunk.
pub(crate) fn chunk(bytes: &[u8]) -> Step {
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    Step::Send(out)
}

/// The proper end of a chunked body.
pub(crate) fn last_chunk() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

/// What the client got.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Sizes of the chunks.
    pub(crate) chunks: Vec<usize>,
    /// Whether the body came to its proper end.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap_or("0").parse().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends a request, closes nothing, hands the connection out.
pub(crate) async fn open(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    stream
        .write_all(&[head.as_bytes(), body].concat())
        .await
        .unwrap();
    stream
}

/// Reads a whole reply.
pub(crate) async fn receive(mut stream: TcpStream) -> Reply {
    let mut held = Vec::new();
    let mut reply = Reply::default();
    let Some(end) = fill_until(&mut stream, &mut held, b"\r\n\r\n").await else {
        return reply;
    };
    reply.head = String::from_utf8(held.drain(..end).collect())
        .unwrap()
        .to_lowercase();
    // An abort can come as a reset.
    while matches!(stream.read_buf(&mut held).await, Ok(n) if n > 0) {}
    if let Some(length) = value(&reply.head, "content-length") {
        reply.whole = held.len() == length.parse::<usize>().unwrap();
        reply.body = held;
        return reply;
    }
    let mut rest = held.as_slice();
    while let Some(at) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..at]).unwrap(), 16).unwrap();
        if rest.len() < at + 4 + size {
            break;
        }
        reply.body.extend_from_slice(&rest[at + 2..at + 2 + size]);
        rest = &rest[at + 4 + size..];
        if size == 0 {
            reply.whole = true;
            break;
        }
        reply.chunks.push(size);
    }
    reply
}

/// A whole exchange.
pub(crate) async fn ask(address: SocketAddr, path: &str, headers: &str, body: &str) -> Reply {
    let method = if body.is_empty() { "GET" } else { "POST" };
    receive(open(address, method, path, headers, body.as_bytes()).await).await
}
