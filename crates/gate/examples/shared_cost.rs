//! What a database that several gateways share costs one governed request: the same gateway on a file, and
//! on PostgreSQL over a socket, loopback and TLS, in interleaved rounds of one run.
//! `cargo run --release -p driftlead-gate --features postgres --example shared_cost [ROUNDS]`
//!
//! It starts a PostgreSQL server of its own, as the tests do, which does not wait for its disk; that
//! server, the gateways, the model server and the client share the machine. What is a network apart from it
//! costs its round trip on top, once per question. Each gateway has a person of its own, who consented to
//! everything. The questions are counted in the server's log, which is off while time is taken.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement at a terminal"
)]

mod exchange;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/postgres/mod.rs"]
mod server;

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use driftlead_gate::config::Config;
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use driftlead_gate::store::Store;
use exchange::{CHAT, ask, body, connect, median, upstream};
use server::Server;
use server::authority::Authority;

const REQUESTS: usize = 400;
const NAMES: [&str; 4] = ["SQLite", "socket", "loopback", "loopback, TLS"];

fn main() {
    let rounds = std::env::args().nth(1).map_or(15, |n| n.parse().unwrap());
    let Some(mut server) = Server::start() else {
        return;
    };
    let authority = Authority::new();
    server.listen(Some(&authority.certify("IP:127.0.0.1")));
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let upstream = upstream();
    let gate = |name: &str, store: Store| -> TcpStream {
        let data = folder.path().join(name);
        let address = runtime.block_on(start(upstream, &data, store));
        let mut stream = connect(address);
        for purpose in ["keep_state", "relational_mode", "randomised_pauses"] {
            for change in ["show", "give"] {
                let body = format!(r#"{{"purpose":"{purpose}","change":"{change}"}}"#);
                ask(&mut stream, "/driftlead/me/consent", name, &body);
            }
        }
        stream
    };
    let database =
        |way: &str, ca: Option<&Path>| Store::connect(&server.address_at(way).into(), ca).unwrap();
    let socket = server.address().replace(" port=", " sslmode=disable port=");
    let socket = || Store::connect(&socket.clone().into(), None).unwrap();

    let mut stream = gate("counted", socket());
    for (name, who) in [
        ("one conversation", "counted\r\nx-driftlead-session: one"),
        ("a conversation each", "counted"),
    ] {
        let before = questions(&server);
        for _ in 0..REQUESTS {
            ask(&mut stream, CHAT, who, &body(2_000));
        }
        let per_request = (questions(&server) - before) as f64 / REQUESTS as f64;
        println!("questions to the database per request, {name}: {per_request:.3}");
    }
    // It holds for connections that are made from now on.
    server.ask("ALTER ROLE gate SET log_statement = 'none'");
    let file = Store::open(&folder.path().join("gate.db")).unwrap();
    let ca = authority.file();
    let mut streams = [
        gate(NAMES[0], file),
        gate(NAMES[1], socket()),
        gate(NAMES[2], database("host=127.0.0.1", None)),
        gate(NAMES[3], database("host=127.0.0.1", Some(&ca))),
    ];
    let ways = server.ask(
        "SELECT string_agg(coalesce(host(client_addr), 'socket') || ' ' || coalesce(version, 'plain'), ', ' \
         ORDER BY backend_start) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
         WHERE application_name = 'driftlead gate'",
    );
    println!("connections, the one for counting first: {ways}");
    let body = body(2_000);
    let mut times = vec![Vec::new(); NAMES.len()];
    let mut medians = vec![Vec::new(); NAMES.len()];
    for round in 0..rounds {
        for at in 0..NAMES.len() {
            let target = (at + round) % NAMES.len();
            let who = format!("{}\r\nx-driftlead-session: one", NAMES[target]);
            let taken: Vec<f64> = (0..REQUESTS)
                .map(|_| {
                    let start = Instant::now();
                    ask(&mut streams[target], CHAT, &who, &body);
                    start.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            medians[target].push(median(&taken));
            times[target].extend(taken);
        }
    }
    println!("governed request of 2 KB, one at a time, {rounds} rounds of {REQUESTS}; µs");
    println!(
        "{:<16}{:>8}{:>8}{:>18}",
        "", "p50", "p99", "p50 over SQLite"
    );
    for ((name, own), of_rounds) in NAMES.iter().zip(&mut times).zip(&medians) {
        own.sort_by(f64::total_cmp);
        let added: Vec<f64> = of_rounds
            .iter()
            .zip(&medians[0])
            .map(|(x, d)| x - d)
            .collect();
        let p99 = own[own.len() * 99 / 100];
        println!(
            "{name:<16}{:>8.0}{p99:>8.0}{:>18.0}",
            median(own),
            median(&added)
        );
    }
}

async fn start(upstream: SocketAddr, data: &Path, store: Store) -> SocketAddr {
    let govern = Govern {
        data: data.to_owned(),
        ..Govern::default()
    };
    let governance = Governance::open_on(&govern, &Policy::at(Point::Monitored), store).unwrap();
    let mut config = Config::for_upstream(format!("http://{upstream}"));
    config.listen.set_port(0);
    config.admin.set_port(0);
    let server = driftlead_gate::Server::bind(&config, Arc::new(governance))
        .await
        .unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    address
}

/// Statements that gateways had executed. The look for erased people, every five seconds, is not counted.
fn questions(server: &Server) -> usize {
    let log = server.log();
    log.lines()
        .filter(|line| line.contains("execute s") && !line.contains("driftlead_erasure"))
        .count()
}
