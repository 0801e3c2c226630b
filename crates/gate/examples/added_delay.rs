//! What the gateway adds to one request at a time: direct, without a policy, and under two policies, in
//! interleaved rounds of one run; and how many requests a second pass with many connections at once.
//! `cargo run --release -p driftlead-gate --example added_delay [ROUNDS]`
//!
//! The server, the gateway and the client share the machine, so a busy machine shows in every column;
//! only differences within a round are of use. The table gives the median over rounds of each round's
//! median, and of its difference to direct. Requests a second are bounded by all three together: what a
//! policy costs of them is less than it would be for a gateway with cores of its own.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement at a terminal"
)]

mod exchange;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driftlead_gate::Server;
use driftlead_gate::config::Config;
use driftlead_gate::govern::{Governor, Transparent};
use driftlead_gate::governance::{Govern, Governance};
use driftlead_gate::policy::{Point, Policy};
use exchange::{CHAT, ask, body, connect, median, upstream};

const REQUESTS: usize = 400;
/// Length of one measurement of requests a second.
const SECOND: Duration = Duration::from_secs(1);
const NAMES: [&str; 4] = ["direct", "no policy", "transparent", "monitored"];

fn main() {
    let rounds = std::env::args().nth(1).map_or(15, |n| n.parse().unwrap());
    let upstream = upstream();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let gate = |governor: Arc<dyn Governor>| -> SocketAddr {
        let mut config = Config::for_upstream(format!("http://{upstream}"));
        config.listen.set_port(0);
        config.admin.set_port(0);
        runtime.block_on(async {
            let server = Server::bind(&config, governor).await.unwrap();
            let address = server.address();
            tokio::spawn(server.run(std::future::pending()));
            address
        })
    };
    let governed = |point: Point| -> Arc<dyn Governor> {
        let govern = Govern {
            data: folder.path().join(point.name()),
            ..Govern::default()
        };
        Arc::new(Governance::open(&govern, &Policy::at(point)).unwrap())
    };
    let targets = [
        upstream,
        gate(Arc::new(Transparent)),
        gate(governed(Point::Transparent)),
        gate(governed(Point::Monitored)),
    ];
    for (name, history) in [("2 KB", 2_000), ("50 KB", 50_000)] {
        let body = body(history);
        let mut medians = vec![Vec::new(); targets.len()];
        for round in 0..rounds {
            for at in 0..targets.len() {
                let target = (at + round) % targets.len();
                medians[target].push(run(targets[target], &body));
            }
        }
        println!("request of {name}, one at a time, {rounds} rounds of {REQUESTS}; µs");
        println!("{:<14}{:>8}{:>10}", "", "p50", "added");
        for (name, own) in NAMES.iter().zip(&medians) {
            let added: Vec<f64> = own.iter().zip(&medians[0]).map(|(x, d)| x - d).collect();
            println!("{name:<14}{:>8.1}{:>10.1}", median(own), median(&added));
        }
    }
    throughput(&targets, rounds);
}

/// Requests a second of 2 KB, with several connections at once.
fn throughput(targets: &[SocketAddr], rounds: usize) {
    let body = body(2_000);
    for connections in [16, 64] {
        let mut rates = vec![Vec::new(); targets.len()];
        for round in 0..rounds {
            for at in 0..targets.len() {
                let target = (at + round) % targets.len();
                rates[target].push(rate(targets[target], &body, connections));
            }
        }
        println!("{connections} connections, {rounds} rounds of {SECOND:?}");
        println!(
            "{:<14}{:>12}{:>22}",
            "", "requests/s", "of those of no policy"
        );
        for (name, own) in NAMES.iter().zip(&rates) {
            let share: Vec<f64> = own.iter().zip(&rates[1]).map(|(x, n)| x / n).collect();
            println!("{name:<14}{:>12.0}{:>22.2}", median(own), median(&share));
        }
    }
}

fn rate(target: SocketAddr, body: &str, connections: usize) -> f64 {
    let start = Instant::now();
    let done: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = connect(target);
                    let mut done = 0;
                    while start.elapsed() < SECOND {
                        ask(&mut stream, CHAT, "someone", body);
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    done as f64 / start.elapsed().as_secs_f64()
}

fn run(target: SocketAddr, body: &str) -> f64 {
    let mut stream = connect(target);
    let mut times = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let start = Instant::now();
        ask(&mut stream, CHAT, "someone", body);
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    // The first opens the connection behind the gateway.
    median(&times[1..])
}
