//! The gateway under a mixed load for a bounded time: no file handle and no memory stays behind.
//!
//! `SOAK_SECONDS=600 cargo test -p driftlead --test end_to_end -- --ignored --nocapture soak`

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::program::Desk;

const CLIENTS: u64 = 8;
/// People and their conversations come again: what is kept of a conversation under way is kept for 30
/// minutes, so new ones without end would be seen as memory.
const PEOPLE: u64 = 200;
const FRAME: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"so it goes \"}}]}\n\n";
const FRAMES: usize = 20;

/// What is asked for, in turn.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Stream,
    /// The client leaves after the first bytes.
    Left,
    /// The server breaks off.
    Broken,
    Json,
    Command,
}

const KINDS: [Kind; 5] = [
    Kind::Stream,
    Kind::Left,
    Kind::Broken,
    Kind::Json,
    Kind::Command,
];

fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    address
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let Some((head, _)) = message(&mut reader)? else {
            return Ok(());
        };
        if head.contains("x-how: json") {
            let body = r#"{"choices":[{"index":0,"message":{"content":"so it goes"},"finish_reason":"stop"}]}"#;
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            )?;
            continue;
        }
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )?;
        for frame in 0..FRAMES {
            if frame == 7 && head.contains("x-how: broken") {
                return Ok(());
            }
            write!(stream, "{:x}\r\n{FRAME}\r\n", FRAME.len())?;
            std::thread::sleep(Duration::from_millis(2));
        }
        write!(stream, "0\r\n\r\n")?;
    }
}

/// Head and body of a message with a length.
fn message(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if line.trim().is_empty() {
            break;
        }
        line.make_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((head, body)))
}

/// One exchange on a connection of its own; what is wrong with it.
fn exchange(gate: SocketAddr, number: u64) -> Result<(), String> {
    let kind = KINDS[(number % KINDS.len() as u64) as usize];
    let failed = |error: std::io::Error| format!("{error}");
    let mut stream = TcpStream::connect(gate).map_err(failed)?;
    let (how, words, streams) = match kind {
        Kind::Json => ("json", "And then?", false),
        Kind::Broken => ("broken", "And then?", true),
        Kind::Command => ("json", "/driftlead status", false),
        Kind::Stream | Kind::Left => ("well", "And then?", true),
    };
    let who = number % PEOPLE;
    let body =
        format!(r#"{{"stream":{streams},"messages":[{{"role":"user","content":"{words}"}}]}}"#);
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-how: {how}\r\n\
         x-driftlead-subject: {who}\r\nx-driftlead-session: {who}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .map_err(failed)?;
    if kind == Kind::Left {
        let _ = stream.read(&mut [0; 64]).map_err(failed)?;
        return Ok(());
    }
    let mut reply = Vec::new();
    // A reply that broke off may end in a reset.
    let _ = stream.read_to_end(&mut reply);
    let reply = String::from_utf8_lossy(&reply);
    let frames = reply.matches("so it goes").count();
    let right = match kind {
        Kind::Stream => frames == FRAMES && reply.ends_with("0\r\n\r\n"),
        Kind::Broken => frames <= 7 && !reply.ends_with("0\r\n\r\n"),
        Kind::Json => frames == 1,
        Kind::Command => reply.contains("Policy in force"),
        Kind::Left => true,
    };
    if right {
        Ok(())
    } else {
        Err(format!("exchange {number}: {frames} frames"))
    }
}

/// Resident KiB and open file handles.
fn size(child: &Child) -> (u64, usize) {
    let place = format!("/proc/{}", child.id());
    let status = std::fs::read_to_string(format!("{place}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .unwrap();
    let kib = line.trim().trim_end_matches(" kB").parse().unwrap();
    (
        kib,
        std::fs::read_dir(format!("{place}/fd")).unwrap().count(),
    )
}

/// CPU time used, in ticks of the kernel.
fn ticks(child: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    // Behind the name, which may hold anything; user and system time are the 12th and 13th of what follows.
    let rest = stat.rsplit(')').next().unwrap();
    let numbers: Vec<u64> = rest
        .split(' ')
        .skip(12)
        .take(2)
        .map(|n| n.parse().unwrap())
        .collect();
    numbers.iter().sum()
}

/// Goal: within 60 s memory is back within 1.5 times of what it was after the first exchanges, and no file handle is left.
#[test]
#[ignore = "ten minutes"]
fn soak() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(600, |given| given.parse().unwrap());
    let desk = Desk::new();
    let server = format!("http://{}", upstream());
    let any = "127.0.0.1:0";
    let mut command = desk.command(&[
        "gate",
        "--upstream",
        &server,
        "--listen",
        any,
        "--admin",
        any,
    ]);
    command.args(["--policy", "monitored", "--data", "gate"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    let address = first
        .split("http://")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let gate: SocketAddr = address.parse().unwrap();
    // The evidence is calibrated first, which is no load of anybody's and takes as long as the machine lets it.
    let (mut used, mut quiet) = (0, 0);
    while quiet < 5 {
        std::thread::sleep(Duration::from_secs(1));
        let now = ticks(&child);
        quiet = if now <= used + 1 { quiet + 1 } else { 0 };
        used = now;
    }
    let fresh = size(&child);
    // The word lists are read at the first conversation, once and for all: they are not what a load leaves behind.
    for number in 0..KINDS.len() as u64 {
        exchange(gate, number).unwrap();
    }
    std::thread::sleep(Duration::from_secs(2));
    let idle = size(&child);
    let over = Arc::new(AtomicBool::new(false));
    let number = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (over, number) = (Arc::clone(&over), Arc::clone(&number));
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    exchange(gate, number.fetch_add(1, Ordering::Relaxed)).unwrap();
                }
            })
        })
        .collect();
    let (mut most, start) = ((0, 0), Instant::now());
    while start.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_secs(1));
        let now = size(&child);
        most = (now.0.max(most.0), now.1.max(most.1));
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    let (end, mut now) = (Instant::now(), size(&child));
    while (2 * now.0 > 3 * idle.0 || now.1 > idle.1) && end.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_secs(1));
        now = size(&child);
    }
    println!(
        "{seconds} s, {} exchanges, none of them wrong; resident KiB: at the start {}, after the first \
         exchanges {}, most {}, {} s after the end {}; file handles: {}, {}, {}",
        number.load(Ordering::Relaxed),
        fresh.0,
        idle.0,
        most.0,
        end.elapsed().as_secs(),
        now.0,
        idle.1,
        most.1,
        now.1
    );
    let id = child.id().to_string();
    std::process::Command::new("kill").arg(id).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(desk.run(&["verify", "gate"]).code, 0);
    assert!(2 * now.0 <= 3 * idle.0, "memory: {idle:?} {now:?}");
    assert!(now.1 <= idle.1, "file handles: {idle:?} {now:?}");
}
