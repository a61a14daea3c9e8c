//! The contracts in Rust: prost messages, their JSON form and their field rules.
//! `build.rs` compiles everything here from the `.proto` files of this folder. The crate has no transport; HTTP and Kafka are in
//! chassis.

mod messages {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "rendered by prost-build")]

    include!(concat!(env!("OUT_DIR"), "/proto.rs"));
    include!(concat!(env!("OUT_DIR"), "/validate_impl.rs"));
}

pub mod json;
pub mod rules;

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MessageDescriptor};
pub use prost_reflect::{DynamicMessage, ReflectMessage};

pub use messages::mart::*;
pub use rules::{Violation, check};

/// Every message, enum and option of the contracts.
pub static DESCRIPTORS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let bytes: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
    DescriptorPool::decode(bytes).expect("the build script encoded it")
});

/// A message of the contracts, with a name, a JSON form and field rules.
pub trait Wire: prost::Message + prost::Name + Default + prost_protovalidate::Validate {}

impl<M: prost::Message + prost::Name + Default + prost_protovalidate::Validate> Wire for M {}

/// Returns the descriptor of a message of the contracts.
pub fn descriptor<M: prost::Name>() -> MessageDescriptor {
    DESCRIPTORS.get_message_by_name(&M::full_name()).expect("every message is in the set that it was rendered from")
}

/// Returns the same message as a dynamic one, whose fields can be read by name.
pub fn dynamic<M: prost::Message + prost::Name>(message: &M) -> DynamicMessage {
    let mut dynamic = DynamicMessage::new(descriptor::<M>());
    dynamic.transcode_from(message).expect("both are of one contract");
    dynamic
}

/// Returns the text of the field at a path such as `product.etag`.
pub fn text(message: &DynamicMessage, path: &str) -> Option<String> {
    match path.split_once('.') {
        Some((name, rest)) => text(message.get_field_by_name(name)?.as_message()?, rest),
        None => message.get_field_by_name(path)?.as_str().map(str::to_owned),
    }
}

/// Returns the digest of some contracts: FNV-1a over their texts without carriage returns, each followed by a zero byte.
/// Generated code asserts the digest that martgen saw, so that a contract changed afterwards stops the build.
pub const fn digest(texts: &[&str]) -> u64 {
    let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
    let mut text = 0;
    while text < texts.len() {
        let bytes = texts[text].as_bytes();
        let mut at = 0;
        while at <= bytes.len() {
            let byte = if at < bytes.len() { bytes[at] } else { 0 };
            if byte != b'\r' {
                digest = (digest ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
            }
            at += 1;
        }
        text += 1;
    }
    digest
}
