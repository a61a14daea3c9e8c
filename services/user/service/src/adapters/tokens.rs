//! Access tokens, and secrets that nobody can guess.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mart_kernel::Timestamp;
use serde_json::json;
use time::Duration;
use user_core::domain::fact::Token;
use user_core::domain::{Role, UserId};
use user_core::ports::{Secrets, Signer};

/// How long an access token is good.
const LASTS: Duration = Duration::minutes(10);

/// Signs access tokens by EdDSA: those of customers and those of admins with keys of their own, so that a key of customers
/// that is lost makes nobody an admin.
pub struct EdDsa {
    keys: HashMap<&'static str, (String, EncodingKey)>,
    issuer: String,
    audience: String,
}

/// The name of a role in tokens.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Customer => "customer",
        Role::Admin => "admin",
    }
}

impl EdDsa {
    /// Takes the keys of a folder: `customer.pem` and `admin.pem`, Ed25519 in PKCS#8; their ids are `customer-1` and `admin-1`.
    pub fn load(folder: &Path, issuer: &str, audience: &str) -> Result<Self> {
        let mut keys = HashMap::new();
        for role in [Role::Customer, Role::Admin].map(role_name) {
            let path = folder.join(format!("{role}.pem"));
            let pem = std::fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
            let key = EncodingKey::from_ed_pem(&pem)
                .with_context(|| format!("{} is no Ed25519 key in PKCS#8", path.display()))?;
            keys.insert(role, (format!("{role}-1"), key));
        }
        Ok(Self { keys, issuer: issuer.to_owned(), audience: audience.to_owned() })
    }

    fn signed(&self, user: UserId, role: Role, now: Timestamp) -> Result<(String, Timestamp)> {
        let role = role_name(role);
        let (kid, key) = self.keys.get(role).context("every role has a key")?;
        let until = Timestamp::new(now.get() + LASTS);
        let (issued, expires) = (now.get().unix_timestamp(), until.get().unix_timestamp());
        let claims = json!({
            "iss": self.issuer, "aud": self.audience, "sub": user.0.to_string(), "role": role,
            "iat": issued, "nbf": issued, "exp": expires,
        });
        let header = Header { kid: Some(kid.clone()), ..Header::new(Algorithm::EdDSA) };
        Ok((jsonwebtoken::encode(&header, &claims, key)?, until))
    }
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
