//! The file that a gateway serves: the file rendered from the contracts, plus the public keys and the services' addresses.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, ensure};

use super::config::File;
use crate::keys::{Keys, ROLES};

/// Returns the rendered file with a consumer and its public keys for each role, and with the given addresses of services. The
/// result contains no secret.
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
        let found = file.services.iter().find(|found| found.name == *service);
        ensure!(
            found.is_none_or(|found| found.url == *address),
            "kong/kong.yml was edited: the url of {service} is not the one that martgen renders; run cargo martgen generate"
        );
    }
    Ok(text)
}
