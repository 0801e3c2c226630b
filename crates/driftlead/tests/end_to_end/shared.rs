//! Two gateways as processes on one PostgreSQL database.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::governed::{Gate, upstream};
use crate::program::Desk;

#[allow(dead_code, reason = "the gateway's own tests use the rest")]
#[path = "../../../gate/tests/postgres/mod.rs"]
mod server;

use server::{PASSWORD, Server};

const VARIABLE: &str = "GATE_DATABASE_URL";
const NAME: &str = "canary-77aa-name";

/// A gateway with its own folder.
fn command(desk: &Desk, name: &str, address: &str) -> Command {
    let config = format!(
        "listen = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n[[upstream]]\nurl = \"{}\"\n[policy]\nfrom = \
         \"monitored\"\n[govern]\ndata = \"{name}\"\ndatabase_url_env = \"{VARIABLE}\"\nrecord = true\n",
        upstream()
    );
    let file = format!("{name}.toml");
    desk.put(&file, config);
    let mut command = desk.command(&["gate", "--config", &file]);
    command.env(VARIABLE, address);
    command
}

/// Head and body of a reply; nothing once the gateway is gone.
fn ask(to: SocketAddr, path: &str, who: &str, body: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(to).ok()?;
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-driftlead-subject: {NAME}-{who}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    let (head, body) = reply.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

fn says(to: SocketAddr, who: &str, text: &str) -> (String, String) {
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}]}}"#);
    ask(to, "/v1/chat/completions", who, &body).unwrap()
}

/// The consent in the chat: a notice, a code, the code back.
fn opts_in(to: SocketAddr, who: &str) {
    let (_, told) = says(to, who, "/driftlead relational");
    let code = told.rsplit("/driftlead relational ").next().unwrap();
    let code: String = code
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let (_, given) = says(to, who, &format!("/driftlead relational {code}"));
    assert!(given.contains("The warmer way of talking is on"), "{given}");
}

fn is_warm(to: SocketAddr, who: &str) -> bool {
    says(to, who, "canary-77aa-words").0.contains("warmth.warm")
}

#[test]
fn two_gateways_know_the_same_of_a_person_and_one_may_be_killed() {
    let Some(server) = Server::start() else {
        return;
    };
    let desk = Desk::new();
    let mut a = Gate::start(command(&desk, "a", &server.address()));
    let b = Gate::start(command(&desk, "b", &server.address()));
    let (at_a, at_b) = (a.address, b.address);

    opts_in(at_a, "one");
    let (_, status) = says(at_b, "one", "/driftlead status");
    assert!(status.contains("warmer way of talking: on"), "{status}");
    assert!(is_warm(at_b, "one") && is_warm(at_a, "one"));
    says(at_b, "one", "/driftlead stop");
    assert!(!is_warm(at_a, "one") && !is_warm(at_b, "one"));

    let key = server.ask("SELECT encode(key, 'hex') FROM driftlead_person");
    assert_eq!(key.len(), 64, "{key}");
    let (_, done) = ask(at_a, "/driftlead/me/erase", "one", "{}").unwrap();
    assert!(done.contains("\"erased\":true"), "{done}");
    assert!(!server.tables().contains(&key));
    let (_, status) = says(at_b, "one", "/driftlead status");
    assert!(status.contains("talking: off (not asked for)"), "{status}");

    // A is killed while it works; B goes on with what A had answered.
    opts_in(at_a, "two");
    let load = std::thread::spawn(move || {
        let mut answered = 0;
        while ask(at_a, "/driftlead/me/repair", "three", "{}").is_some() {
            answered += 1;
        }
        answered
    });
    std::thread::sleep(Duration::from_millis(400));
    a.child.kill().unwrap();
    a.child.wait().unwrap();
    let answered: u64 = load.join().unwrap();
    assert!(answered > 0 && is_warm(at_b, "two"));
    let (_, me) = ask(at_b, "/driftlead/me", "three", "").unwrap();
    let me: serde_json::Value = serde_json::from_str(&me).unwrap();
    let kept = me["outcomes_of_repairs"]["repairs"].as_u64().unwrap();
    assert!(
        (answered..=answered + 1).contains(&kept),
        "{answered} were answered, {kept} are kept"
    );
    let a = Gate::start(command(&desk, "a", &server.address()));
    says(b.address, "two", "/driftlead stop");
    assert!(!is_warm(a.address, "two"));
    // Both do away with the note of the erased person.
    let end = Instant::now() + Duration::from_secs(120);
    while server.ask("SELECT count(*) FROM driftlead_erasure") != "0" {
        assert!(Instant::now() < end, "a note stays");
        std::thread::sleep(Duration::from_millis(200));
    }
    for gate in [a, b] {
        let (code, said) = gate.stop();
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
    for name in ["a", "b"] {
        let run = desk.run(&["verify", name]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    assert!(!server.tables().contains("canary") && !server.log().contains("canary"));
    for (name, content) in desk.everything() {
        assert!(!content.windows(6).any(|part| part == b"canary"), "{name}");
    }
}

#[test]
fn a_database_that_cannot_be_used_is_said_so_without_its_password() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let desk = Desk::new();
    let wrong = server.address().replace(PASSWORD, "canary-77aa-wrong");
    let nobody = format!("host=127.0.0.1 port=1 user=u password={PASSWORD}");
    for (address, why) in [
        (wrong.as_str(), "28P01"),
        (nobody.as_str(), "connection refused"),
        (
            "postgres://u:canary-77aa@h/x?sslrootcert=/x",
            "govern.database_ca names",
        ),
        ("canary-77aa", "cannot be read"),
    ] {
        let run = command(&desk, "a", address).output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains(why) && !said.contains("canary"), "{said}");
    }
    // A server without TLS, as if it were on another machine, and authorities that are not there.
    server.listen(None);
    let elsewhere = server.address_at("host=db.example hostaddr=127.0.0.1");
    let authorities = "database_ca = \"gone.pem\"\n";
    for (more, why) in [
        ("", "the server offers none"),
        (authorities, "govern.database_ca: gone.pem"),
    ] {
        let mut gate = command(&desk, "a", &elsewhere);
        desk.put("a.toml", desk.read("a.toml") + more);
        let run = gate.output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains(why) && !said.contains("canary"), "{said}");
    }
    let run = command(&desk, "a", "")
        .env_remove(VARIABLE)
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(
        said.contains(VARIABLE) && said.contains("not set"),
        "{said}"
    );
}
