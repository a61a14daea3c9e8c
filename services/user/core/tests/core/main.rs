//! Accounts, sessions and throttling with the in-memory store.

mod accounts;
mod registration;
mod sessions;
mod throttling;
mod world;

user_core::conformance!(async { user_core::memory::MemoryStore::default() });
