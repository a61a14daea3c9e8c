//! The file that a gateway serves: what was rendered from the contracts, with the keys of tokens and the addresses of services.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, ensure};

use super::config::File;
use crate::keys::{Keys, ROLES};

/// Adds a consumer for each role, with all of its keys, and sends each service's requests to an address of its own where one is
/// given. Keys are public: there is no secret in it.
pub fn effective(rendered: &str, keys: &Keys, addresses: &BTreeMap<String, String>) -> Result<String> {
    let mut text = rendered.trim_end().to_owned();
    for (service, address) in addresses {
        let (before, after) =
            (format!("    url: http://{}:8080\n", service.replace('_', "-")), format!("    url: {address}\n"));
        text = text.replace(&before, &after);
    }
    text.push_str("\n\nconsumers:\n");
    let all = keys.all()?;
    for role in ROLES {
        let _ = write!(text, "  - username: {role}\n    acls:\n      - group: {role}\n    jwt_secrets:\n");
        for key in all.iter().filter(|key| key.role == role) {
            let _ = write!(
                text,
                "      - key: {}\n        algorithm: EdDSA\n        rsa_public_key: |\n{}",
                key.kid(),
                key.public_pem()?.lines().fold(String::new(), |text, line| text + "          " + line + "\n")
            );
        }
    }
    let file = File::parse(&text)?;
    for (service, address) in addresses {
        let known = file.services.iter().find(|known| known.name == *service);
        ensure!(
            known.is_none_or(|known| known.url == *address),
            "kong/kong.yml has another url for {service} than martgen renders: run cargo martgen generate"
        );
    }
    Ok(text)
}
