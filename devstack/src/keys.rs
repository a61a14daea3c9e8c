//! One signing key per role, and tokens signed with them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, KeypairBytes};
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

/// A folder with the private keys of the roles and the JWKS of the public ones.
#[derive(Debug, Clone)]
pub struct Keys(PathBuf);

impl Keys {
    /// The keys of a folder; those that are missing are made.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let keys = Self(folder.to_owned());
        let _alone = alone(&keys.jwks())?;
        for role in ROLES {
            let path = keys.private(role);
            if !path.exists() {
                // Without the public half: jsonwebtoken reads version 1 of the format only (RFC 5958).
                let key = KeypairBytes { secret_key: random()?, public_key: None };
                let pem = key.to_pkcs8_pem(LineEnding::LF)?;
                write_private(&path, pem.as_bytes())?;
            }
        }
        let public: Result<Vec<Value>> = ROLES.iter().map(|role| keys.public(role)).collect();
        let set = serde_json::to_string_pretty(&json!({ "keys": public? }))?;
        if std::fs::read_to_string(keys.jwks()).ok().as_deref() != Some(&set) {
            write_private(&keys.jwks(), set.as_bytes())?;
        }
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

    /// The claims of a good token of a role.
    pub fn claims(role: &str, subject: &str) -> Value {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "role": role, "iat": now, "nbf": now, "exp": now + 900 })
    }

    /// A token of a role that is good for 15 minutes.
    pub fn token(&self, role: &str, subject: &str) -> Result<String> {
        if !ROLES.contains(&role) {
            bail!("there is no role {role:?}: use one of {}", ROLES.join(", "));
        }
        self.sign(role, &Self::claims(role, subject))
    }

    /// Signs any claims with the key of a role.
    pub fn sign(&self, role: &str, claims: &Value) -> Result<String> {
        self.sign_under(Some(&kid(role)), role, claims)
    }

    /// The same, but saying that it is another key, or none.
    pub fn sign_under(&self, kid: Option<&str>, role: &str, claims: &Value) -> Result<String> {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
        Ok(jsonwebtoken::encode(&header, claims, &self.key(role)?)?)
    }

    fn public(&self, role: &str) -> Result<Value> {
        let mut jwk = Jwk::from_encoding_key(&self.key(role)?, Algorithm::EdDSA)?;
        jwk.common.key_id = Some(kid(role));
        let mut value = serde_json::to_value(jwk)?;
        value["roles"] = json!([role]);
        Ok(value)
    }

    fn key(&self, role: &str) -> Result<EncodingKey> {
        let path = self.private(role);
        let pem = std::fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
        EncodingKey::from_ed_pem(&pem).with_context(|| format!("{} is no key: remove it for a new one", path.display()))
    }

    fn private(&self, role: &str) -> PathBuf {
        self.0.join(format!("{role}.pem"))
    }
}

fn kid(role: &str) -> String {
    format!("{role}-1")
}
