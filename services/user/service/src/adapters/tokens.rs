//! Access tokens and random secrets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mart_kernel::Timestamp;
use serde_json::json;
use time::Duration;
use user_core::domain::events::Token;
use user_core::domain::{Role, UserId};
use user_core::ports::{Secrets, Signer};

/// The default validity of an access token.
pub const ACCESS_TOKEN_TTL: Duration = Duration::minutes(10);

/// Signs access tokens with EdDSA. Customers and admins have separate keys, so that a leaked customer key cannot sign an admin's
/// token.
///
/// The keys are files of a folder, such as `customer-1.pem` and `admin-1.pem`: Ed25519 in PKCS#8. A file's name is the key's id,
/// and the highest number of a role signs. The folder is checked for changes before each signature. To rotate a key, publish its
/// public half to the services and the gateway first, then add the new file.
pub struct EdDsa {
    folder: PathBuf,
    keys: RwLock<Folder>,
    issuer: String,
    audience: String,
    ttl: Duration,
}

/// The granularity of modification times: a folder that changed less than this ago may change again with the same time.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);

/// The newest key of each role, as last read from the folder.
struct Folder {
    /// The folder's modification time; `None` if it was too recent to be reliable, so that the folder is read again.
    changed: Option<SystemTime>,
    keys: HashMap<&'static str, Arc<Key>>,
}

struct Key {
    kid: String,
    key: EncodingKey,
}

/// Returns the name of a role in tokens.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Customer => "customer",
        Role::Admin => "admin",
    }
}

impl Folder {
    fn read(folder: &Path, changed: SystemTime) -> Result<Self> {
        let mut newest: HashMap<&'static str, (u32, PathBuf)> = HashMap::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".pem"));
            let Some((role, number)) = name.and_then(|name| name.rsplit_once('-')) else { continue };
            let role = [Role::Customer, Role::Admin].map(role_name).into_iter().find(|known| *known == role);
            let (Some(role), Ok(number)) = (role, number.parse()) else { continue };
            if newest.get(role).is_none_or(|(known, _)| *known < number) {
                newest.insert(role, (number, path));
            }
        }
        let mut keys = HashMap::new();
        for role in [Role::Customer, Role::Admin].map(role_name) {
            let (number, path) =
                newest.get(role).with_context(|| format!("{} has no {role}-1.pem", folder.display()))?;
            let pem = std::fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
            let key = EncodingKey::from_ed_pem(&pem)
                .with_context(|| format!("{} is not an Ed25519 key in PKCS#8", path.display()))?;
            keys.insert(role, Arc::new(Key { kid: format!("{role}-{number}"), key }));
        }
        let settled = changed.elapsed().is_ok_and(|age| age > TICK);
        Ok(Self { changed: settled.then_some(changed), keys })
    }
}

impl EdDsa {
    /// Loads the keys of a folder.
    pub fn load(folder: &Path, issuer: &str, audience: &str) -> Result<Self> {
        let changed = changed(folder).with_context(|| format!("{} can't be read", folder.display()))?;
        let keys = RwLock::new(Folder::read(folder, changed)?);
        Ok(Self {
            folder: folder.to_owned(),
            keys,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            ttl: ACCESS_TOKEN_TTL,
        })
    }

    /// Sets the validity of the tokens.
    #[must_use]
    pub fn with_ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// Returns the newest key of a role. If the folder changed and cannot be read, the current keys stay.
    fn key(&self, role: &'static str) -> Option<Arc<Key>> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).changed;
        if let Ok(now) = changed(&self.folder)
            && known != Some(now)
        {
            match Folder::read(&self.folder, now) {
                Ok(folder) => *self.keys.write().unwrap_or_else(PoisonError::into_inner) = folder,
                Err(error) => tracing::error!(%error, "the new signing keys are invalid; the current ones stay"),
            }
        }
        self.keys.read().unwrap_or_else(PoisonError::into_inner).keys.get(role).cloned()
    }

    fn signed_token(&self, user: UserId, role: Role, now: Timestamp) -> Result<(String, Timestamp)> {
        let role = role_name(role);
        let key = self.key(role).context("every role has a key")?;
        let until = Timestamp::new(now.get() + self.ttl);
        let (issued, expires) = (now.get().unix_timestamp(), until.get().unix_timestamp());
        let claims = json!({
            "iss": self.issuer, "aud": self.audience, "sub": user.0.to_string(), "role": role,
            "iat": issued, "nbf": issued, "exp": expires,
        });
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        Ok((jsonwebtoken::encode(&header, &claims, &key.key)?, until))
    }
}

fn changed(folder: &Path) -> std::io::Result<SystemTime> {
    std::fs::metadata(folder)?.modified()
}

impl Signer for EdDsa {
    fn sign(&self, user: UserId, role: Role, now: Timestamp) -> Option<(String, Timestamp)> {
        let signed = self.signed_token(user, role, now);
        signed.inspect_err(|error| tracing::error!(%error, "a token could not be signed")).ok()
    }
}

impl std::fmt::Debug for EdDsa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EdDsa").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Secrets of 256 bits from the operating system.
#[derive(Debug, Clone, Copy)]
pub struct RandomSecrets;

impl Secrets for RandomSecrets {
    fn next(&self) -> Token {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system has random numbers");
        Token(URL_SAFE_NO_PAD.encode(bytes))
    }
}
