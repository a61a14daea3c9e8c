//! HTTP clients for this machine. Nothing that the devstack and its tests talk to has a certificate; reading those of all authorities
//! costs a debug build more than most of its requests.

use reqwest::{Client, ClientBuilder};

/// A client with settings of its own.
pub fn builder() -> ClientBuilder {
    Client::builder().tls_certs_only([])
}

/// A client.
///
/// # Panics
/// If this machine can have none.
pub fn client() -> Client {
    builder().build().expect("a client without certificates")
}
