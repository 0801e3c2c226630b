//! Verifies Open WebUI's user token: HS256, and nothing else is accepted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

/// Clock difference between the two hosts that is tolerated, seconds.
const LEEWAY: i64 = 30;

/// Why a token gives no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not three base64url parts with JSON inside.
    #[error("the token is malformed")]
    Malformed,
    /// An algorithm other than HS256.
    #[error("the token is not signed with HS256")]
    Algorithm,
    /// The signature is not of this secret.
    #[error("the token's signature does not verify")]
    Signature,
    /// `exp` has passed, or is missing, or `nbf`/`iat` lies ahead.
    #[error("the token is expired or not yet valid")]
    Expired,
    /// `iss` is not `open-webui`.
    #[error("the token has another issuer")]
    Issuer,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    iss: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
}

/// The `sub` of a valid token.
///
/// # Errors
/// If the token is malformed, signed in another way, expired, or of another issuer.
pub fn verify_hs256(token: &str, secret: &[u8], now_seconds: i64) -> Result<String, JwtError> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwtError::Malformed);
    };
    if json::<Header>(header)?.alg != "HS256" {
        return Err(JwtError::Algorithm);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| JwtError::Signature)?;
    mac.update(header.as_bytes());
    mac.update(b".");
    mac.update(claims.as_bytes());
    mac.verify_slice(&bytes(signature)?)
        .map_err(|_| JwtError::Signature)?;
    let claims: Claims = json(claims)?;
    if claims.iss.as_deref() != Some("open-webui") {
        return Err(JwtError::Issuer);
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^52")]
    let (now, leeway) = (now_seconds as f64, LEEWAY as f64);
    let begins = claims
        .nbf
        .into_iter()
        .chain(claims.iat)
        .fold(f64::MIN, f64::max);
    match claims.exp {
        Some(exp) if now < exp + leeway && begins <= now + leeway => Ok(claims.sub),
        _ => Err(JwtError::Expired),
    }
}

fn bytes(part: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| JwtError::Malformed)
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, JwtError> {
    serde_json::from_slice(&bytes(part)?).map_err(|_| JwtError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str, secret: &[u8]) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }

    const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

    #[test]
    fn the_example_of_rfc_7515() {
        // RFC 7515, appendix A.1: the signature verifies with the key given there; the claims are not
        // Open WebUI's, so what must fail is what comes after the signature.
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        assert_eq!(verify_hs256(token, &key, 0), Err(JwtError::Malformed));
        assert_eq!(verify_hs256(token, b"other", 0), Err(JwtError::Signature));
    }

    #[test]
    fn a_valid_token_names_its_subject() {
        let good = r#"{"sub":"u1","iss":"open-webui","iat":1000,"exp":1300}"#;
        assert_eq!(
            verify_hs256(&token(HS256, good, b"s"), b"s", 1100).as_deref(),
            Ok("u1")
        );
    }

    #[test]
    fn everything_else_is_refused() {
        let claims = r#"{"sub":"u1","iss":"open-webui","iat":1000,"exp":1300}"#;
        let good = token(HS256, claims, b"s");
        assert_eq!(verify_hs256(&good, b"s", 1400), Err(JwtError::Expired));
        assert_eq!(verify_hs256(&good, b"s", 900), Err(JwtError::Expired));
        assert_eq!(verify_hs256(&good, b"t", 1100), Err(JwtError::Signature));
        let endless = token(HS256, r#"{"sub":"u1","iss":"open-webui"}"#, b"s");
        assert_eq!(verify_hs256(&endless, b"s", 1100), Err(JwtError::Expired));
        let other = token(HS256, r#"{"sub":"u1","iss":"joe","exp":1300}"#, b"s");
        assert_eq!(verify_hs256(&other, b"s", 1100), Err(JwtError::Issuer));
        let none = token(r#"{"alg":"none"}"#, claims, b"s");
        assert_eq!(verify_hs256(&none, b"s", 1100), Err(JwtError::Algorithm));
        for bad in ["", "a.b", "a.b.c.d", "!.!.!"] {
            assert_eq!(
                verify_hs256(bad, b"s", 1100),
                Err(JwtError::Malformed),
                "{bad}"
            );
        }
    }
}
