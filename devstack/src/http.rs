//! HTTP clients for servers on this machine, without TLS. They skip the root certificates, because loading those takes a debug
//! build longer than most requests.

use reqwest::{Client, ClientBuilder};

/// Returns a builder of clients without root certificates.
pub fn builder() -> ClientBuilder {
    Client::builder().tls_certs_only([])
}

/// Returns a client with the default settings.
///
/// # Panics
/// If the client can't be created.
pub fn client() -> Client {
    builder().build().expect("a client without certificates")
}
