//! Handles the events of other services. This service publishes none.

use mart_chassis::consumer::{DispatchError, Outcome};
use mart_chassis::convert::{exact, timestamp};
use mart_chassis::record::ReceivedEvent;
use mart_kernel::{Money, Version};
use mart_proto::order::v1 as order;
use mart_proto::payment::v1 as payment;
use mart_proto::r#type::v1 as types;
use mart_proto::user::v1 as user;
use notification_core::UseCases;
use notification_core::application::{EventContext, PaymentUpdate};
use notification_core::domain::{
    CancelReason, Contact, CustomerId, Line, Link, Locale, NotificationContent, Order, OrderId, Subject,
};
use notification_core::ports::Store;

use crate::generated::events::{EventHandlers, Messages};

/// Converts the events of the core, of which there are none, to the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct NotificationMessages;

impl Messages for NotificationMessages {}

/// The handlers of the subscribed events.
#[derive(Debug)]
pub struct NotificationEventHandlers<S> {
    use_cases: UseCases<S>,
}

const INVALID_LINK: Outcome = Outcome::Reject("a link without an id, an email address or a valid expiry");
const INVALID_ORDER_ID: Outcome = Outcome::Reject("invalid order id");

impl<S: Store> NotificationEventHandlers<S> {
    /// Creates the handlers over these use cases.
    pub fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }

    async fn link(
        &self,
        context: EventContext,
        link: Option<user::Link>,
        content: fn(Link) -> NotificationContent,
    ) -> Result<Outcome, DispatchError> {
        let user::Link { link_id, email, name, locale, token, expire_time } = link.unwrap_or_default();
        let expires_at = timestamp("expireTime", expire_time).ok().flatten();
        let expires_at = expires_at.filter(|_| !(link_id.is_empty() || email.is_empty()));
        let Some(expires_at) = expires_at else { return Ok(INVALID_LINK) };
        let content = content(Link { name, token, expires_at });
        let applied = self.use_cases.on_link(context, Subject(link_id), email, Locale::of(&locale), content).await;
        Ok(applied?.into())
    }

    async fn order(
        &self,
        context: EventContext,
        version: Version,
        order: Option<order::Order>,
        content: Option<fn(&order::Order, Order) -> NotificationContent>,
    ) -> Result<Outcome, DispatchError> {
        let order = order.unwrap_or_default();
        let Some(contact) = contact(&order, version) else { return Ok(INVALID_ORDER_ID) };
        // A reinstated order is another subject, so that its kinds are sent again.
        let subject = Subject(match order.reinstate_count {
            0 => contact.order.0.to_string(),
            nth => format!("{} {nth}", contact.order.0),
        });
        let content = content.map(|content| {
            let order_content = order_content(&order, contact.order);
            (subject, content(&order, order_content))
        });
        Ok(self.use_cases.on_order(context, contact, content).await?.into())
    }

    async fn payment(
        &self,
        context: EventContext,
        order_id: &str,
        subject: String,
        update: PaymentUpdate,
    ) -> Result<Outcome, DispatchError> {
        let Ok(order) = order_id.parse().map(OrderId) else { return Ok(INVALID_ORDER_ID) };
        Ok(self.use_cases.on_payment(context, order, Subject(subject), update).await?.into())
    }
}

fn context<M>(event: &ReceivedEvent<M>) -> EventContext {
    EventContext { receipt: event.receipt(), at: event.at }
}

fn money(money: Option<&types::Money>) -> Option<Money> {
    exact("amount", money?).ok()
}

/// Returns the contact of an order, or `None` if the order's id is invalid.
fn contact(order: &order::Order, version: Version) -> Option<Contact> {
    let order::Contact { email, phone, locale } = order.contact.clone().unwrap_or_default();
    let name = order.shipping_address.as_ref().map(|address| address.recipient.clone()).unwrap_or_default();
    Some(Contact {
        order: OrderId(order.order_id.parse().ok()?),
        version,
        customer: CustomerId(order.customer_id.clone()),
        name,
        email,
        phone,
        locale: Locale::of(&locale),
    })
}

/// Returns the values of an order that messages contain.
fn order_content(order: &order::Order, id: OrderId) -> Order {
    let name = order.shipping_address.as_ref().map(|address| address.recipient.clone()).unwrap_or_default();
    let line = |line: &order::OrderLine| Line {
        name: line.name.clone(),
        quantity: line.quantity,
        sum: money(line.sum.as_ref()),
    };
    Order { id, name, lines: order.lines.iter().map(line).collect(), total: money(order.total.as_ref()) }
}

fn shipped(from: &order::Order, order: Order) -> NotificationContent {
    let order::Shipment { carrier, tracking_number } = from.shipment.clone().unwrap_or_default();
    NotificationContent::Shipped { order, carrier, tracking: tracking_number }
}

fn cancelled(from: &order::Order, order: Order) -> NotificationContent {
    let reason = match from.cancel_reason() {
        order::CancelReason::Unspecified => None,
        order::CancelReason::Customer => Some(CancelReason::Customer),
        order::CancelReason::Admin => Some(CancelReason::Shop),
        order::CancelReason::NoStock => Some(CancelReason::NoStock),
        order::CancelReason::PaymentTimeout => Some(CancelReason::NotPaid),
    };
    NotificationContent::Cancelled { order, reason }
}

impl<S: Store + 'static> EventHandlers for NotificationEventHandlers<S> {
    async fn on_verification_requested(
        &self,
        event: ReceivedEvent<user::VerificationRequested>,
    ) -> Result<Outcome, DispatchError> {
        self.link(context(&event), event.payload.link, NotificationContent::Registration).await
    }

    async fn on_password_reset_requested(
        &self,
        event: ReceivedEvent<user::PasswordResetRequested>,
    ) -> Result<Outcome, DispatchError> {
        self.link(context(&event), event.payload.link, NotificationContent::Reset).await
    }

    async fn on_order_placed(&self, event: ReceivedEvent<order::OrderPlaced>) -> Result<Outcome, DispatchError> {
        self.order(
            context(&event),
            event.version,
            event.payload.order,
            Some(|_, order| NotificationContent::Placed(order)),
        )
        .await
    }

    async fn on_order_changed(&self, event: ReceivedEvent<order::OrderChanged>) -> Result<Outcome, DispatchError> {
        self.order(context(&event), event.version, event.payload.order, None).await
    }

    async fn on_order_republished(
        &self,
        event: ReceivedEvent<order::OrderRepublished>,
    ) -> Result<Outcome, DispatchError> {
        self.order(context(&event), event.version, event.payload.order, None).await
    }

    async fn on_order_confirmed(&self, event: ReceivedEvent<order::OrderConfirmed>) -> Result<Outcome, DispatchError> {
        self.order(
            context(&event),
            event.version,
            event.payload.order,
            Some(|_, order| NotificationContent::Paid(order)),
        )
        .await
    }

    async fn on_order_shipped(&self, event: ReceivedEvent<order::OrderShipped>) -> Result<Outcome, DispatchError> {
        self.order(context(&event), event.version, event.payload.order, Some(shipped)).await
    }

    async fn on_order_delivered(&self, event: ReceivedEvent<order::OrderDelivered>) -> Result<Outcome, DispatchError> {
        self.order(
            context(&event),
            event.version,
            event.payload.order,
            Some(|_, order| NotificationContent::Delivered(order)),
        )
        .await
    }

    async fn on_order_cancelled(&self, event: ReceivedEvent<order::OrderCancelled>) -> Result<Outcome, DispatchError> {
        self.order(context(&event), event.version, event.payload.order, Some(cancelled)).await
    }

    async fn on_payment_failed(&self, event: ReceivedEvent<payment::PaymentFailed>) -> Result<Outcome, DispatchError> {
        let context = context(&event);
        let payment::PaymentFailed { order_id, payment_id, reason } = event.payload;
        self.payment(context, &order_id, payment_id, PaymentUpdate::Failed(reason)).await
    }

    async fn on_payment_refunded(
        &self,
        event: ReceivedEvent<payment::PaymentRefunded>,
    ) -> Result<Outcome, DispatchError> {
        // A payment may be refunded in parts. The event's id is the subject, so that each part is sent.
        let (context, subject) = (context(&event), event.id.to_string());
        let payment::PaymentRefunded { order_id, payment_id: _, amount } = event.payload;
        self.payment(context, &order_id, subject, PaymentUpdate::Refunded(money(amount.as_ref()))).await
    }
}
