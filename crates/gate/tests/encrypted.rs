//! The way to a shared database that is encrypted: to whom it connects, and to whom it does not.

#![cfg(all(feature = "postgres", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test stops here"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "postgres/mod.rs"]
mod server;

use std::path::Path;
use std::time::{Duration, Instant};

use driftlead_gate::audit::SubjectKey;
use driftlead_gate::store::{Revision, Row, Store, StoreError, pseudonym};
use secrecy::SecretString;
use server::Server;
use server::authority::Authority;

/// By its name the database is on another machine; by this address it is on this one.
const ELSEWHERE: &str = "host=db.example hostaddr=127.0.0.1";
const OURS: &str = "SELECT coalesce(string_agg(ssl::text, ','), 'nobody') FROM pg_stat_ssl \
     JOIN pg_stat_activity USING (pid) WHERE application_name = 'driftlead gate'";

fn connect(server: &Server, way: &str, ca: Option<&Path>) -> Result<Store, StoreError> {
    Store::connect(&SecretString::from(server.address_at(way)), ca)
}

/// Refused, in these words, before the server heard of anybody.
fn refused(server: &Server, way: &str, ca: Option<&Path>, why: &str) {
    let error = connect(server, way, ca).unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(said.contains(why), "{way}: {said}");
    assert!(matches!(error, StoreError::Tls(_)), "{way}: {said}");
    assert!(
        !said.contains("canary") && !said.contains("db.example"),
        "{said}"
    );
    assert_eq!(server.ask(OURS), "nobody", "{way}");
}

#[tokio::test]
async fn a_server_that_its_authority_vouches_for_is_spoken_to_and_nobody_else() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let (authority, other) = (Authority::new(), Authority::new());
    let (file, of_other) = (authority.file(), other.file());
    let (ca, of_other) = (Some(file.as_path()), Some(of_other.as_path()));
    server.listen(Some(&authority.certify("DNS:db.example, IP:127.0.0.1")));
    for way in [
        ELSEWHERE,
        "host=127.0.0.1",
        "host=127.0.0.1 sslmode=verify-full",
        // The right hash of the certificate, or the server refuses.
        "host=127.0.0.1 sslmode=require channel_binding=require",
        "host=localhost hostaddr=127.0.0.1 sslmode=verify-ca",
    ] {
        let store = connect(&server, way, ca).unwrap_or_else(|error| panic!("{way}: {error}"));
        assert_eq!(server.ask(OURS), "true", "{way}");
        assert_eq!(store.value("nothing").await.unwrap(), None);
        gone(&server, store);
    }
    let unknown = "no known authority vouches";
    refused(&server, ELSEWHERE, of_other, unknown);
    refused(
        &server,
        "host=127.0.0.1 sslmode=verify-ca",
        of_other,
        unknown,
    );
    // The public authorities know nothing of it, and no mode does without them.
    refused(&server, ELSEWHERE, None, unknown);
    refused(&server, "host=127.0.0.1 sslmode=require", None, unknown);
    let name = "for another host";
    refused(&server, "host=other.example hostaddr=127.0.0.1", ca, name);
    refused(&server, "host=localhost hostaddr=127.0.0.1", ca, name);
    // Plain only where the address says so, or on this machine.
    for way in [&format!("{ELSEWHERE} sslmode=disable"), "host=127.0.0.1"] {
        let store = connect(&server, way, None).unwrap();
        assert_eq!(server.ask(OURS), "false", "{way}");
        gone(&server, store);
    }
    assert!(!server.log().contains("canary"));
}

/// A server may have no TLS, and may lose or change what it has while a gateway runs.
#[tokio::test]
async fn nothing_is_sent_in_the_open_to_a_server_without_tls_or_of_another_authority() {
    let Some(mut server) = Server::start() else {
        return;
    };
    server.listen(None);
    let (authority, other) = (Authority::new(), Authority::new());
    let file = authority.file();
    let none = "the server offers none";
    refused(&server, ELSEWHERE, Some(&file), none);
    refused(&server, ELSEWHERE, None, none);
    refused(&server, &format!("{ELSEWHERE} sslmode=prefer"), None, none);
    refused(&server, "host=127.0.0.1 sslmode=require", None, none);
    refused(&server, "host=127.0.0.1", Some(&file), none);

    server.listen(Some(&authority.certify("IP:127.0.0.1")));
    let store = connect(&server, "host=127.0.0.1", Some(&file)).unwrap();
    let tag = store.tag("a");
    let row = Row {
        key: SubjectKey::random().unwrap(),
        pseudonym: pseudonym().unwrap(),
        state: b"x".to_vec(),
        revision: Revision::new().unwrap(),
    };
    assert!(store.keep(&tag, &row, None).await.unwrap());
    for (certificate, comes_back) in [
        (None, false),
        (Some(other.certify("IP:127.0.0.1")), false),
        (Some(authority.certify("IP:127.0.0.1")), true),
    ] {
        server.listen_again(certificate.as_ref());
        let end = Instant::now() + Duration::from_secs(if comes_back { 30 } else { 3 });
        while Instant::now() < end && !store.is_reachable() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(store.is_reachable(), comes_back);
        let seen = if comes_back { "true" } else { "nobody" };
        assert_eq!(server.ask(OURS), seen);
    }
    assert_eq!(store.person(&tag).await.unwrap(), Some(row));
    assert!(!server.log().contains("canary"));
}

/// Ends a gateway's connection, and waits until the server knows.
fn gone(server: &Server, store: Store) {
    drop(store);
    let end = Instant::now() + Duration::from_secs(10);
    while server.ask(OURS) != "nobody" {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    }
}
