//! The contracts in Rust: prost messages, their JSON form and their field rules.
//!
//! Everything here is read from the `.proto` files of this folder by `build.rs`. There is deliberately no transport in
//! this crate: HTTP is chassis's and Kafka is chassis's.

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

/// A message of the contracts: it has a name, a JSON form and field rules.
pub trait Wire: prost::Message + prost::Name + Default + prost_protovalidate::Validate {}

impl<M: prost::Message + prost::Name + Default + prost_protovalidate::Validate> Wire for M {}

/// The descriptor of a message of the contracts.
pub fn descriptor<M: prost::Name>() -> MessageDescriptor {
    DESCRIPTORS.get_message_by_name(&M::full_name()).expect("every message is in the set that it was rendered from")
}

/// The same message as one whose fields can be asked for by name.
pub fn dynamic<M: prost::Message + prost::Name>(message: &M) -> DynamicMessage {
    let mut dynamic = DynamicMessage::new(descriptor::<M>());
    dynamic.transcode_from(message).expect("both are of one contract");
    dynamic
}

/// The text of the field at a path such as `product.etag`.
pub fn text(message: &DynamicMessage, path: &str) -> Option<String> {
    match path.split_once('.') {
        Some((name, rest)) => text(message.get_field_by_name(name)?.as_message()?, rest),
        None => message.get_field_by_name(path)?.as_str().map(str::to_owned),
    }
}

/// The digest of some contracts: FNV-1a over their texts, each ended by a zero byte, without carriage returns.
///
/// Generated code asserts that it is what martgen saw, so that a contract that changed afterwards stops the build.
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
