//! Bearer tokens: who signed them decides what they may say.
//!
//! The trusted public keys stand in a JWKS file (RFC 7517). Each key names its `kid`, its `alg` and, in the member
//! `roles`, the roles that it may speak for: a customer's key can never make an admin. The algorithm is the key's, never
//! the token's. There is deliberately no signing here.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// How far two clocks may be apart, in seconds.
const LEEWAY: u64 = 30;
/// How often the file is looked at.
const RELOAD: Duration = Duration::from_secs(2);

/// The holder of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`.
    pub subject: String,
    /// The token's `role`.
    pub role: String,
}

/// Why a token is not taken. Nothing of the token is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token, or one without `kid`.
    #[error("not a token with a key id")]
    Malformed,
    /// No key has this `kid`.
    #[error("its key is not known")]
    UnknownKey,
    /// The signature, the algorithm or a claim is not what it should be.
    #[error("refused: {0}")]
    Refused(String),
    /// The key may not speak for the token's role.
    #[error("its key may not speak for its role")]
    Role,
}

/// Why a key file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It can't be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not a JWKS whose keys all have `kid`, `alg` (ES256 or EdDSA) and `roles`.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
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

/// A trusted key as others may know it: the members of its JSON Web Key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PublicKey {
    /// Names it.
    pub kid: String,
    /// The family: `OKP` or `EC`.
    pub kty: String,
    /// The only algorithm of its tokens.
    pub alg: String,
    /// The curve.
    pub crv: String,
    /// The key, or its first coordinate.
    pub x: String,
    /// The second coordinate; empty where there is none.
    #[serde(default)]
    pub y: String,
    /// The roles that it may speak for.
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

/// The public keys that are trusted, by `kid`.
pub struct Keys {
    path: PathBuf,
    issuer: String,
    audience: String,
    trusted: RwLock<Arc<HashMap<String, TrustedKey>>>,
    /// The file's time when it was read first.
    loaded: Option<Stamp>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads the keys of a file; tokens must name this issuer and audience.
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

    /// Follows the file: whenever it changes its keys are read again. A file that can't be used leaves the keys as they
    /// are.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut seen = self.loaded;
        loop {
            tokio::time::sleep(RELOAD).await;
            // Before the text is read: a change in between is seen the next time.
            let now = modified(&self.path);
            if now == seen {
                continue;
            }
            match self.reload() {
                Ok(()) => {
                    tracing::info!("the token keys were read again");
                    seen = now;
                }
                Err(error) => tracing::error!(%error, "the token keys can't be used; the old ones stay"),
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

    /// All keys that are trusted now, in the order of their ids.
    pub fn published(&self) -> Vec<PublicKey> {
        let trusted = self.trusted.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut keys: Vec<PublicKey> = trusted.values().map(|key| key.public.clone()).collect();
        keys.sort_by(|one, other| one.kid.cmp(&other.kid));
        keys
    }

    /// Checks signature, algorithm, exp, nbf, iss and aud, and that the key may speak for the role.
    pub fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let kid = header.kid.ok_or(TokenError::Malformed)?;
        let trusted = self.trusted.read().unwrap_or_else(PoisonError::into_inner).clone();
        let key = trusted.get(&kid).ok_or(TokenError::UnknownKey)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.key, &key.validation)
            .map_err(|error| TokenError::Refused(error.to_string()))?
            .claims;
        if key.public.roles.contains(&claims.role) {
            Ok(Identity { subject: claims.sub, role: claims.role })
        } else {
            Err(TokenError::Role)
        }
    }
}

/// When a file was written and which one it is: two that take one's place within a tick of the clock are two.
type Stamp = (SystemTime, u64);

fn modified(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.ino()))
}
