//! The use cases with the in-memory store and a scripted provider.

mod attempts;
mod orders;
mod reading;
mod refunds;
mod scripted;
mod webhooks;
mod world;

use payment_core::memory::MemoryStore;

payment_core::conformance!(async { MemoryStore::default() });
