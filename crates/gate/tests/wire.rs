//! The gateway between a scripted server and a scripted client. The numbers T… are complaints about
//! other gateways, each a test here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod mock;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use driftlead_gate::Server;
use driftlead_gate::config::Config;
use driftlead_gate::govern::{Governor, Transparent};
use mock::{Mock, Step, ask, chunk, json_reply, last_chunk, open, receive, stream_head, value};
use tokio::io::AsyncReadExt;

const CHAT: &str = "/v1/chat/completions";
const ASK: &str =
    r#"{"model":"org/m","messages":[{"role":"user","content":"q"}],"stream":true,"n":3,"zz":1.50}"#;

fn free() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn start(mut config: Config, governor: Arc<dyn Governor>) -> SocketAddr {
    config.listen = free();
    config.admin = free();
    let server = Server::bind(&config, governor).await.unwrap();
    let address = server.address();
    tokio::spawn(server.run(std::future::pending()));
    address
}

async fn before(mock: &Mock) -> SocketAddr {
    let config = Config::for_upstream(format!("http://{}", mock.address));
    start(config, Arc::new(Transparent)).await
}

/// T20, T21, T22, T37.
#[tokio::test]
async fn json_passes_byte_for_byte() {
    let answer = r#"{ "id":"x", "odd":[1.0e0,null], "choices":[]}"#;
    let mock = Mock::start(move |_| json_reply("200 OK", answer)).await;
    let gate = before(&mock).await;
    let headers = "Authorization: Bearer \r\nX-Odd: v\r\nX-Driftlead-Subject: a\r\nX-OpenWebUI-User-Id: b\r\naccept-encoding: gzip\r\n";
    let reply = ask(gate, CHAT, headers, ASK).await;
    assert_eq!((reply.status(), reply.whole), (200, true));
    assert_eq!(reply.body, answer.as_bytes());
    assert_eq!(value(&reply.head, "x-request-id"), Some("r1"));
    let seen = mock.last();
    assert_eq!(seen.body, ASK.as_bytes());
    assert_eq!(value(&seen.head, "x-odd"), Some("v"));
    assert_eq!(value(&seen.head, "accept-encoding"), Some("identity"));
    assert!(seen.head.contains("authorization: bearer"));
    assert!(!seen.head.contains("driftlead") && !seen.head.contains("openwebui"));
    let reply = ask(gate, "/v1/models?x=%2F", "", "").await;
    assert_eq!(reply.body, answer.as_bytes());
    assert!(mock.last().head.starts_with("get /v1/models?x=%2f "));
}

/// T05, T15, T18, T23, T25: whatever the division, the same bytes in the same chunks.
#[tokio::test]
async fn streams_pass_byte_for_byte_in_any_division() {
    let stream = "data: {\"choices\":[{\"index\":2,\"delta\":{\"content\":\"é\"}}]}\r\n\r\n: ping\n\nevent: x.notice\nid: 7\ndata: {\ndata: }\n\n\
                  data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{\"}}]}}]}\n\ndata: [DONE]\n\ndata: late\n\n";
    let mock = Mock::start(move |seen| {
        let size: usize = value(&seen.head, "x-size").unwrap().parse().unwrap();
        let mut steps = vec![stream_head()];
        for piece in stream.as_bytes().chunks(size) {
            steps.extend([chunk(piece), Step::Pause(1)]);
        }
        steps.push(last_chunk());
        steps
    })
    .await;
    let gate = before(&mock).await;
    for size in [1, 2, 7, 64, 4096] {
        let reply = ask(gate, CHAT, &format!("x-size: {size}\r\n"), ASK).await;
        assert!(reply.whole);
        assert_eq!(reply.body, stream.as_bytes());
        assert_eq!(reply.chunks.len(), stream.len().div_ceil(size));
        assert_eq!(value(&reply.head, "content-encoding"), None);
    }
}

/// T10: neither form of body ends well when the upstream breaks off.
#[tokio::test]
async fn a_broken_reply_stays_broken() {
    let mock = Mock::start(|seen| {
        if seen.head.contains("x-chunked") {
            vec![stream_head(), chunk(b"data: {}\n\n"), Step::Pause(20), Step::Close]
        } else {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"a\"";
            vec![Step::Send(head.to_vec()), Step::Pause(20), Step::Close]
        }
    })
    .await;
    let gate = before(&mock).await;
    let stream = ask(gate, CHAT, "x-chunked: 1\r\n", ASK).await;
    assert_eq!(
        (stream.body.as_slice(), stream.whole),
        (b"data: {}\n\n".as_slice(), false)
    );
    let json = ask(gate, CHAT, "", ASK).await;
    assert_eq!((json.status(), json.whole), (200, false));
}

/// What the upstream sent before it broke off reaches the client, however close behind the break comes.
#[tokio::test]
async fn nothing_is_lost_before_a_break() {
    let mock = Mock::start(|_| {
        let mut steps = vec![stream_head()];
        steps.extend((0..4).map(|i| chunk(format!("data: {i}\n\n").as_bytes())));
        steps.push(Step::Close);
        steps
    })
    .await;
    let gate = before(&mock).await;
    for _ in 0..40 {
        let reply = ask(gate, CHAT, "", ASK).await;
        assert_eq!(
            (String::from_utf8_lossy(&reply.body).as_ref(), reply.whole),
            ("data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n", false)
        );
    }
}

/// The same for a client that reads nothing for half a second while the upstream has long broken off. Of
/// these sizes, on Linux, several end where the socket is full and the gateway still holds something.
#[tokio::test]
async fn nothing_is_lost_before_a_break_when_the_client_is_slow() {
    let mock = Mock::start(|seen| {
        let asked: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        let length = asked["length"].as_u64().unwrap() as usize;
        vec![stream_head(), chunk(&vec![b'x'; length]), Step::Close]
    })
    .await;
    let gate = before(&mock).await;
    let mut clients = tokio::task::JoinSet::new();
    for step in 0..24_usize {
        clients.spawn(async move {
            let length = 2_300_000 + step * 40_000;
            let body = format!(r#"{{"model":"m","stream":true,"length":{length}}}"#);
            let client = open(gate, "POST", CHAT, "", body.as_bytes()).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            let reply = mock::receive(client).await;
            (length, reply.body.len(), reply.whole)
        });
    }
    while let Some(done) = clients.join_next().await {
        let (length, got, whole) = done.unwrap();
        assert_eq!((got, whole), (length, false));
    }
}

/// T07, T08.
#[tokio::test]
async fn a_client_that_goes_away_closes_the_upstream() {
    for first in [true, false] {
        let mock = Mock::start(move |_| {
            let mut steps = Vec::new();
            if first {
                steps.extend([stream_head(), chunk(b"data: {}\n\n")]);
            }
            steps.push(Step::AwaitClose);
            steps
        })
        .await;
        let gate = before(&mock).await;
        let mut client = open(gate, "POST", CHAT, "", ASK.as_bytes()).await;
        if first {
            // T25: the headers come with nothing but the upstream's headers to wait for.
            let mut bytes = [0; 32];
            assert!(client.read(&mut bytes).await.unwrap() > 0);
        } else {
            while mock.requests() == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        assert!(!mock.closed_within(Duration::from_millis(50)).await);
        drop(client);
        assert!(mock.closed_within(Duration::from_secs(5)).await, "{first}");
    }
}

/// T25: headers are not held back until the first event.
#[tokio::test]
async fn headers_come_before_the_first_event() {
    let mock = Mock::start(|_| vec![stream_head(), Step::AwaitClose]).await;
    let gate = before(&mock).await;
    let mut client = open(gate, "POST", CHAT, "", ASK.as_bytes()).await;
    let mut bytes = [0; 512];
    let read = tokio::time::timeout(Duration::from_secs(5), client.read(&mut bytes));
    let count = read.await.unwrap().unwrap();
    assert!(bytes[..count].starts_with(b"HTTP/1.1 200"));
}

/// T31, T32: no part of an address, key or text is in an error.
#[tokio::test]
async fn failures_have_fixed_words() {
    let gone = tokio::net::TcpListener::bind(free()).await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let config = Config::for_upstream(format!("http://{address}/canary/v1?key=canary"));
    let gate = start(config, Arc::new(Transparent)).await;
    let headers = "authorization: Bearer canary\r\n";
    let reply = ask(gate, CHAT, headers, r#"{"model":"canary"}"#).await;
    assert_eq!(reply.status(), 502);
    assert_eq!(reply.json()["error"]["type"], "upstream_unreachable");
    assert!(reply.json()["error"]["param"].is_null());
    assert!(!String::from_utf8(reply.body).unwrap().contains("canary"));
    assert_eq!(ask(gate, "/elsewhere", "", "").await.status(), 404);
    assert_eq!(ask(gate, "/v1/../admin", "", "").await.status(), 400);

    let mock = Mock::start(|_| vec![Step::AwaitClose]).await;
    let mut config = Config::for_upstream(format!("http://{}", mock.address));
    config.limits.answer_seconds = 1;
    config.limits.body_bytes = 100;
    let gate = start(config, Arc::new(Transparent)).await;
    let reply = ask(gate, CHAT, "", "{}").await;
    assert_eq!(reply.status(), 504);
    assert_eq!(reply.json()["error"]["type"], "upstream_timeout");
    assert!(mock.closed_within(Duration::from_secs(5)).await);
    let reply = ask(gate, CHAT, "", &"x".repeat(101)).await;
    assert_eq!((reply.status(), mock.requests()), (413, 1));
}

/// An upstream's own error passes as it is.
#[tokio::test]
async fn errors_of_the_upstream_pass() {
    let body = r#"{"error":{"message":"context","type":"invalid_request_error","code":400}}"#;
    let mock = Mock::start(move |_| json_reply("400 Bad Request", body)).await;
    let reply = ask(before(&mock).await, CHAT, "", ASK).await;
    assert_eq!(
        (reply.status(), reply.body.as_slice()),
        (400, body.as_bytes())
    );
}

/// T24: a server that writes in two parts costs no delayed acknowledgement. Forty of them in a row
/// would take 1.6 s.
#[tokio::test]
async fn two_writes_do_not_wait_for_an_acknowledgement() {
    let mock = Mock::start(|_| vec![stream_head(), chunk(b"data: {}\n\n"), last_chunk()]).await;
    let gate = before(&mock).await;
    let mut times = Vec::new();
    for _ in 0..40 {
        let start = Instant::now();
        assert!(ask(gate, CHAT, "", ASK).await.whole);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    assert!(times[10] < Duration::from_millis(35), "{:?}", times[10]);
}

/// T26: a client that does not read makes the upstream wait.
#[tokio::test]
async fn a_slow_reader_slows_the_upstream() {
    let mock = Mock::start(|_| {
        let block = vec![b'x'; 1 << 20];
        let mut steps = vec![stream_head()];
        steps.extend((0..64).map(|_| chunk(&block)));
        steps.push(last_chunk());
        steps
    })
    .await;
    let gate = before(&mock).await;
    let client = open(gate, "POST", CHAT, "", ASK.as_bytes()).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let written = mock.log.lock().unwrap().written;
    // The rest is in the buffers of the four sockets.
    assert!(written < 40 << 20, "{written}");
    let reply = receive(client).await;
    assert!(reply.whole);
    assert_eq!(reply.body.len(), 64 << 20);
}

/// Models find their servers; the list has plain names.
#[tokio::test]
async fn several_upstreams() {
    let a = Mock::start(|_| json_reply("200 OK", "\"a\"")).await;
    let b = Mock::start(|_| json_reply("200 OK", "\"b\"")).await;
    let text = format!(
        "[[upstream]]\nurl=\"http://{}\"\nmodels=[\"org/m\"]\n[[upstream]]\nurl=\"http://{}/v1\"\nmodels=[\"n\"]\n",
        a.address, b.address
    );
    let gate = start(Config::read(&text).unwrap(), Arc::new(Transparent)).await;
    assert_eq!(ask(gate, CHAT, "", ASK).await.body, b"\"a\"");
    assert_eq!(a.last().body, ASK.as_bytes());
    assert_eq!(ask(gate, CHAT, "", r#"{"model":"n"}"#).await.body, b"\"b\"");
    assert!(b.last().head.starts_with("post /v1/chat/completions "));
    let reply = ask(gate, CHAT, "", r#"{"model":"o"}"#).await;
    assert_eq!(reply.json()["error"]["type"], "model_not_found");
    let list = ask(gate, "/v1/models", "", "").await.json();
    assert_eq!(list["data"][0]["id"], "org/m");
    assert_eq!(list["data"][1]["id"], "n");
}

/// No frame of many streams at once is lost, merged or out of order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_at_once() {
    const STREAMS: usize = 300;
    const FRAMES: usize = 20;
    let frame = |name: &str, k: usize| format!("data: {{\"s\":\"{name}\",\"k\":{k}}}\n\n");
    let mock = Mock::start(move |seen| {
        let name = value(&seen.head, "x-name").unwrap();
        let mut steps = vec![stream_head()];
        for k in 0..FRAMES {
            steps.extend([chunk(frame(name, k).as_bytes()), Step::Pause(5)]);
        }
        steps.push(last_chunk());
        steps
    })
    .await;
    let gate = before(&mock).await;
    let mut tasks = tokio::task::JoinSet::new();
    for name in 0..STREAMS {
        tasks.spawn(async move {
            let reply = ask(gate, CHAT, &format!("x-name: {name}\r\n"), ASK).await;
            let want: String = (0..FRAMES).map(|k| frame(&name.to_string(), k)).collect();
            assert!(reply.whole);
            assert_eq!(reply.body, want.as_bytes());
            assert_eq!(reply.chunks.len(), FRAMES);
        });
    }
    let mut done = 0;
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
        done += 1;
    }
    assert_eq!(done, STREAMS);
}

/// A stop lets the open reply finish and takes no new one.
#[tokio::test]
async fn a_stop_lets_open_replies_finish() {
    let mock = Mock::start(|_| {
        vec![
            stream_head(),
            Step::Pause(300),
            chunk(b"data: {}\n\n"),
            last_chunk(),
        ]
    })
    .await;
    let mut config = Config::for_upstream(format!("http://{}", mock.address));
    config.listen = free();
    config.admin = free();
    let server = Server::bind(&config, Arc::new(Transparent)).await.unwrap();
    let (gate, admin) = (server.address(), server.admin_address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    assert_eq!(ask(admin, "/readyz", "", "").await.body, b"ready\n");
    let client = tokio::spawn(ask(gate, CHAT, "", ASK));
    while mock.requests() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let metrics = String::from_utf8(ask(admin, "/metrics", "", "").await.body).unwrap();
    assert!(
        metrics.contains("driftlead_gate_requests_total{dialect=\"chat\"} 1"),
        "{metrics}"
    );
    assert!(metrics.ends_with("# EOF\n"));
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(tokio::net::TcpStream::connect(gate).await.is_err());
    assert_eq!(ask(admin, "/readyz", "", "").await.status(), 503);
    assert!(client.await.unwrap().whole);
    assert!(serving.await.unwrap());
}
