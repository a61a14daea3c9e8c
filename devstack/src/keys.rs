//! The signing keys of each role, tokens signed with them, and how they are rotated.
//!
//! A key lives in three steps, none of which refuses a token that is good: it is **published** (the set of public keys names
//! it, nobody signs with it), it **signs** once every verifier has had the time to read the set again, and it is **withdrawn**
//! when another one signs and the last of its own tokens has run out. The folder says where each one is: `customer-2.next` is
//! published, `customer-2.pem` signs while no higher number does.

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

use crate::secrets::{alone, random, write_private};

/// The roles that have a key.
pub const ROLES: [&str; 2] = ["admin", "customer"];
/// The `iss` and the `aud` of the stack's tokens.
pub const ISSUER: &str = "mart-devstack";
/// See [`ISSUER`].
pub const AUDIENCE: &str = "mart";
/// From the publication of a key to its first token: more than any verifier takes to read the set again.
pub const READ_AGAIN: Duration = Duration::from_secs(5);
/// How long a token may be good, with what clocks may be apart.
pub const LONGEST_TOKEN: Duration = Duration::from_mins(16);

/// A key of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The role that it speaks for.
    pub role: &'static str,
    /// Its number: the highest one signs.
    pub number: u32,
    /// Its file.
    pub path: PathBuf,
}

impl Key {
    /// Its id.
    pub fn kid(&self) -> String {
        format!("{}-{}", self.role, self.number)
    }

    /// Whether it signs or has signed.
    fn signs(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "pem")
    }

    fn pem(&self) -> Result<String> {
        std::fs::read_to_string(&self.path).with_context(|| format!("{} can't be read", self.path.display()))
    }

    fn encoding(&self) -> Result<EncodingKey> {
        let wrong = || format!("{} is no key: remove it for a new one", self.path.display());
        EncodingKey::from_ed_pem(self.pem()?.as_bytes()).with_context(wrong)
    }

    /// Its public half in PEM, as Kong wants it.
    pub fn public_pem(&self) -> Result<String> {
        let key = SigningKey::from_pkcs8_pem(&self.pem()?).ok().with_context(|| format!("{} is no key", self.kid()))?;
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

/// A folder with the private keys of the roles and the JWKS of the public ones.
#[derive(Debug, Clone)]
pub struct Keys(PathBuf);

impl Keys {
    /// The keys of a folder; a role that has none gets one.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let keys = Self(folder.to_owned());
        let _alone = alone(&keys.jwks())?;
        let all = keys.all()?;
        for role in ROLES {
            if !all.iter().any(|key| key.role == role && key.signs()) {
                make(&folder.join(format!("{role}-1.pem")))?;
            }
        }
        keys.publish()?;
        Ok(keys)
    }

    /// The folder with the private keys: for who signs, and for nobody else.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The file with the public keys.
    pub fn jwks(&self) -> PathBuf {
        self.0.join("jwks.json")
    }

    /// All keys that are published, by role and number.
    pub fn all(&self) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(&self.0)? {
            let path = entry?.path();
            let known = path.extension().is_some_and(|extension| extension == "pem" || extension == "next");
            let name = path.file_stem().and_then(|name| name.to_str()).filter(|_| known);
            let Some((role, number)) = name.and_then(|name| name.rsplit_once('-')) else { continue };
            let role = ROLES.into_iter().find(|known| *known == role);
            if let (Some(role), Ok(number)) = (role, number.parse()) {
                keys.push(Key { role, number, path });
            }
        }
        keys.sort_by(|one, other| (one.role, one.number).cmp(&(other.role, other.number)));
        Ok(keys)
    }

    /// The step of its life that a key is at.
    pub fn step(&self, key: &Key) -> Result<&'static str> {
        Ok(if !key.signs() {
            "is published"
        } else if self.signing(key.role)? == *key {
            "signs"
        } else {
            "is good for tokens that it has signed"
        })
    }

    /// First step: makes a key for every role and publishes it. One that an interrupted rotation left is taken.
    pub fn publish_next(&self) -> Result<()> {
        let _alone = alone(&self.jwks())?;
        let all = self.all()?;
        for role in ROLES {
            let of_role: Vec<&Key> = all.iter().filter(|key| key.role == role).collect();
            if of_role.iter().all(|key| key.signs()) {
                let number = of_role.last().map_or(1, |key| key.number + 1);
                make(&self.0.join(format!("{role}-{number}.next")))?;
            }
        }
        self.publish()
    }

    /// Second step, [`READ_AGAIN`] after the first: what is published signs from now on.
    pub fn sign_with_next(&self) -> Result<()> {
        let _alone = alone(&self.jwks())?;
        for key in self.all()?.into_iter().filter(|key| !key.signs()) {
            // The key's age is counted from here on.
            std::fs::File::options().append(true).open(&key.path)?.set_modified(SystemTime::now())?;
            std::fs::rename(&key.path, key.path.with_extension("pem"))?;
        }
        Ok(())
    }

    /// Third step: withdraws those whose last token has run out because another one has been signing for long enough. Which.
    pub fn withdraw(&self, longest_token: Duration) -> Result<Vec<String>> {
        let _alone = alone(&self.jwks())?;
        let all = self.all()?;
        let mut withdrawn = Vec::new();
        for pair in all.windows(2).filter(|pair| pair[0].role == pair[1].role && pair[1].signs()) {
            let age = std::fs::metadata(&pair[1].path)?.modified()?.elapsed().unwrap_or_default();
            if age >= longest_token {
                std::fs::remove_file(&pair[0].path)?;
                withdrawn.push(pair[0].kid());
            }
        }
        // Also what another one withdrew that died before it could say so.
        self.publish()?;
        Ok(withdrawn)
    }

    /// The claims of a good token of a role.
    pub fn claims(role: &str, subject: &str) -> Value {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "role": role, "iat": now, "nbf": now, "exp": now + 900 })
    }

    /// A token of a role that is good for 15 minutes.
    pub fn token(&self, role: &str, subject: &str) -> Result<String> {
        self.sign(role, &Self::claims(role, subject))
    }

    /// Signs any claims with the key of a role.
    pub fn sign(&self, role: &str, claims: &Value) -> Result<String> {
        let key = self.signing(role)?;
        encode(Some(&key.kid()), claims, &key.encoding()?)
    }

    /// The same, but saying that it is another key, or none.
    pub fn sign_under(&self, kid: Option<&str>, role: &str, claims: &Value) -> Result<String> {
        encode(kid, claims, &self.signing(role)?.encoding()?)
    }

    fn signing(&self, role: &str) -> Result<Key> {
        if !ROLES.contains(&role) {
            bail!("there is no role {role:?}: use one of {}", ROLES.join(", "));
        }
        let newest = self.all()?.into_iter().rfind(|key| key.role == role && key.signs());
        newest.with_context(|| format!("{} has no key of {role}", self.0.display()))
    }

    /// Writes the set of public keys, where it is another than it was.
    fn publish(&self) -> Result<()> {
        let public: Result<Vec<Value>> = self.all()?.iter().map(Key::jwk).collect();
        let set = serde_json::to_string_pretty(&json!({ "keys": public? }))?;
        if std::fs::read_to_string(self.jwks()).ok().as_deref() != Some(&set) {
            write_private(&self.jwks(), set.as_bytes())?;
        }
        Ok(())
    }
}

fn make(path: &Path) -> Result<()> {
    // Without the public half: jsonwebtoken reads version 1 of the format only (RFC 5958).
    let key = KeypairBytes { secret_key: random()?, public_key: None };
    write_private(path, key.to_pkcs8_pem(LineEnding::LF)?.as_bytes())
}

fn encode(kid: Option<&str>, claims: &Value, key: &EncodingKey) -> Result<String> {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
    Ok(jsonwebtoken::encode(&header, claims, key)?)
}
