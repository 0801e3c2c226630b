//! The address of the database: what it says, and whether the way there is encrypted.
//!
//! | `sslmode` | socket | loopback | another machine |
//! |---|---|---|---|
//! | none, `prefer` | plain | plain; TLS with `database_ca` | TLS |
//! | `disable` | plain | plain | plain |
//! | `require`, `verify-full`, `verify-ca` | plain | TLS | TLS |
//!
//! TLS is never given up where a server has none, so `prefer` is no weaker than `require` on a network. A
//! certificate is always checked: `require` means what `verify-full` means.

use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::{Names, Tls};
use super::{ANSWER, CONNECT};
use crate::store::StoreError;

/// Reads an address, which holds a password: what the parser says of it is not repeated.
pub(super) fn read(
    address: &SecretString,
    ca: Option<&Path>,
) -> Result<(Config, Option<Tls>), StoreError> {
    let mut text = address.expose_secret().to_owned();
    let names = verification(&mut text)?;
    let mut config: Config = text
        .parse()
        .map_err(|_| StoreError::Address("it cannot be read"))?;
    if config.get_hosts().is_empty() {
        return Err(StoreError::Address("it names no host"));
    }
    let encrypted = match config.get_ssl_mode() {
        SslMode::Disable if ca.is_some() => {
            return Err(StoreError::Address(
                "it says sslmode=disable, and govern.database_ca asks for TLS",
            ));
        }
        SslMode::Disable => false,
        _ if is_socket(&config) => false,
        SslMode::Prefer => ca.is_some() || !is_here(&config),
        _ => true,
    };
    let tls = match (encrypted, names, ca) {
        (false, ..) => None,
        (true, Names::Any, None) => {
            return Err(StoreError::Address(
                "sslmode=verify-ca needs govern.database_ca: of a public authority, anybody has a certificate",
            ));
        }
        (true, names, ca) => Some(Tls::new(ca, names)?),
    };
    config.ssl_mode(if encrypted {
        SslMode::Require
    } else {
        SslMode::Disable
    });
    if config.get_application_name().is_none() {
        config.application_name("driftlead gate");
    }
    config.connect_timeout(CONNECT);
    config.tcp_user_timeout(ANSWER);
    Ok((config, tls))
}

/// Puts what the parser knows in the place of the modes that it does not know.
fn verification(text: &mut String) -> Result<Names, StoreError> {
    let mut names = Names::Own;
    // From the end, so that the places in front stay right.
    for (key, place) in options(text).into_iter().rev() {
        let value = text
            .get(place.clone())
            .unwrap_or_default()
            .trim_matches('\'');
        match (key.as_str(), value) {
            ("sslmode", "disable" | "prefer" | "require") => {}
            ("sslmode", "verify-full") => text.replace_range(place, "require"),
            ("sslmode", "verify-ca") => {
                names = Names::Any;
                text.replace_range(place, "require");
            }
            ("sslmode", _) => {
                return Err(StoreError::Address(
                    "its sslmode is none of disable, prefer, require, verify-ca and verify-full",
                ));
            }
            ("sslrootcert", _) => {
                return Err(StoreError::Address(
                    "sslrootcert is not read there; govern.database_ca names that file",
                ));
            }
            ("sslcert" | "sslkey", _) => {
                return Err(StoreError::Address(
                    "this gateway has no certificate of its own to show (sslcert, sslkey)",
                ));
            }
            _ => {}
        }
    }
    Ok(names)
}

/// The options of an address in either form: their names, and where their values are. Text that is no
/// address gives anything; the parser refuses it.
fn options(text: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let url = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    if let Some(rest) = url {
        // As the parser takes it apart: the first `@` ends the password.
        let host = rest.split_once('@').map_or(rest, |(_, host)| host);
        let query = host.split_once('?').map_or("", |(_, query)| query);
        let mut at = text.len() - query.len();
        for option in query.split('&') {
            if let Some((key, value)) = option.split_once('=') {
                let end = at + option.len();
                found.push((key.to_owned(), end - value.len()..end));
            }
            at += option.len() + 1;
        }
        return found;
    }
    let mut rest = text;
    while let Some((key, behind)) = rest.split_once('=') {
        let value = behind.trim_start();
        let start = text.len() - value.len();
        let end = value_end(value);
        found.push((key.trim().to_owned(), start..start + end));
        rest = value.get(end..).unwrap_or_default();
    }
    found
}

/// Where a value ends: at a space, or behind its second quotation mark.
fn value_end(value: &str) -> usize {
    let quoted = value.starts_with('\'');
    let mut chars = value.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '\'' if quoted => return at + 1,
            c if !quoted && c.is_whitespace() => return at,
            _ => {}
        }
    }
    value.len()
}

/// Whether the way goes over sockets only.
fn is_socket(config: &Config) -> bool {
    config.get_hostaddrs().is_empty()
        && config
            .get_hosts()
            .iter()
            .all(|host| !matches!(host, Host::Tcp(_)))
}

/// Whether the way never leaves this machine.
fn is_here(config: &Config) -> bool {
    config.get_hostaddrs().iter().all(IpAddr::is_loopback)
        && config.get_hosts().iter().all(|host| match host {
            #[cfg(unix)]
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, ca: Option<&Path>) -> Result<(Config, Option<Tls>), StoreError> {
        read(&SecretString::from(text.to_owned()), ca)
    }

    #[test]
    fn a_way_over_a_network_is_encrypted_unless_the_address_says_otherwise() {
        for (address, encrypted) in [
            ("postgres://u:canary@127.0.0.1/db", false),
            ("postgres://u:canary@[::1]:5433/db?sslmode=prefer", false),
            ("postgres://u:canary@localhost/db?sslmode=require", true),
            ("host=/run/postgresql user=u password=canary", false),
            ("host=/run/postgresql user=u sslmode=require", false),
            // An address behind a name decides where it goes.
            ("host=/run/postgresql hostaddr=10.0.0.1 user=u", true),
            ("host=localhost hostaddr=10.0.0.1 user=u", true),
            ("host=localhost hostaddr=127.0.0.1 user=u", false),
            ("host=localhost,db.example user=u", true),
            ("postgres://u:canary@db.example/db", true),
            ("postgres://u:canary@db.example/db?sslmode=prefer", true),
            ("postgres://u:canary@db.example/db?sslmode=disable", false),
            (
                "postgresql://db.example/db?user=u&sslmode=verify-full&connect_timeout=3",
                true,
            ),
            (
                "user=u password='a sslmode=disable b' host=db.example",
                true,
            ),
            (
                "user=u password='it\\'s' sslmode = 'verify-full' host=db.example",
                true,
            ),
            (
                "user=u password=a\\ sslmode\\=x sslmode=disable host=db.example",
                false,
            ),
        ] {
            let (config, tls) = read_text(address, None).expect(address);
            let mode = if encrypted {
                SslMode::Require
            } else {
                SslMode::Disable
            };
            assert_eq!(
                (config.get_ssl_mode(), tls.is_some()),
                (mode, encrypted),
                "{address}"
            );
        }
        let (config, _) = read_text("user=u password='a sslmode=verify-ca' host=h", None).unwrap();
        assert_eq!(
            config.get_password(),
            Some(b"a sslmode=verify-ca".as_slice())
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_is_said_so_and_never_repeated() {
        let nowhere = Path::new("/nowhere/ca.pem");
        for (bad, ca, why) in [
            (
                "postgres://u:canary@h/db?sslmode=disable",
                Some(nowhere),
                "asks for TLS",
            ),
            (
                "postgres://u:canary@h/db",
                Some(nowhere),
                "govern.database_ca: /nowhere/ca.pem: ",
            ),
            (
                "postgres://u:canary@127.0.0.1/db",
                Some(nowhere),
                "/nowhere/ca.pem",
            ),
            (
                "postgres://u:canary@h/db?sslmode=verify-ca",
                None,
                "needs govern.database_ca",
            ),
            (
                "host=h password=canary sslmode=allow",
                None,
                "its sslmode is none of",
            ),
            (
                "host=h password=canary sslrootcert=/canary",
                None,
                "govern.database_ca names",
            ),
            (
                "host=h password=canary sslkey=/canary",
                None,
                "no certificate of its own",
            ),
            ("user=u password=canary", None, "names no host"),
            ("canary is no address", None, "cannot be read"),
            ("host=h password='canary", None, "cannot be read"),
            ("postgres://u:canary@h:port/db", None, "cannot be read"),
        ] {
            let error = read_text(bad, ca).map(drop).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("canary"), "{error}");
            assert!(error.contains("govern.database_"), "{error}");
        }
    }
}
