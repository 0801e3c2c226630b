//! Keys of subjects: what seals their payloads and hides which entries are theirs.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{AuditError, Digest};

pub(super) const NONCE: usize = 24;

/// A secret of 32 random bytes that belongs to one subject. Destroying it makes everything sealed
/// under it unreadable and every handle made with it unlinkable.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey([u8; 32]);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey(redacted)")
    }
}

impl SubjectKey {
    /// A new key from the operating system's generator.
    ///
    /// # Errors
    /// [`AuditError::Randomness`] when the system gives none.
    pub fn random() -> Result<Self, AuditError> {
        random_bytes().map(SubjectKey)
    }

    /// A key that was stored before.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        SubjectKey(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The handle of this subject in entry `seq`: HMAC-SHA-256 of the sequence number. Two handles
    /// of one subject cannot be linked without the key.
    pub fn handle(&self, seq: u64) -> Digest {
        Digest(self.mac(b"driftlead/handle/1", &seq.to_le_bytes()))
    }

    /// Encrypts (XChaCha20-Poly1305, random nonce in front). `place` is bound to the ciphertext: it
    /// opens at no other place.
    ///
    /// # Errors
    /// [`AuditError::Randomness`], or [`AuditError::Sealed`] when the cipher refuses the length.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, AuditError> {
        self.seal_with(random_bytes()?, place, plain)
    }

    /// As [`Self::seal`], with a nonce from the operating system that serves for nothing else.
    pub(super) fn seal_with(
        &self,
        nonce: [u8; NONCE],
        place: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, AuditError> {
        let nonce = XNonce::from(nonce);
        let payload = Payload {
            msg: plain,
            aad: place,
        };
        let body = self
            .cipher()
            .encrypt(&nonce, payload)
            .map_err(|_| AuditError::Sealed)?;
        Ok([nonce.as_slice(), &body].concat())
    }

    /// Decrypts what [`Self::seal`] made for the same place.
    ///
    /// # Errors
    /// [`AuditError::Sealed`] when the bytes were changed, belong to another place or another key.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, AuditError> {
        let (nonce, body) = sealed
            .split_first_chunk::<NONCE>()
            .ok_or(AuditError::Sealed)?;
        let payload = Payload {
            msg: body,
            aad: place,
        };
        self.cipher()
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| AuditError::Sealed)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.mac(b"driftlead/seal/1", b"").into())
    }

    /// HMAC-SHA-256 under this key, kept apart by purpose.
    pub(crate) fn mac(&self, purpose: &[u8], data: &[u8]) -> [u8; 32] {
        hmac(&self.0, purpose, data)
    }
}

fn hmac(key: &[u8; 32], purpose: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC pads a key that is shorter than its block with zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(&(purpose.len() as u64).to_le_bytes());
    mac.update(purpose);
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], AuditError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| AuditError::Randomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_unchanged_at_its_place_under_its_key() {
        let key = SubjectKey::random().unwrap();
        let sealed = key.seal(b"seq 1", b"given").unwrap();
        assert_eq!(key.open(b"seq 1", &sealed).unwrap(), b"given");
        assert!(key.open(b"seq 2", &sealed).is_err());
        let other = SubjectKey::random().unwrap();
        assert!(other.open(b"seq 1", &sealed).is_err());
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(key.open(b"seq 1", &changed).is_err(), "byte {i}");
        }
        assert!(key.open(b"seq 1", &sealed[..10]).is_err());
    }

    #[test]
    fn handles_differ_by_entry_and_by_subject() {
        let (a, b) = (
            SubjectKey::from_bytes([1; 32]),
            SubjectKey::from_bytes([2; 32]),
        );
        assert_eq!(a.handle(7), a.handle(7));
        assert_ne!(a.handle(7), a.handle(8));
        assert_ne!(a.handle(7), b.handle(7));
        assert!(!format!("{a:?}").contains('1'));
    }
}
