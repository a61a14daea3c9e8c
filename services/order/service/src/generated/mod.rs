// Rendered by `cargo martgen generate` from proto/mart/order/v1; changes are made there.

//! The Rust form of the contract.

pub mod events;
pub mod fixtures;
pub(crate) mod http;

const _: () = assert!(
    mart_proto::digest(&[
        include_str!("../../../../../proto/mart/inventory/v1/inventory.proto"),
        include_str!("../../../../../proto/mart/inventory/v1/inventory_events.proto"),
        include_str!("../../../../../proto/mart/options/v1/options.proto"),
        include_str!("../../../../../proto/mart/order/v1/order.proto"),
        include_str!("../../../../../proto/mart/order/v1/order_events.proto"),
        include_str!("../../../../../proto/mart/order/v1/order_service.proto"),
        include_str!("../../../../../proto/mart/payment/v1/payment.proto"),
        include_str!("../../../../../proto/mart/payment/v1/payment_events.proto"),
        include_str!("../../../../../proto/mart/product/v1/product.proto"),
        include_str!("../../../../../proto/mart/product/v1/product_events.proto"),
        include_str!("../../../../../proto/mart/type/v1/address.proto"),
        include_str!("../../../../../proto/mart/type/v1/money.proto"),
    ]) == 0x058d_a7b4_f0ee_17d0,
    "the contract has changed: run `cargo martgen generate`"
);
