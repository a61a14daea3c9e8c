// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! The Rust form of the contract.

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
    ]) == 0x59fb_476b_6be0_e9a3,
    "the contract has changed: run `cargo martgen generate`"
);
