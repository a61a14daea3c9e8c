//! The signing keys of each role, the tokens that they sign, and their rotation.
//!
//! A rotation has three steps, so that every valid token is accepted at any time. First the new key is **published**: it is in the
//! set of public keys, but does not sign yet. It **signs** when every verifier has had the time to reread the set. The old key is
//! **withdrawn** when its last token has expired. The file names have the state: `customer-2.next` is published, and of the
//! `customer-N.pem` the one with the highest number signs.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::secrets::{lock, random_bytes, write_private};

/// The roles that have a key.
pub const ROLES: [&str; 2] = ["admin", "customer"];
/// The issuer (`iss`) of the stack's tokens.
pub const ISSUER: &str = "mart-devstack";
/// The audience (`aud`) of the stack's tokens.
pub const AUDIENCE: &str = "mart";
/// The delay between the publication of a key and its first token. Every verifier rereads the keys more often.
pub const SIGNING_DELAY: Duration = Duration::from_secs(5);
/// The maximum lifetime of a token, clock skew included.
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_mins(16);

/// A key of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The role of the tokens that the key signs.
    pub role: &'static str,
    /// The key's number within the role. The highest number signs.
    pub number: u32,
    /// The file of the private key.
    pub path: PathBuf,
}

impl Key {
    /// Returns the key's id.
    pub fn kid(&self) -> String {
        format!("{}-{}", self.role, self.number)
    }

    /// Returns whether the key signs or has signed.
    fn signs(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "pem")
    }

    fn pem(&self) -> Result<String> {
        std::fs::read_to_string(&self.path).with_context(|| format!("cannot read {}", self.path.display()))
    }

    fn encoding(&self) -> Result<EncodingKey> {
        let context = || format!("{} is not a valid key: delete it, and a new one is created", self.path.display());
        EncodingKey::from_ed_pem(self.pem()?.as_bytes()).with_context(context)
    }

    /// Returns the public key in PEM, the format of Kong.
    pub fn public_pem(&self) -> Result<String> {
        let key = SigningKey::from_pkcs8_pem(&self.pem()?);
        let key = key.ok().with_context(|| format!("{} is not a valid key", self.path.display()))?;
        Ok(key.verifying_key().to_public_key_pem(LineEnding::LF)?)
    }

    fn jwk(&self) -> Result<Value> {
        let mut jwk = Jwk::from_encoding_key(&self.encoding()?, Algorithm::EdDSA)?;
        jwk.common.key_id = Some(self.kid());
        let mut value = serde_json::to_value(jwk)?;
        value["roles"] = json!([self.role]);
        Ok(value)
    }
}

/// A folder with the private keys of the roles and the public keys as a JWKS.
#[derive(Debug, Clone)]
pub struct Keys(PathBuf);

impl Keys {
    /// Opens the keys of a folder. Creates the first key of a role that has none.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let keys = Self(folder.to_owned());
        let _lock = lock(&keys.jwks())?;
        let all = keys.all()?;
        for role in ROLES {
            if !all.iter().any(|key| key.role == role && key.signs()) {
                create(&folder.join(format!("{role}-1.pem")))?;
            }
        }
        keys.publish()?;
        Ok(keys)
    }

    /// Returns the folder with the private keys. Only the signer of tokens may read it.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Returns the path of the file with the public keys.
    pub fn jwks(&self) -> PathBuf {
        self.0.join("jwks.json")
    }

    /// Returns all published keys, ordered by role and number.
    pub fn all(&self) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(&self.0)? {
            let path = entry?.path();
            let is_key = path.extension().is_some_and(|extension| extension == "pem" || extension == "next");
            let name = path.file_stem().and_then(|name| name.to_str()).filter(|_| is_key);
            let Some((role, number)) = name.and_then(|name| name.rsplit_once('-')) else { continue };
            let role = ROLES.into_iter().find(|other| *other == role);
            if let (Some(role), Ok(number)) = (role, number.parse()) {
                keys.push(Key { role, number, path });
            }
        }
        keys.sort_by(|one, other| (one.role, one.number).cmp(&(other.role, other.number)));
        Ok(keys)
    }

    /// Returns a description of a key's state.
    pub fn state(&self, key: &Key) -> Result<&'static str> {
        Ok(if !key.signs() {
            "published, does not sign yet"
        } else if self.signing(key.role)? == *key {
            "signs"
        } else {
            "replaced, its tokens are valid until they expire"
        })
    }

    /// First step of a rotation: creates and publishes a key for every role, unless an interrupted rotation has left one.
    pub fn publish_next(&self) -> Result<()> {
        let _lock = lock(&self.jwks())?;
        let all = self.all()?;
        for role in ROLES {
            let of_role: Vec<&Key> = all.iter().filter(|key| key.role == role).collect();
            if of_role.iter().all(|key| key.signs()) {
                let number = of_role.last().map_or(1, |key| key.number + 1);
                create(&self.0.join(format!("{role}-{number}.next")))?;
            }
        }
        self.publish()
    }

    /// Second step, [`SIGNING_DELAY`] after the first: makes the published keys sign.
    pub fn sign_with_next(&self) -> Result<()> {
        let _lock = lock(&self.jwks())?;
        for key in self.all()?.into_iter().filter(|key| !key.signs()) {
            // `withdraw` counts the key's age from its modification time.
            std::fs::File::options().append(true).open(&key.path)?.set_modified(SystemTime::now())?;
            std::fs::rename(&key.path, key.path.with_extension("pem"))?;
        }
        Ok(())
    }

    /// Third step: withdraws the keys whose successor has been signing for `max_lifetime`, so that their last token has expired.
    /// Returns their ids.
    pub fn withdraw(&self, max_lifetime: Duration) -> Result<Vec<String>> {
        let _lock = lock(&self.jwks())?;
        let all = self.all()?;
        let mut withdrawn = Vec::new();
        for pair in all.windows(2).filter(|pair| pair[0].role == pair[1].role && pair[1].signs()) {
            let age = std::fs::metadata(&pair[1].path)?.modified()?.elapsed().unwrap_or_default();
            if age >= max_lifetime {
                std::fs::remove_file(&pair[0].path)?;
                withdrawn.push(pair[0].kid());
            }
        }
        // Also covers keys that another process withdrew if it crashed before it published the set.
        self.publish()?;
        Ok(withdrawn)
    }

    /// Returns the claims of a valid token of a role.
    pub fn claims(role: &str, subject: &str) -> Value {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "role": role, "iat": now, "nbf": now, "exp": now + 900 })
    }

    /// Returns a token of a role that is valid for 15 minutes.
    pub fn token(&self, role: &str, subject: &str) -> Result<String> {
        self.sign(role, &Self::claims(role, subject))
    }

    /// Returns a token with these claims, signed with the key of a role.
    pub fn sign(&self, role: &str, claims: &Value) -> Result<String> {
        let key = self.signing(role)?;
        encode(Some(&key.kid()), claims, &key.encoding()?)
    }

    /// Like [`Keys::sign`], but with another key id in the token's header, or none. For tests.
    pub fn sign_with_kid(&self, kid: Option<&str>, role: &str, claims: &Value) -> Result<String> {
        encode(kid, claims, &self.signing(role)?.encoding()?)
    }

    fn signing(&self, role: &str) -> Result<Key> {
        if !ROLES.contains(&role) {
            bail!("unknown role {role:?}: use one of {}", ROLES.join(", "));
        }
        let newest = self.all()?.into_iter().rfind(|key| key.role == role && key.signs());
        newest.with_context(|| format!("{} has no signing key of the role {role}", self.0.display()))
    }

    /// Writes the set of public keys if it has changed.
    fn publish(&self) -> Result<()> {
        let public: Result<Vec<Value>> = self.all()?.iter().map(Key::jwk).collect();
        let set = serde_json::to_string_pretty(&json!({ "keys": public? }))?;
        if std::fs::read_to_string(self.jwks()).ok().as_deref() != Some(&set) {
            write_private(&self.jwks(), set.as_bytes())?;
        }
        Ok(())
    }
}

fn create(path: &Path) -> Result<()> {
    // Without the public key, because jsonwebtoken reads only version 1 of the format (RFC 5958).
    let key = KeypairBytes { secret_key: random_bytes()?, public_key: None };
    write_private(path, key.to_pkcs8_pem(LineEnding::LF)?.as_bytes())
}

fn encode(kid: Option<&str>, claims: &Value, key: &EncodingKey) -> Result<String> {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
    Ok(jsonwebtoken::encode(&header, claims, key)?)
}
