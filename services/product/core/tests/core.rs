//! The use cases over the store in memory, and the proof that this store is one.

mod memory {
    product_core::conformance!(async { product_core::memory::MemoryProducts::default() });
}
