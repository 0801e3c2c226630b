//! What the operator decides: listeners, upstreams, limits.
//!
//! Secrets are named, never written: a configuration says which environment variable holds a key.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hyper::Uri;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Table, Value};

use crate::governance::{Govern, NO_DATABASE, NO_DATABASE_FOR_CA};
use crate::policy::{Policy, PolicyError, place};

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where clients connect.
    #[serde(default = "main_listener")]
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Where health and metrics are served. It has no authentication: keep it on loopback.
    #[serde(default = "admin_listener")]
    #[schemars(with = "String")]
    pub admin: SocketAddr,
    /// Where the person's interface is served by itself, for browsers. What headers say of who is asking
    /// does not count there, only the key that `/driftlead status` gives out.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub person: Option<SocketAddr>,
    /// Name of the environment variable with the key that clients must send, as `Authorization: Bearer` or
    /// `x-api-key`. It is not forwarded. Without it, whoever reaches the listener is served.
    #[serde(default)]
    pub client_key_env: Option<String>,
    /// The model servers. A request goes to the one whose `models` names its model, else to the one
    /// without `models`.
    #[serde(rename = "upstream")]
    #[schemars(length(min = 1))]
    pub upstreams: Vec<Upstream>,
    /// Bounds on size and time.
    #[serde(default)]
    pub limits: Limits,
    /// Counts of tokens at the end of streams.
    #[serde(default)]
    pub usage: UsageRules,
    /// Name of the environment variable with the secret of Open WebUI's signed identity token. With
    /// it, Open WebUI's plain identity headers are ignored.
    #[serde(default)]
    pub open_webui_jwt_secret_env: Option<String>,
    /// Where traces of requests go. Without it there are none.
    #[serde(default)]
    pub traces: Option<Traces>,
    /// What the gateway may do to requests. Without it nothing is read, counted or changed.
    #[serde(default)]
    pub policy: Option<Policy>,
    /// Where the governor keeps things. It matters only with a policy.
    #[serde(default)]
    pub govern: Govern,
}

/// One model server.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Base address: `http://` or `https://`, with or without `/v1` at its end.
    pub url: String,
    /// Models served here, by the names that clients send.
    #[serde(default)]
    pub models: Vec<String>,
    /// Name of the environment variable with the key for this server. It replaces the client's own
    /// key, as `Authorization: Bearer`. Without it the client's key is forwarded.
    #[serde(default)]
    pub key_env: Option<String>,
}

/// Where traces of requests go: counts, times and names of models, nothing of a person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// Base address of a collector that takes OTLP over HTTP as JSON, for instance
    /// `http://127.0.0.1:4318`; `/v1/traces` is added.
    pub endpoint: String,
    /// Name of this gateway among the services there.
    #[serde(default = "service")]
    pub service: String,
}

fn service() -> String {
    "driftlead-gate".to_owned()
}

/// Counts of tokens at the end of a stream (`stream_options.include_usage`), where the client asked for
/// none. Where it did, nothing is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UsageRules {
    /// Ask the upstream for them, for the gateway's own metrics, and take their chunk out again.
    pub ask: bool,
    /// Take their chunk out where the upstream sends one unasked: some clients count it twice.
    pub strip_unasked: bool,
}

/// Bounds on size and time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest request body, bytes.
    #[schemars(range(min = 1))]
    pub body_bytes: usize,
    /// Most connections of clients at once; more of them wait.
    #[schemars(range(min = 1))]
    pub connections: usize,
    /// Seconds that a client may take to send its headers, and again to send its body.
    #[schemars(range(min = 1))]
    pub client_seconds: u32,
    /// Seconds until a connection to the upstream must stand.
    #[schemars(range(min = 1))]
    pub connect_seconds: u32,
    /// Seconds until the upstream must answer with headers. Servers that do not stream answer when
    /// the whole reply is written.
    #[schemars(range(min = 1))]
    pub answer_seconds: u32,
    /// Seconds of silence in the middle of a reply until it counts as broken off.
    #[schemars(range(min = 1))]
    pub silence_seconds: u32,
    /// Seconds of silence in a stream after which a comment is put between two events, so that what
    /// closes silent connections does not close it. 0: never.
    pub keep_alive_seconds: u32,
    /// In chat streams an event without choices instead of the comment, for what counts events only.
    pub keep_alive_data: bool,
    /// Seconds for which the upstream is read on after the client went away, for instance because its
    /// counts are needed. 0: it is closed at once. Before the upstream's headers it always is.
    pub read_on_seconds: u32,
    /// Seconds that a client which reads slowly gets to take what came before a reply broke off.
    pub last_words_seconds: u32,
    /// Seconds that open replies get to finish when the gateway is told to stop.
    pub drain_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 100 << 20,
            connections: 10_000,
            client_seconds: 60,
            connect_seconds: 10,
            answer_seconds: 600,
            silence_seconds: 300,
            keep_alive_seconds: 0,
            keep_alive_data: false,
            read_on_seconds: 0,
            last_words_seconds: 10,
            drain_seconds: 30,
        }
    }
}

impl Limits {
    pub(crate) fn seconds(seconds: u32) -> Duration {
        Duration::from_secs(u64::from(seconds))
    }

    pub(crate) fn some_seconds(seconds: u32) -> Option<Duration> {
        (seconds > 0).then(|| Limits::seconds(seconds))
    }
}

fn main_listener() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 8787))
}

fn admin_listener() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 8788))
}

/// What is wrong with a configuration. It never repeats an address, which may hold a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML of the expected shape.
    #[error("line {line}, column {column}: {what}")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The parser's message.
        what: String,
    },
    /// No upstream at all.
    #[error("there is no [[upstream]]")]
    NoUpstream,
    /// An address that cannot be used.
    #[error("upstream {number}: {what}")]
    Upstream {
        /// Place in the file, from 1.
        number: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// An address of a collector that cannot be used.
    #[error("traces.endpoint: {what}")]
    Traces {
        /// What is wrong.
        what: &'static str,
    },
    /// A model at two upstreams.
    #[error("upstream {number}: the model {model:?} is named twice")]
    ModelTwice {
        /// Place in the file, from 1.
        number: usize,
        /// The model.
        model: String,
    },
    /// A limit of zero.
    #[error("limits.{name} must be at least 1")]
    ZeroLimit {
        /// The key.
        name: &'static str,
    },
    /// A policy with a value out of its range.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The governor does not take it.
    #[error("{what}")]
    Governor {
        /// Why.
        what: String,
    },
    /// An environment variable that is not set, or not text.
    #[error("the environment variable {name} is not set")]
    NoSecret {
        /// Its name.
        name: String,
    },
    /// A key that cannot be a header.
    #[error("the environment variable {name} holds characters that a header cannot carry")]
    OddSecret {
        /// Its name.
        name: String,
    },
}

impl Config {
    /// One upstream and the default for everything else.
    pub fn for_upstream(url: impl Into<String>) -> Self {
        Config {
            listen: main_listener(),
            admin: admin_listener(),
            person: None,
            client_key_env: None,
            upstreams: vec![Upstream {
                url: url.into(),
                models: Vec::new(),
                key_env: None,
            }],
            limits: Limits::default(),
            usage: UsageRules::default(),
            open_webui_jwt_secret_env: None,
            traces: None,
            policy: None,
            govern: Govern::default(),
        }
    }

    /// Reads and checks a configuration in TOML.
    ///
    /// # Errors
    /// With line and column where the text is wrong, with the place in the file where a value is.
    pub fn read(text: &str) -> Result<Self, ConfigError> {
        let shape = |error: toml::de::Error| {
            let (line, column) = place(text, error.span());
            ConfigError::Shape {
                line,
                column,
                what: error.message().to_owned(),
            }
        };
        let mut config: Config = toml::from_str(text).map_err(shape)?;
        if config.policy.is_some() {
            // The shape is right; now what the file leaves out comes from the point that it names.
            let mut table: Table = toml::from_str(text).map_err(shape)?;
            if let Some(Value::Table(policy)) = table.remove("policy") {
                config.policy = Some(Policy::over_its_point(policy).map_err(shape)?);
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Checks what the shape alone cannot say.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.upstreams.is_empty() {
            return Err(ConfigError::NoUpstream);
        }
        let mut models = BTreeSet::new();
        let mut rest = 0;
        for (upstream, number) in self.upstreams.iter().zip(1..) {
            upstream
                .base()
                .map_err(|what| ConfigError::Upstream { number, what })?;
            rest += usize::from(upstream.models.is_empty());
            if rest > 1 {
                let what = "only one upstream can be without models";
                return Err(ConfigError::Upstream { number, what });
            }
            if let Some(model) = upstream.models.iter().find(|m| !models.insert(m.as_str())) {
                let model = model.clone();
                return Err(ConfigError::ModelTwice { number, model });
            }
        }
        if let Some(traces) = &self.traces {
            traces.base()?;
        }
        if let Some(policy) = &self.policy {
            policy.clone().checked()?;
        }
        if self.govern.database_url_env.is_some() && !cfg!(feature = "postgres") {
            let what = NO_DATABASE.to_owned();
            return Err(ConfigError::Governor { what });
        }
        if self.govern.database_ca.is_some() && self.govern.database_url_env.is_none() {
            let what = NO_DATABASE_FOR_CA.to_owned();
            return Err(ConfigError::Governor { what });
        }
        let limits = &self.limits;
        let positive = [
            ("body_bytes", limits.body_bytes),
            ("connections", limits.connections),
            ("client_seconds", limits.client_seconds as usize),
            ("connect_seconds", limits.connect_seconds as usize),
            ("answer_seconds", limits.answer_seconds as usize),
            ("silence_seconds", limits.silence_seconds as usize),
        ];
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(ConfigError::ZeroLimit { name }),
            None => Ok(()),
        }
    }

    /// The JSON schema of the configuration file, as `docs/gate.schema.json` has it.
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Config);
        let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// An upstream's address in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    /// Scheme and authority, for instance `http://127.0.0.1:8080`.
    pub(crate) origin: String,
    /// Path in front of `/v1`, without a slash at its end.
    pub(crate) path: String,
    /// Query sent with every request; may be a key.
    pub(crate) query: Option<String>,
}

impl Upstream {
    pub(crate) fn base(&self) -> Result<Base, &'static str> {
        Base::of(&self.url)
    }
}

impl Traces {
    pub(crate) fn base(&self) -> Result<Base, ConfigError> {
        Base::of(&self.endpoint).map_err(|what| ConfigError::Traces { what })
    }
}

impl Base {
    fn of(url: &str) -> Result<Base, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "the url cannot be read")?;
        let scheme = uri.scheme_str().unwrap_or_default();
        match scheme {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err("this build has no TLS; it can only reach http:// addresses"),
            _ => return Err("the url must begin with http:// or https://"),
        }
        let authority = uri.authority().ok_or("the url names no host")?;
        if authority.as_str().contains('@') {
            return Err("the url holds a name or password");
        }
        let path = uri.path().trim_end_matches('/');
        Ok(Base {
            origin: format!("{scheme}://{authority}"),
            path: path.strip_suffix("/v1").unwrap_or(path).to_owned(),
            query: uri.query().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_defaults() {
        let text = "listen = \"127.0.0.1:1\"\n[[upstream]]\nurl = \"http://a:1/x/v1/\"\n\
                    [[upstream]]\nurl = \"http://b\"\nmodels = [\"m\"]\nkey_env = \"K\"\n\
                    [limits]\nbody_bytes = 5\n";
        let config = Config::read(text).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.admin.port(), 8788);
        assert_eq!(config.limits.body_bytes, 5);
        assert_eq!(config.limits.silence_seconds, 300);
        assert_eq!(config.policy, None);
        let base = config.upstreams[0].base().unwrap();
        assert_eq!(
            (base.origin.as_str(), base.path.as_str()),
            ("http://a:1", "/x")
        );
    }

    #[test]
    fn a_policy_is_a_point_and_what_differs_from_it() {
        let text = "[[upstream]]\nurl = \"http://a\"\n[policy]\nfrom = \"monitored\"\nname = \"x\"\n\
                    [govern]\ndata = \"d\"\nwithout_log = \"refuse\"\n[govern.controller]\nname = \"N\"\n";
        let config = Config::read(text).unwrap();
        let mut want = Policy::at(crate::policy::Point::Monitored);
        want.name = "x".to_owned();
        assert_eq!(config.policy, Some(want));
        assert_eq!(config.govern.controller.name, "N");
    }

    #[test]
    fn errors_say_where_and_never_repeat_an_address() {
        let cases = [
            (
                "[[upstream]]\nurl = \"ftp://canary\"",
                "upstream 1: the url must begin",
            ),
            (
                "[[upstream]]\nurl = \"http://u:canary@h\"",
                "upstream 1: the url holds",
            ),
            (
                "[[upstream]]\nurl = \"http://h/ canary\"",
                "upstream 1: the url cannot be read",
            ),
            (
                "[[upstream]]\nurl = \"http://h\"\nlimit = 3",
                "line 3, column 1: unknown field",
            ),
            (
                "[[upstream]]\nurl = \"http://h\"\n[[upstream]]\nurl = \"http://i\"",
                "upstream 2: only one",
            ),
            (
                "[[upstream]]\nurl = \"http://h\"\nmodels = [\"a\", \"a\"]",
                "upstream 1: the model \"a\" is named twice",
            ),
            (
                "[[upstream]]\nurl = \"http://h\"\n[limits]\nconnections = 0",
                "limits.connections must be at least 1",
            ),
            ("upstream = []", "there is no [[upstream]]"),
            (
                "[[upstream]]\nurl = \"http://h\"\n[policy.warmth]\ndoes = 1.0",
                "line 4, column 1: unknown field",
            ),
            (
                "[[upstream]]\nurl = \"http://h\"\n[policy.warmth]\ndose = 2.0",
                "policy.warmth.dose must be",
            ),
            (
                "[[upstream]]\nurl = \"http://h\"\n[traces]\nendpoint = \"http://u:canary@h\"",
                "traces.endpoint: the url holds",
            ),
            (
                "[[upstream]]\nurl = \"http://h\"\n[govern]\ndatabase_ca = \"ca.pem\"",
                "govern.database_ca: there is no govern.database_url_env",
            ),
            ("a = ", "line 1, column"),
        ];
        for (text, want) in cases {
            let error = Config::read(text).unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_database_needs_a_build_that_knows_one() {
        let text = "[[upstream]]\nurl = \"http://h\"\n[govern]\ndatabase_url_env = \"X\"\n";
        let error = Config::read(text).unwrap_err().to_string();
        assert!(
            error.starts_with("govern.database_url_env: this build has no"),
            "{error}"
        );
    }

    #[test]
    fn the_committed_schema_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gate.schema.json");
        let committed = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            committed,
            Config::schema(),
            "write it with `driftlead gate --schema`"
        );
    }
}
