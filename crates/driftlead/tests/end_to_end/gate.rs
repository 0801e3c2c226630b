//! The gateway as a process: between a client and a server that both are plain sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use crate::program::Desk;

/// A stream with what proxies like to change: CRLF, a comment, a named event, an unknown field.
const EVENTS: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"zz\":1.50}\r\n\r\n\
                      : note\n\nevent: x\ndata: {}\n\ndata: [DONE]\n\n";
const SECRET: &str = "canary-5f1e-key";
const WORDS: &str = "canary-5f1e-words";

/// Reads one request: its head, and as many bytes of body as it announces.
fn request(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn bytes_pass_unchanged_and_nothing_of_them_is_printed() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", upstream.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = upstream.accept().unwrap();
        let seen = request(&stream);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n",
            EVENTS.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(EVENTS.as_bytes()).unwrap();
        seen
    });

    let desk = Desk::new();
    let any = "127.0.0.1:0";
    let mut gate = desk
        .command(&[
            "gate",
            "--upstream",
            &address,
            "--listen",
            any,
            "--admin",
            any,
        ])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(gate.stderr.take().unwrap());
    let mut first = String::new();
    said.read_line(&mut first).unwrap();
    let listen = first
        .split("http://")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();

    let body = format!(
        "{{ \"model\":\"m\", \"stream\":true,\"zz\":1.50,\"messages\":[{{\"role\":\"user\",\"content\":\"{WORDS}\"}}]}}"
    );
    let mut client = TcpStream::connect(listen).unwrap();
    write!(
        client,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).unwrap();
    let (head, forwarded) = server.join().unwrap();
    assert_eq!(forwarded, body.as_bytes());
    assert!(head.contains(SECRET), "{head}");
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(reply.ends_with(&format!("\r\n\r\n{EVENTS}")), "{reply}");

    #[cfg(unix)]
    {
        let mut stop = std::process::Command::new("kill");
        assert!(stop.arg(gate.id().to_string()).status().unwrap().success());
        assert_eq!(gate.wait().unwrap().code(), Some(0));
    }
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let mut printed = String::new();
    gate.stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    for canary in [SECRET, WORDS] {
        assert!(!format!("{first}{rest}{printed}").contains(canary));
        assert!(desk.everything().iter().all(|(_, content)| {
            !content
                .windows(canary.len())
                .any(|part| part == canary.as_bytes())
        }));
    }
}

#[test]
fn a_wrong_configuration_is_2_with_its_line() {
    let desk = Desk::new();
    desk.put("gate.toml", "listen = \"127.0.0.1:1\"\nlisen = 2\n");
    let run = desk.run(&["gate", "--config", "gate.toml", "--check"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("gate.toml: line 2"), "{}", run.stderr);
}
