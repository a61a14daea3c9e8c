//! What events of others do here. This service publishes none.

use mart_chassis::consumer::{DispatchError, Outcome};
use mart_chassis::convert::{exact, timestamp};
use mart_chassis::record::ReceivedEvent;
use mart_kernel::{Money, Version};
use mart_proto::order::v1 as order;
use mart_proto::payment::v1 as payment;
use mart_proto::r#type::v1::Money as Sum;
use mart_proto::user::v1 as user;
use notification_core::UseCases;
use notification_core::application::{Heard, PaymentUpdate};
use notification_core::domain::{
    CancelReason, Contact, CustomerId, Line, Link, Locale, NotificationContent, Order, OrderId, Subject,
};
use notification_core::ports::Store;

use crate::generated::events::{EventHandlers, Messages};

/// Makes the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct NotificationMessages;

impl Messages for NotificationMessages {}

/// Reacts to events of others.
#[derive(Debug)]
pub struct NotificationEventHandlers<S> {
    use_cases: UseCases<S>,
}

const UNREADABLE: Outcome = Outcome::Reject("an id, an amount or a time in it is none");
const NO_ORDER: &str = "the order is not known here yet";

impl<S: Store> NotificationEventHandlers<S> {
    /// Reacts by these use cases.
    pub fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }

    async fn link(
        &self,
        heard: Heard,
        link: Option<user::Link>,
        content: fn(Link) -> NotificationContent,
    ) -> Result<Outcome, DispatchError> {
        let user::Link { link_id, email, name, locale, token, expire_time } = link.unwrap_or_default();
        let until = timestamp("expireTime", expire_time).ok().flatten();
        let Some(until) = until.filter(|_| !(link_id.is_empty() || email.is_empty())) else { return Ok(UNREADABLE) };
        let content = content(Link { name, token, until });
        self.use_cases.on_link(heard, Subject(link_id), email, Locale::of(&locale), content).await?;
        Ok(Outcome::Applied)
    }

    async fn order(
        &self,
        heard: Heard,
        version: Version,
        told: Option<order::Order>,
        content: Option<fn(&order::Order, Order) -> NotificationContent>,
    ) -> Result<Outcome, DispatchError> {
        let told = told.unwrap_or_default();
        let Some(contact) = contact(&told, version) else { return Ok(UNREADABLE) };
        // An order that was reinstated is told of once more.
        let subject = Subject(match told.reinstate_count {
            0 => contact.order.0.to_string(),
            nth => format!("{} {nth}", contact.order.0),
        });
        let content = content.map(|content| {
            let known = known(&told, contact.order);
            (subject, content(&told, known))
        });
        self.use_cases.on_order(heard, contact, content).await?;
        Ok(Outcome::Applied)
    }

    async fn payment(
        &self,
        heard: Heard,
        order_id: &str,
        subject: String,
        news: PaymentUpdate,
    ) -> Result<Outcome, DispatchError> {
        let Ok(order) = order_id.parse().map(OrderId) else { return Ok(UNREADABLE) };
        let known = self.use_cases.on_payment(heard, order, Subject(subject), news).await?;
        Ok(if known { Outcome::Applied } else { Outcome::Retry(NO_ORDER.to_owned()) })
    }
}

fn heard<M>(event: &ReceivedEvent<M>) -> Heard {
    Heard { receipt: event.receipt(), at: event.at }
}

fn sum(money: Option<&Sum>) -> Option<Money> {
    exact("amount", money?).ok()
}

/// Whom to tell about an order; `None` where its id is none.
fn contact(told: &order::Order, version: Version) -> Option<Contact> {
    let order::Contact { email, phone, locale } = told.contact.clone().unwrap_or_default();
    let name = told.shipping_address.as_ref().map(|address| address.recipient.clone()).unwrap_or_default();
    Some(Contact {
        order: OrderId(told.order_id.parse().ok()?),
        version,
        customer: CustomerId(told.customer_id.clone()),
        name,
        email,
        phone,
        locale: Locale::of(&locale),
    })
}

/// What letters tell of an order.
fn known(told: &order::Order, id: OrderId) -> Order {
    let name = told.shipping_address.as_ref().map(|address| address.recipient.clone()).unwrap_or_default();
    let line = |line: &order::OrderLine| Line {
        name: line.name.clone(),
        quantity: line.quantity,
        sum: sum(line.sum.as_ref()),
    };
    Order { id, name, lines: told.lines.iter().map(line).collect(), total: sum(told.total.as_ref()) }
}

fn shipped(told: &order::Order, order: Order) -> NotificationContent {
    let order::Shipment { carrier, tracking_number } = told.shipment.clone().unwrap_or_default();
    NotificationContent::Shipped { order, carrier, tracking: tracking_number }
}

fn cancelled(told: &order::Order, order: Order) -> NotificationContent {
    let why = match told.cancel_reason() {
        order::CancelReason::Unspecified => None,
        order::CancelReason::Customer => Some(CancelReason::Customer),
        order::CancelReason::Admin => Some(CancelReason::Shop),
        order::CancelReason::NoStock => Some(CancelReason::NoStock),
        order::CancelReason::PaymentTimeout => Some(CancelReason::NotPaid),
    };
    NotificationContent::Cancelled { order, why }
}

impl<S: Store + 'static> EventHandlers for NotificationEventHandlers<S> {
    async fn on_verification_requested(
        &self,
        event: ReceivedEvent<user::VerificationRequested>,
    ) -> Result<Outcome, DispatchError> {
        self.link(heard(&event), event.payload.link, NotificationContent::Registration).await
    }

    async fn on_password_reset_requested(
        &self,
        event: ReceivedEvent<user::PasswordResetRequested>,
    ) -> Result<Outcome, DispatchError> {
        self.link(heard(&event), event.payload.link, NotificationContent::Reset).await
    }

    async fn on_order_placed(&self, event: ReceivedEvent<order::OrderPlaced>) -> Result<Outcome, DispatchError> {
        self.order(
            heard(&event),
            event.version,
            event.payload.order,
            Some(|_, order| NotificationContent::Placed(order)),
        )
        .await
    }

    async fn on_order_changed(&self, event: ReceivedEvent<order::OrderChanged>) -> Result<Outcome, DispatchError> {
        self.order(heard(&event), event.version, event.payload.order, None).await
    }

    async fn on_order_republished(
        &self,
        event: ReceivedEvent<order::OrderRepublished>,
    ) -> Result<Outcome, DispatchError> {
        self.order(heard(&event), event.version, event.payload.order, None).await
    }

    async fn on_order_confirmed(&self, event: ReceivedEvent<order::OrderConfirmed>) -> Result<Outcome, DispatchError> {
        self.order(heard(&event), event.version, event.payload.order, Some(|_, order| NotificationContent::Paid(order)))
            .await
    }

    async fn on_order_shipped(&self, event: ReceivedEvent<order::OrderShipped>) -> Result<Outcome, DispatchError> {
        self.order(heard(&event), event.version, event.payload.order, Some(shipped)).await
    }

    async fn on_order_delivered(&self, event: ReceivedEvent<order::OrderDelivered>) -> Result<Outcome, DispatchError> {
        self.order(
            heard(&event),
            event.version,
            event.payload.order,
            Some(|_, order| NotificationContent::Delivered(order)),
        )
        .await
    }

    async fn on_order_cancelled(&self, event: ReceivedEvent<order::OrderCancelled>) -> Result<Outcome, DispatchError> {
        self.order(heard(&event), event.version, event.payload.order, Some(cancelled)).await
    }

    async fn on_payment_failed(&self, event: ReceivedEvent<payment::PaymentFailed>) -> Result<Outcome, DispatchError> {
        let heard = heard(&event);
        let payment::PaymentFailed { order_id, payment_id, reason } = event.payload;
        self.payment(heard, &order_id, payment_id, PaymentUpdate::Failed(reason)).await
    }

    async fn on_payment_refunded(
        &self,
        event: ReceivedEvent<payment::PaymentRefunded>,
    ) -> Result<Outcome, DispatchError> {
        // A payment may go back in parts: each is told, and the event's id names it.
        let (heard, subject) = (heard(&event), event.id.to_string());
        let payment::PaymentRefunded { order_id, payment_id: _, amount } = event.payload;
        self.payment(heard, &order_id, subject, PaymentUpdate::Refunded(sum(amount.as_ref()))).await
    }
}
