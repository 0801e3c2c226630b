//! Whose request it is, and which conversation it belongs to (gateway.md §5.3).

mod jwt;
mod session;
mod subject;

pub use jwt::{JwtError, verify_hs256};
pub use session::{Session, SessionSource, Sessions};
pub(crate) use subject::api_key;
pub use subject::{Subject, SubjectSource, resolve};
