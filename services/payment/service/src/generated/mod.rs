// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! What the contract says, in Rust.

pub mod events;
pub mod fixtures;
pub(crate) mod http;

const _: () = assert!(
    mart_proto::digest(&[
        include_str!("../../../../../proto/mart/options/v1/options.proto"),
        include_str!("../../../../../proto/mart/order/v1/order.proto"),
        include_str!("../../../../../proto/mart/order/v1/order_events.proto"),
        include_str!("../../../../../proto/mart/payment/v1/payment.proto"),
        include_str!("../../../../../proto/mart/payment/v1/payment_events.proto"),
        include_str!("../../../../../proto/mart/payment/v1/payment_service.proto"),
        include_str!("../../../../../proto/mart/type/v1/address.proto"),
        include_str!("../../../../../proto/mart/type/v1/money.proto"),
    ]) == 0x47a0_06d5_730d_3c20,
    "the contract has changed: run `cargo martgen generate`"
);
