//! Access tokens, and secrets that nobody can guess.

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

/// How long an access token is good where nobody says otherwise.
pub const ACCESS_TOKEN_TTL: Duration = Duration::minutes(10);

/// Signs access tokens by EdDSA: those of customers and those of admins with keys of their own, so that a key of customers
/// that is lost makes nobody an admin.
///
/// The keys are files of a folder, `customer-1.pem` and `admin-1.pem`, Ed25519 in PKCS#8. A file's name is the key's id, and the
/// highest number of a role signs. The folder is looked at for every token: who rotates the keys puts a new file there, after
/// its public half is where services and gateway look for it.
pub struct EdDsa {
    folder: PathBuf,
    keys: RwLock<Folder>,
    issuer: String,
    audience: String,
    ttl: Duration,
}

/// A folder that changed less than this ago may change once more within a tick of its clock.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);

/// The newest key of each role, as the folder was at a time.
struct Folder {
    /// When it had changed; nothing where that was just before it was read, so that it is read again.
    changed: Option<SystemTime>,
    keys: HashMap<&'static str, Arc<Key>>,
}

struct Key {
    kid: String,
    key: EncodingKey,
}

/// The name of a role in tokens.
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
                .with_context(|| format!("{} is no Ed25519 key in PKCS#8", path.display()))?;
            keys.insert(role, Arc::new(Key { kid: format!("{role}-{number}"), key }));
        }
        let settled = changed.elapsed().is_ok_and(|age| age > TICK);
        Ok(Self { changed: settled.then_some(changed), keys })
    }
}

impl EdDsa {
    /// Takes the keys of a folder.
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

    /// The same, with tokens that are good for so long.
    #[must_use]
    pub fn with_ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// The newest key of a role. A folder that can't be used leaves the keys as they are.
    fn key(&self, role: &'static str) -> Option<Arc<Key>> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).changed;
        if let Ok(now) = changed(&self.folder)
            && known != Some(now)
        {
            match Folder::read(&self.folder, now) {
                Ok(folder) => *self.keys.write().unwrap_or_else(PoisonError::into_inner) = folder,
                Err(error) => tracing::error!(%error, "the signing keys can't be used; the old ones stay"),
            }
        }
        self.keys.read().unwrap_or_else(PoisonError::into_inner).keys.get(role).cloned()
    }

    fn signed(&self, user: UserId, role: Role, now: Timestamp) -> Result<(String, Timestamp)> {
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
        let signed = self.signed(user, role, now);
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
