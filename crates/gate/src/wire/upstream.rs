//! The way to the model servers: which one a request goes to, and the pool of connections.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use secrecy::{ExposeSecret, SecretString};

use super::errors::{self, GateError};
use crate::config::{Config, ConfigError, Limits, UsageRules};
use crate::identity;

#[cfg(feature = "tls")]
pub(super) type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
pub(super) type Connector = HttpConnector;

/// A body on its way up: held whole where it was read, else streamed.
pub(super) type Upward = Either<Full<Bytes>, Limited<Incoming>>;

/// Idle connections are closed before common servers close them from their side (5 s): a request
/// must not meet a connection that is just going away.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// A configuration with its secrets looked up and its connections.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) limits: Limits,
    pub(super) usage: UsageRules,
    pub(super) jwt_secret: Option<SecretString>,
    pub(super) client_key: Option<SecretString>,
    targets: Vec<Target>,
    /// One pool of connections for every lane.
    clients: Vec<Client<Connector, Upward>>,
}

/// One model server.
#[derive(Debug)]
pub(super) struct Target {
    /// May hold a key in its query.
    prefix: String,
    query: Option<String>,
    /// Marked sensitive, so that it does not print.
    pub(super) key: Option<HeaderValue>,
    models: Vec<String>,
}

impl Live {
    /// Checks the configuration and looks its secrets up with `env`. No connection is made.
    pub(super) fn new(
        config: &Config,
        env: &dyn Fn(&str) -> Option<String>,
        lanes: usize,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let secret = |name: &str| {
            env(name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| ConfigError::NoSecret {
                    name: name.to_owned(),
                })
        };
        let mut targets = Vec::new();
        for (upstream, number) in config.upstreams.iter().zip(1..) {
            let base = upstream
                .base()
                .map_err(|what| ConfigError::Upstream { number, what })?;
            let key = match &upstream.key_env {
                Some(name) => {
                    let mut key = HeaderValue::try_from(format!("Bearer {}", secret(name)?))
                        .map_err(|_| ConfigError::OddSecret { name: name.clone() })?;
                    key.set_sensitive(true);
                    Some(key)
                }
                None => None,
            };
            targets.push(Target {
                prefix: format!("{}{}", base.origin, base.path),
                query: base.query,
                key,
                models: upstream.models.clone(),
            });
        }
        let named = |name: &Option<String>| -> Result<Option<SecretString>, ConfigError> {
            let secret = name.as_deref().map(secret).transpose()?;
            Ok(secret.map(SecretString::from))
        };
        Ok(Live {
            clients: (0..lanes).map(|_| client(&config.limits)).collect(),
            limits: config.limits.clone(),
            usage: config.usage,
            jwt_secret: named(&config.open_webui_jwt_secret_env)?,
            client_key: named(&config.client_key_env)?,
            targets,
        })
    }

    pub(super) fn lanes(&self) -> usize {
        self.clients.len()
    }

    /// Sends a request by a connection of the lane that asks.
    pub(super) async fn ask(
        &self,
        lane: usize,
        request: Request<Upward>,
    ) -> Result<Response<Incoming>, GateError> {
        let client = self.clients.get(lane).ok_or(errors::UPSTREAM_FAILED)?;
        let wait = Limits::seconds(self.limits.answer_seconds);
        match tokio::time::timeout(wait, client.request(request)).await {
            Ok(answered) => answered.map_err(|error| failure(&error)),
            Err(_) => Err(errors::UPSTREAM_SLOW),
        }
    }

    /// Lets a client in, and takes the key that it was for out of the headers: it is neither forwarded nor
    /// anybody's identity.
    pub(super) fn admit(&self, headers: &mut HeaderMap) -> Result<(), GateError> {
        let Some(key) = &self.client_key else {
            return Ok(());
        };
        let digest = |key: &str| blake3::hash(key.as_bytes());
        // Hashes are compared in constant time.
        let right = identity::api_key(headers)
            .is_some_and(|sent| digest(sent) == digest(key.expose_secret()));
        if !right {
            return Err(errors::NO_KEY);
        }
        headers.remove(header::AUTHORIZATION);
        headers.remove("x-api-key");
        Ok(())
    }

    /// Whether the model decides where a request goes.
    pub(super) fn routes_by_model(&self) -> bool {
        self.targets.len() > 1
    }

    /// The server of a model: the one that names it, else the one that names none.
    pub(super) fn target(&self, model: Option<&str>) -> Option<&Target> {
        let serves = |target: &&Target| {
            model.is_some_and(|model| target.models.iter().any(|name| name == model))
        };
        // Alone, a server gets everything: it knows best which models it has.
        if let [only] = self.targets.as_slice() {
            return Some(only);
        }
        self.targets
            .iter()
            .find(serves)
            .or_else(|| self.targets.iter().find(|target| target.models.is_empty()))
    }

    /// Every model that the configuration names, in its order.
    pub(super) fn models(&self) -> impl Iterator<Item = &str> {
        self.targets
            .iter()
            .flat_map(|target| target.models.iter().map(String::as_str))
    }
}

impl Target {
    /// The address of a request. The path and query go on as the client wrote them.
    pub(super) fn uri(&self, requested: &Uri) -> Option<Uri> {
        let queries = [requested.query(), self.query.as_deref()];
        let query: Vec<&str> = queries.into_iter().flatten().collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!(
            "{}{}{mark}{}",
            self.prefix,
            requested.path(),
            query.join("&")
        )
        .parse()
        .ok()
    }
}

/// A pool of connections, for bodies of one kind.
pub(super) fn client<B>(limits: &Limits) -> Client<Connector, B>
where
    B: Body + Send,
    B::Data: Send,
{
    let mut http = HttpConnector::new();
    // Without this, a request or reply written in two parts waits 40 ms for an acknowledgement.
    http.set_nodelay(true);
    http.set_connect_timeout(Some(Limits::seconds(limits.connect_seconds)));
    http.enforce_http(false);
    #[cfg(feature = "tls")]
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    #[cfg(not(feature = "tls"))]
    let connector = http;
    Client::builder(TokioExecutor::new())
        .pool_idle_timeout(POOL_IDLE)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .build(connector)
}

/// What a failure before the upstream's headers means to the client.
fn failure(error: &hyper_util::client::legacy::Error) -> GateError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut timed_out = false;
    while let Some(current) = cause {
        if current.is::<LengthLimitError>() {
            return errors::TOO_LARGE;
        }
        timed_out |= current
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut);
        cause = current.source();
    }
    match (error.is_connect(), timed_out) {
        (true, true) => errors::UPSTREAM_SLOW,
        (true, false) => errors::UNREACHABLE,
        _ => errors::UPSTREAM_FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(text: &str) -> Result<Live, ConfigError> {
        Live::new(
            &Config::read(text).unwrap(),
            &|name| (name == "K").then(|| "canary".to_owned()),
            1,
        )
    }

    #[test]
    fn a_model_finds_its_server() {
        let live = live(
            "[[upstream]]\nurl=\"http://a/v1?key=q\"\nmodels=[\"x\"]\nkey_env=\"K\"\n\
             [[upstream]]\nurl=\"http://b/p/\"",
        )
        .unwrap();
        let uri = |model, path: &'static str| {
            live.target(model)
                .unwrap()
                .uri(&Uri::from_static(path))
                .unwrap()
                .to_string()
        };
        assert_eq!(uri(Some("x"), "/v1/chat?a=1"), "http://a/v1/chat?a=1&key=q");
        assert_eq!(uri(Some("y"), "/v1/chat"), "http://b/p/v1/chat");
        assert_eq!(uri(None, "/v1/chat"), "http://b/p/v1/chat");
        assert_eq!(live.models().collect::<Vec<_>>(), ["x"]);
        let printed = format!("{:?}", live.target(Some("x")).unwrap().key);
        assert!(!printed.contains("canary"), "{printed}");
    }

    #[test]
    fn a_missing_secret_is_named_not_guessed() {
        let error = live("[[upstream]]\nurl=\"http://a\"\nkey_env=\"NONE\"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable NONE is not set"
        );
    }
}
