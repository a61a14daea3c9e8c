//! Verification of bearer tokens.
//!
//! The trusted public keys are in a JWKS file (RFC 7517). Each key has its `kid`, its `alg` and, in the member `roles`, the roles
//! that its tokens may have, so that a customers' key cannot sign an admin's token. The algorithm is the key's, never the token's.
//! Only the user service signs tokens.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// The tolerated difference between two clocks in seconds.
const LEEWAY: u64 = 30;
/// The time between two checks of the file.
const RELOAD: Duration = Duration::from_secs(2);

/// The holder of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`.
    pub subject: String,
    /// The token's `role`.
    pub role: String,
}

/// The reason to reject a token. It contains no part of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The text is not a token, or the token has no `kid`.
    #[error("not a token with a key id")]
    Malformed,
    /// No key has this `kid`.
    #[error("its key is unknown")]
    UnknownKey,
    /// The signature, the algorithm or a claim is invalid.
    #[error("rejected: {0}")]
    Rejected(String),
    /// The key may not grant the token's role.
    #[error("its key may not grant its role")]
    Role,
}

/// The errors of reading a key file.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file can't be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        error: std::io::Error,
    },
    /// The file is not a JWKS whose keys all have `kid`, `alg` (ES256 or EdDSA) and `roles`.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The fault.
        problem: String,
    },
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(flatten)]
    jwk: Jwk,
    #[serde(flatten)]
    public: PublicKey,
}

/// The public members of a trusted JSON Web Key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PublicKey {
    /// The key's id.
    pub kid: String,
    /// The key type: `OKP` or `EC`.
    pub kty: String,
    /// The only accepted algorithm.
    pub alg: String,
    /// The curve.
    pub crv: String,
    /// The public key, or its x coordinate.
    pub x: String,
    /// The y coordinate; empty if there is none.
    #[serde(default)]
    pub y: String,
    /// The roles that its tokens may have.
    pub roles: Vec<String>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    role: String,
}

struct TrustedKey {
    key: DecodingKey,
    validation: Validation,
    public: PublicKey,
}

/// The trusted public keys by `kid`.
pub struct Keys {
    path: PathBuf,
    issuer: String,
    audience: String,
    trusted: RwLock<Arc<HashMap<String, TrustedKey>>>,
    /// The state of the file when it was first read.
    loaded: Option<Stamp>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Keys {
    /// Loads the keys of a file. Tokens must have this issuer and audience.
    pub fn load(path: &Path, issuer: &str, audience: &str) -> Result<Self, KeysError> {
        let keys = Self {
            path: path.to_owned(),
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            trusted: RwLock::default(),
            loaded: modified(path),
        };
        keys.reload()?;
        Ok(keys)
    }

    /// Reloads the file whenever it changes. If the new file is invalid, the current keys stay.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut seen = self.loaded;
        loop {
            tokio::time::sleep(RELOAD).await;
            // Before the file is read, so that a change in between is found the next time.
            let now = modified(&self.path);
            if now == seen {
                continue;
            }
            match self.reload() {
                Ok(()) => {
                    tracing::info!("the token keys were reloaded");
                    seen = now;
                }
                Err(error) => tracing::error!(%error, "the new token keys are invalid; the current ones stay"),
            }
        }
    }

    fn reload(&self) -> Result<(), KeysError> {
        let text = std::fs::read_to_string(&self.path)
            .map_err(|error| KeysError::Unreadable { path: self.path.clone(), error })?;
        let malformed = |problem: String| KeysError::Malformed { path: self.path.clone(), problem };
        let set: KeySet = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        let mut trusted = HashMap::new();
        for entry in set.keys {
            let kid = entry.public.kid.clone();
            let key = self.trust(&entry).map_err(|problem| malformed(format!("key {kid:?}: {problem}")))?;
            if trusted.insert(kid.clone(), key).is_some() {
                return Err(malformed(format!("two keys have the kid {kid:?}")));
            }
        }
        *self.trusted.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(trusted);
        Ok(())
    }

    fn trust(&self, entry: &Entry) -> Result<TrustedKey, String> {
        let named = entry.jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        let algorithm = match named.as_deref() {
            Some("ES256") => Algorithm::ES256,
            Some("EdDSA") => Algorithm::EdDSA,
            other => return Err(format!("alg is {}, not ES256 or EdDSA", other.unwrap_or("missing"))),
        };
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let key = DecodingKey::from_jwk(&entry.jwk).map_err(|error| error.to_string())?;
        Ok(TrustedKey { key, validation, public: entry.public.clone() })
    }

    /// Returns the trusted keys, ordered by id.
    pub fn published(&self) -> Vec<PublicKey> {
        let trusted = self.trusted.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut keys: Vec<PublicKey> = trusted.values().map(|key| key.public.clone()).collect();
        keys.sort_by(|one, other| one.kid.cmp(&other.kid));
        keys
    }

    /// Verifies signature, algorithm, exp, nbf, iss and aud, and that the key may grant the role.
    pub fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let kid = header.kid.ok_or(TokenError::Malformed)?;
        let trusted = self.trusted.read().unwrap_or_else(PoisonError::into_inner).clone();
        let key = trusted.get(&kid).ok_or(TokenError::UnknownKey)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.key, &key.validation)
            .map_err(|error| TokenError::Rejected(error.to_string()))?
            .claims;
        if key.public.roles.contains(&claims.role) {
            Ok(Identity { subject: claims.sub, role: claims.role })
        } else {
            Err(TokenError::Role)
        }
    }
}

/// The modification time and the inode of a file. The inode distinguishes two files that are replaced within a tick of the clock.
type Stamp = (SystemTime, u64);

fn modified(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.ino()))
}
