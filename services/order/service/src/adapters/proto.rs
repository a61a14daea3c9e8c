//! Maps between the contract's messages and the core's values.

use mart_chassis::convert::{money, time};
use mart_proto::order::v1;
use mart_proto::r#type::v1 as types;
use order_core::domain::{
    Address, CancelReason, Contact, Line, LineRejectionReason, Order, Payment, RejectedLine, Shipment, Status,
    StatusKind,
};

pub(super) fn order(order: &Order) -> v1::Order {
    let (cancel_reason, deadline, parcel) = match &order.status {
        Status::Placed | Status::Confirmed => (None, None, None),
        Status::AwaitingPayment { deadline } => (None, Some(*deadline), None),
        Status::Shipped(parcel) | Status::Delivered(parcel) => (None, None, Some(parcel)),
        Status::Cancelled(reason) => (Some(cancel_reason_of(*reason)), None, None),
    };
    v1::Order {
        order_id: order.id.0.to_string(),
        customer_id: order.customer.0.clone(),
        status: status(order.status.kind()).into(),
        cancel_reason: cancel_reason.unwrap_or_default().into(),
        lines: order.lines.iter().map(line).collect(),
        total: Some(money(order.total)),
        shipping_address: Some(address(&order.address)),
        contact: Some(contact(&order.contact)),
        payment_method: order.payment_method.clone(),
        payment_deadline: deadline.map(time),
        payment: order.payment.as_ref().map(payment),
        shipment: parcel.map(shipment),
        reinstate_count: order.reservation_round,
        create_time: Some(time(order.created_at)),
        update_time: Some(time(order.updated_at)),
        etag: order.version.to_string(),
    }
}

pub(super) fn status(status: StatusKind) -> v1::OrderStatus {
    match status {
        StatusKind::Placed => v1::OrderStatus::Placed,
        StatusKind::AwaitingPayment => v1::OrderStatus::AwaitingPayment,
        StatusKind::Confirmed => v1::OrderStatus::Confirmed,
        StatusKind::Shipped => v1::OrderStatus::Shipped,
        StatusKind::Delivered => v1::OrderStatus::Delivered,
        StatusKind::Cancelled => v1::OrderStatus::Cancelled,
    }
}

/// Returns the status that a request names, or `None` if it names none.
pub(super) fn status_named(number: i32) -> Option<StatusKind> {
    match v1::OrderStatus::try_from(number) {
        Ok(v1::OrderStatus::Placed) => Some(StatusKind::Placed),
        Ok(v1::OrderStatus::AwaitingPayment) => Some(StatusKind::AwaitingPayment),
        Ok(v1::OrderStatus::Confirmed) => Some(StatusKind::Confirmed),
        Ok(v1::OrderStatus::Shipped) => Some(StatusKind::Shipped),
        Ok(v1::OrderStatus::Delivered) => Some(StatusKind::Delivered),
        Ok(v1::OrderStatus::Cancelled) => Some(StatusKind::Cancelled),
        Ok(v1::OrderStatus::Unspecified) | Err(_) => None,
    }
}

fn cancel_reason_of(reason: CancelReason) -> v1::CancelReason {
    match reason {
        CancelReason::Customer => v1::CancelReason::Customer,
        CancelReason::Admin => v1::CancelReason::Admin,
        CancelReason::NoStock => v1::CancelReason::NoStock,
        CancelReason::PaymentTimeout => v1::CancelReason::PaymentTimeout,
    }
}

pub(super) fn line(line: &Line) -> v1::OrderLine {
    v1::OrderLine {
        product_id: line.product.0.to_string(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: Some(money(line.unit_price)),
        sum: Some(money(line.sum)),
    }
}

pub(super) fn rejected_line(line: &RejectedLine) -> v1::RejectedLine {
    let reason = match line.reason {
        LineRejectionReason::NotOnSale => v1::LineRejectionReason::NotOnSale,
        LineRejectionReason::NotPriced => v1::LineRejectionReason::NotPriced,
        LineRejectionReason::TooMany => v1::LineRejectionReason::TooMany,
    };
    v1::RejectedLine { product_id: line.product.0.to_string(), reason: reason.into() }
}

fn payment(payment: &Payment) -> v1::OrderPayment {
    v1::OrderPayment {
        payment_id: payment.id.clone(),
        amount: Some(money(payment.amount)),
        refund_requested: payment.refund_requested,
    }
}

fn address(address: &Address) -> types::Address {
    let Address { recipient, lines, city, postal_code, country_code } = address.clone();
    types::Address { recipient, lines, city, postal_code, country_code }
}

pub(super) fn address_of(address: types::Address) -> Address {
    let types::Address { recipient, lines, city, postal_code, country_code } = address;
    Address { recipient, lines, city, postal_code, country_code }
}

fn contact(contact: &Contact) -> v1::Contact {
    let Contact { email, phone, locale } = contact.clone();
    v1::Contact { email, phone, locale }
}

pub(super) fn contact_of(contact: v1::Contact) -> Contact {
    let v1::Contact { email, phone, locale } = contact;
    Contact { email, phone, locale }
}

fn shipment(shipment: &Shipment) -> v1::Shipment {
    let Shipment { carrier, tracking_number } = shipment.clone();
    v1::Shipment { carrier, tracking_number }
}

pub(super) fn shipment_of(shipment: v1::Shipment) -> Shipment {
    let v1::Shipment { carrier, tracking_number } = shipment;
    Shipment { carrier, tracking_number }
}
