//! The governing gateway as a process: killed under load, stopped, out of disk, and its log verified.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::program::Desk;

const SECRET: &str = "canary-77aa-key";
const WORDS: &str = "canary-77aa-words";
const NAME: &str = "canary-77aa-name";
const ANSWER: &str =
    r#"{"choices":[{"index":0,"message":{"content":"canary-77aa-reply"},"finish_reason":"stop"}]}"#;

/// A model server that answers everything in the same way, until the test ends.
pub(crate) fn upstream() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
            ANSWER.len()
        );
        if stream.write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

pub(crate) struct Gate {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    said: BufReader<std::process::ChildStderr>,
}

impl Gate {
    pub(crate) fn start(mut command: Command) -> Gate {
        let mut child = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        said.read_line(&mut first).unwrap();
        let address = first
            .split("http://")
            .nth(1)
            .unwrap_or_else(|| panic!("{first}"));
        let address = address.split('/').next().unwrap().parse().unwrap();
        Gate {
            child,
            address,
            said,
        }
    }

    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        (code, rest)
    }
}

const ANY: &str = "127.0.0.1:0";

fn arguments(upstream: &str) -> Vec<&str> {
    let mut all = vec![
        "gate",
        "--upstream",
        upstream,
        "--listen",
        ANY,
        "--admin",
        ANY,
    ];
    all.extend(["--policy", "monitored", "--data", "gate"]);
    all
}

/// One exchange on an open connection: the head of the reply, `None` once the gateway is gone.
fn exchange(stream: &mut TcpStream, who: &str) -> Option<String> {
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{WORDS} {who}"}}]}}"#);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\n\
         x-driftlead-subject: {NAME}-{who}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(head)
}

fn entry(head: &str) -> Option<u64> {
    head.lines()
        .find_map(|line| line.strip_prefix("x-driftlead-entry: "))
        .and_then(|value| value.trim().parse().ok())
}

/// Eight clients ask until the gateway is gone; the highest entry that any of them was told of.
fn load(address: SocketAddr, told: &Arc<AtomicU64>) -> Vec<std::thread::JoinHandle<()>> {
    (0..8)
        .map(|client| {
            let told = Arc::clone(told);
            std::thread::spawn(move || {
                let Ok(mut stream) = TcpStream::connect(address) else {
                    return;
                };
                for turn in 0.. {
                    let who = format!("{client}-{}", turn % 50);
                    let Some(head) = exchange(&mut stream, &who) else {
                        return;
                    };
                    if let Some(entry) = entry(&head) {
                        told.fetch_max(entry, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect()
}

/// How the gateway is ended under load.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Kill,
    Terminate,
}

/// Starts a gateway, loads it, ends it; the highest entry that a client was told of, the whole entries of
/// the log, and the time from the last of them to the end, ms. Reading must not mend the file: that is the
/// next start's work.
fn ended_under_load(desk: &Desk, upstream: &str, before: u64, round: u64, end: End) -> [u64; 3] {
    let mut gate = Gate::start(desk.command(&arguments(upstream)));
    let told = Arc::new(AtomicU64::new(0));
    let clients = load(gate.address, &told);
    // Until the load is under way, and then a little longer each time.
    for _ in 0..3000 {
        if told.load(Ordering::SeqCst) >= before + 40 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::thread::sleep(std::time::Duration::from_millis(7 * (round % 10)));
    let at = std::time::SystemTime::now();
    match end {
        End::Kill => {
            gate.child.kill().unwrap();
            gate.child.wait().unwrap();
        }
        End::Terminate => assert_eq!(gate.stop().0, Some(0), "round {round}"),
    }
    for client in clients {
        client.join().unwrap();
    }
    let log = std::fs::read_to_string(desk.path("gate/audit.log")).unwrap();
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    let last: serde_json::Value = serde_json::from_str(whole.lines().last().unwrap()).unwrap();
    let at = at
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_micros() as u64;
    let gap = at.saturating_sub(last["time"].as_u64().unwrap()) / 1000;
    if end == End::Terminate {
        assert_eq!(last["kind"], "stop", "round {round}");
    }
    [
        told.load(Ordering::SeqCst),
        whole.lines().count() as u64 - 1,
        gap,
    ]
}

/// An act is in the log before it is done: whatever a client has seen done survives a kill, and the log
/// is never left in a state that the next start cannot mend. The times from the last entry to the kill.
fn killed_under_load(rounds: u64) -> Vec<u64> {
    let desk = Desk::new();
    let upstream = upstream();
    let (mut before, mut gaps) = (0, Vec::new());
    for round in 0..rounds {
        let [told, whole, gap] = ended_under_load(&desk, &upstream, before, round, End::Kill);
        assert!(told > before, "round {round}: nothing was done");
        assert!(
            whole >= told,
            "round {round}: {whole} entries, {told} were seen"
        );
        gaps.push(gap);
        before = told;
    }
    let gate = Gate::start(desk.command(&arguments(&upstream)));
    let (code, _) = gate.stop();
    assert_eq!(code, Some(0));
    let run = desk.run(&["verify", "gate"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("the chain holds") && run.stdout.contains("stop: 1\n"));
    gaps
}

#[test]
fn a_kill_under_load_loses_no_act_that_anybody_saw() {
    killed_under_load(5);
}

/// `cargo test -p driftlead --test end_to_end -- --ignored --nocapture two_hundred_kills`: the goal of 0 acts
/// told and not logged holds in each round; of the time since the last entry, half the rounds stay within
/// the 50 ms of the goal, which includes what the machine made the gateway wait.
#[test]
#[ignore = "minutes long"]
fn two_hundred_kills() {
    let mut gaps = killed_under_load(200);
    gaps.sort_unstable();
    let at = |share: usize| gaps[(gaps.len() - 1) * share / 100];
    println!(
        "200 kills: 0 acts told and not logged; from the last entry to the kill, ms: median {}, 95 % {}, \
         most {}",
        at(50),
        at(95),
        at(100)
    );
    assert!(at(50) <= 50, "{gaps:?}");
    let desk = Desk::new();
    let upstream = upstream();
    let mut before = 0;
    for round in 0..20 {
        let [told, whole, _] = ended_under_load(&desk, &upstream, before, round, End::Terminate);
        assert!(told > before && whole > told, "round {round}");
        before = told;
    }
    let run = desk.run(&["verify", "gate"]);
    assert!(run.stdout.contains("stop: 20\n"), "{}", run.stdout);
    println!("20 stops under load: every act told is logged, and the log ends with the stop");
}

/// T30, T31, T33, T35: nothing of a person, and no key, in anything that is written or said.
#[test]
fn no_canary_in_logs_store_or_output_and_verify_finds_one_changed_byte() {
    let desk = Desk::new();
    let upstream = upstream();
    let gate = Gate::start(desk.command(&arguments(&upstream)));
    let mut stream = TcpStream::connect(gate.address).unwrap();
    for who in ["a", "b"] {
        let head = exchange(&mut stream, who).unwrap();
        assert!(
            head.contains("x-driftlead-acts: truth, disclosure"),
            "{head}"
        );
    }
    drop(stream);
    let (code, said) = gate.stop();
    assert_eq!(code, Some(0));
    assert!(!said.contains("canary"), "{said}");
    for name in ["audit.log", "gate.db", "gate.db-wal", "gate.db-shm"] {
        let Ok(bytes) = std::fs::read(desk.path("gate").join(name)) else {
            continue;
        };
        assert!(!bytes.windows(6).any(|part| part == b"canary"), "{name}");
    }
    let path = desk.path("gate/audit.log");
    let whole = std::fs::read(&path).unwrap();
    let run = desk.run(&["verify", "gate/audit.log", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &json["holds"]), (0, &true.into()));
    assert_eq!(json["log"]["kinds"]["act"], 2);
    let lines = whole.iter().filter(|b| **b == b'\n').count();
    for place in [0, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[place] ^= 4;
        std::fs::write(&path, &changed).unwrap();
        let run = desk.run(&["verify", "gate/audit.log"]);
        assert_eq!(run.code, 2, "byte {place} of {lines} lines");
        assert!(run.stderr.contains("audit.log"), "{}", run.stderr);
    }
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let run = desk.run(&["verify", "gate"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("no whole entry"), "{}", run.stderr);
    let run = desk.run(&["verify", "nothing-here"]);
    assert_eq!(run.code, 2);
}

/// Out of disk: traffic goes on ungoverned and says so, or is refused, as configured.
#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_stops_the_acts_and_not_the_traffic() {
    for (key, status, mark) in [("forward", "200", true), ("refuse", "503", true)] {
        let desk = Desk::new();
        let config = format!(
            "listen = \"{ANY}\"\nadmin = \"{ANY}\"\n[[upstream]]\nurl = \"{}\"\n[policy]\nfrom = \
             \"monitored\"\n[govern]\ndata = \"gate\"\nwithout_log = \"{key}\"\n",
            upstream()
        );
        desk.put("gate.toml", config);
        // Files may grow to 64 KiB, and the signal that would end the process is ignored.
        let mut command = Command::new("bash");
        command
            .args([
                "-c",
                "trap '' XFSZ; ulimit -f 64; exec \"$0\" gate --config gate.toml",
            ])
            .arg(env!("CARGO_BIN_EXE_driftlead"))
            .current_dir(desk.path("."));
        let gate = Gate::start(command);
        let mut stream = TcpStream::connect(gate.address).unwrap();
        let mut last = String::new();
        for _ in 0..400 {
            last = exchange(&mut stream, "one").unwrap();
            if !last.contains("x-driftlead-acts") {
                break;
            }
        }
        assert!(last.starts_with(&format!("HTTP/1.1 {status}")), "{last}");
        assert_eq!(last.contains("x-driftlead-ungoverned: log"), mark, "{last}");
        drop(stream);
        gate.stop();
        // The log is whole up to where it stopped.
        let run = desk.run(&["verify", "gate"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
}

#[test]
fn a_policy_is_checked_with_its_line() {
    let desk = Desk::new();
    desk.put(
        "policy.toml",
        "from = \"monitored\"\n[questions]\nper_replies = 1.0\n",
    );
    let check = |policy: &str| {
        desk.run(&[
            "gate",
            "--upstream",
            "http://h",
            "--check",
            "--policy",
            policy,
        ])
    };
    let run = check("policy.toml");
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("policy.toml: line 3, column 1"),
        "{}",
        run.stderr
    );
    let run = check("mild");
    assert_eq!(run.code, 2);
    assert!(
        run.stderr
            .contains("transparent, damped, ordinary, monitored"),
        "{}",
        run.stderr
    );
    let run = check("damped");
    assert_eq!(
        (run.code, run.stderr.contains("policy: damped-")),
        (0, true),
        "{}",
        run.stderr
    );
    assert!(desk.names() == ["policy.toml"], "checking makes nothing");
}
