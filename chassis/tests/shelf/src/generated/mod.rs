// Rendered by `cargo martgen generate` from chassis/tests/shelf/proto/mart/shelf/v1; changes are made there.

//! The Rust form of the contract.

pub mod events;
pub(crate) mod http;

const _: () = assert!(
    mart_proto::digest(&[
        include_str!("../../../../../proto/mart/options/v1/options.proto"),
        include_str!("../../../../../proto/mart/product/v1/product.proto"),
        include_str!("../../../../../proto/mart/product/v1/product_events.proto"),
        include_str!("../../proto/mart/shelf/v1/shelf_service.proto"),
        include_str!("../../../../../proto/mart/type/v1/money.proto"),
    ]) == 0xf523_81f9_7fa6_53d6,
    "the contract has changed: run `cargo martgen generate`"
);
