//! Tests of the use cases with the in-memory store.

use std::sync::Arc;

use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::page::InvalidPageToken;
use mart_kernel::testing::{at, receipt};
use mart_kernel::{Clock, EventOutcome, ListError, PageSize, PageTokenSigner, Timestamp};
use notification_core::UseCases;
use notification_core::application::{EventContext, MessageSenders, PaymentUpdate, PreferenceError, ResendError};
use notification_core::conformance::contact;
use notification_core::domain::{
    Channel, Contact, CustomerId, Fixed, Kind, Line, Link, Locale, Notification, NotificationContent, Order, OrderId,
    Policy, Preferences, RenderedMessage, Status, StatusKind, Subject,
};
use notification_core::memory::{MemorySender, MemoryStore};
use notification_core::ports::{Filter, MessageRenderer, Store};
use time::Duration;

notification_core::conformance!(async { MemoryStore::default() });

/// A renderer whose title names kind, channel and language, and whose text is the debug output of the content.
struct DebugRenderer;

impl MessageRenderer for DebugRenderer {
    fn render(&self, content: &NotificationContent, channel: Channel, locale: Locale) -> RenderedMessage {
        let title = format!("{} by {} in {}", content.kind().name(), channel.name(), locale.tag());
        RenderedMessage { text: format!("{content:?}"), html: String::new(), title }
    }
}

/// The use cases with their ports. The clock starts at second 0 of the suite's time.
struct Service {
    use_cases: UseCases<MemoryStore>,
    store: MemoryStore,
    clock: Arc<ManualClock>,
    mail: MemorySender,
    sms: MemorySender,
    events: std::cell::Cell<u64>,
}

impl Service {
    fn new() -> Self {
        Self::with(Policy::default())
    }

    fn with(policy: Policy) -> Self {
        let (clock, mail, sms) = (Arc::new(ManualClock::new(at(0))), MemorySender::default(), MemorySender::default());
        let senders = MessageSenders { mail: Arc::new(mail.clone()), sms: Arc::new(sms.clone()) };
        let (renderer, ids, page_tokens) =
            (Arc::new(DebugRenderer), Arc::new(SequentialIds::default()), PageTokenSigner::new(b"secret"));
        let store = MemoryStore::default();
        let use_cases = UseCases::new(store.clone(), renderer, senders, clock.clone(), ids, page_tokens, policy);
        Self { use_cases, store, clock, mail, sms, events: std::cell::Cell::new(0) }
    }

    /// Returns the context of a new event at the current time.
    fn event(&self) -> EventContext {
        self.events.set(self.events.get() + 1);
        EventContext { receipt: receipt(&self.events.get().to_string(), "event", ""), at: self.clock.now() }
    }

    async fn order(&self, contact: Contact, content: impl FnOnce(Order) -> NotificationContent) {
        let subject = Subject(contact.order.0.to_string());
        let content = content(order(contact.order));
        self.use_cases.on_order(self.event(), contact, Some((subject, content))).await.expect("stored");
    }

    async fn link(&self, content: fn(Link) -> NotificationContent, expires_at: Timestamp) {
        let link = Link { name: String::new(), token: "secret".to_owned(), expires_at };
        let (subject, email) = (Subject("link".to_owned()), "ayesha@mart.example".to_owned());
        self.use_cases.on_link(self.event(), subject, email, Locale::Urdu, content(link)).await.expect("stored");
    }

    /// Sends all due messages and returns their number.
    async fn send(&self) -> usize {
        let mut sent = 0;
        for channel in Channel::ALL {
            sent += self.use_cases.send_due_notifications(channel, 100).await.expect("sent");
        }
        sent
    }

    /// Returns all notifications, oldest first.
    async fn all(&self) -> Vec<Notification> {
        let page =
            self.use_cases.list_notifications(&Filter::default(), PageSize::requested(200), "").await.expect("listed");
        page.items.into_iter().rev().collect()
    }

    async fn one(&self) -> Notification {
        let all = self.all().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }
}

fn order(id: OrderId) -> Order {
    let lines = vec![Line { name: "Mug".to_owned(), quantity: 1, sum: None }];
    Order { id, name: "Ayesha".to_owned(), lines, total: None }
}

fn titles(sender: &MemorySender) -> Vec<String> {
    sender.messages().into_iter().map(|(_, to, message)| format!("{to}: {}", message.title)).collect()
}

fn mail_only(version: u64) -> Contact {
    Contact { phone: String::new(), ..contact(version) }
}

#[test]
fn mandatory_kinds_are_mailed_and_others_are_optional() {
    use Kind::{Cancelled, Delivered, Failed, Paid, Placed, Refunded, Registration, Reset, Shipped};
    let defaults = Preferences::default();
    for (kinds, channel, enabled, fixed) in [
        (&[Registration, Reset, Placed, Paid, Cancelled, Refunded][..], Channel::Mail, true, true),
        (&[Failed, Shipped, Delivered], Channel::Mail, true, false),
        (&[Registration, Reset], Channel::Sms, false, true),
        (&[Shipped, Cancelled], Channel::Sms, true, false),
        (&[Placed, Paid, Failed, Delivered, Refunded], Channel::Sms, false, false),
    ] {
        for kind in kinds {
            let found = defaults.get(*kind, channel);
            assert_eq!((found.enabled, found.fixed), (enabled, fixed), "{kind:?} {channel:?}");
            let other = defaults.changed(*kind, channel, !enabled);
            let expected = if fixed { Err(Fixed) } else { Ok(!enabled) };
            assert_eq!(other.map(|preference| preference.enabled), expected, "{kind:?}");
            assert_eq!(defaults.changed(*kind, channel, enabled), Ok(found), "unchanged");
            // A stored value is ignored if the preference has become fixed.
            let stored = Preferences([((*kind, channel), !enabled)].into_iter().collect());
            assert_eq!(stored.get(*kind, channel).enabled, if fixed { enabled } else { !enabled });
        }
    }
    assert_eq!(defaults.all().len(), 18);
}

#[test]
fn urdu_locales_get_urdu_and_others_english() {
    for (tag, locale) in [
        ("ur", Locale::Urdu),
        ("ur-PK", Locale::Urdu),
        ("UR_pk", Locale::Urdu),
        ("en", Locale::English),
        ("", Locale::English),
        ("urdu", Locale::English),
        ("de-DE", Locale::English),
    ] {
        assert_eq!(Locale::of(tag), locale, "{tag}");
    }
}

#[tokio::test]
async fn an_order_is_sent_on_every_enabled_channel() {
    let service = Service::new();
    service.order(contact(1), NotificationContent::Placed).await;
    let (carrier, tracking) = (String::new(), String::new());
    service.order(contact(2), |order| NotificationContent::Shipped { order, carrier, tracking }).await;
    assert_eq!(service.send().await, 3);
    assert_eq!(
        titles(&service.mail),
        ["ayesha-1@mart.example: placed by mail in ur", "ayesha-2@mart.example: shipped by mail in ur"]
    );
    assert_eq!(titles(&service.sms), ["+923001234567: shipped by sms in ur"]);
    let all = service.all().await;
    let placed_by_sms = all.iter().find(|one| (one.kind, one.channel) == (Kind::Placed, Channel::Sms));
    assert_eq!(placed_by_sms.map(|one| one.status.kind()), Some(StatusKind::Suppressed), "disabled by default");
    assert_eq!(service.send().await, 0, "nothing is sent twice");
}

#[tokio::test]
async fn a_preference_applies_to_later_notifications() {
    let service = Service::new();
    let customer = contact(1).customer;
    service.use_cases.set_preference(&customer, Kind::Delivered, Channel::Mail, false).await.expect("stored");
    service.use_cases.set_preference(&customer, Kind::Placed, Channel::Sms, true).await.expect("stored");
    let rejected = service.use_cases.set_preference(&customer, Kind::Placed, Channel::Mail, false).await;
    assert_eq!(rejected, Err(PreferenceError::Fixed));
    service.order(contact(1), NotificationContent::Placed).await;
    service.order(mail_only(2), NotificationContent::Delivered).await;
    let payment = Subject("payment".to_owned());
    let update = PaymentUpdate::Failed("declined".to_owned());
    service.use_cases.set_preference(&customer, Kind::Failed, Channel::Mail, false).await.expect("stored");
    let applied = service.use_cases.on_payment(service.event(), contact(1).order, payment, update).await;
    assert_eq!(applied, Ok(EventOutcome::Applied));
    service.send().await;
    assert_eq!(titles(&service.mail), ["ayesha-1@mart.example: placed by mail in ur"]);
    assert_eq!(titles(&service.sms), ["+923001234567: placed by sms in ur"]);
    let suppressed = service.all().await.into_iter().filter(|one| one.status == Status::Suppressed);
    assert_eq!(suppressed.map(|one| one.kind).collect::<Vec<_>>(), [Kind::Delivered, Kind::Failed]);
    let other = service.use_cases.get_preferences(&CustomerId("other".to_owned())).await.expect("read");
    assert!(other.iter().any(|one| (one.kind, one.channel, one.enabled) == (Kind::Delivered, Channel::Mail, true)));
}

#[tokio::test]
async fn messages_go_to_the_newest_contact() {
    let service = Service::new();
    service.use_cases.on_order(service.event(), mail_only(3), None).await.expect("stored");
    service.order(mail_only(1), NotificationContent::Placed).await;
    service.send().await;
    assert_eq!(titles(&service.mail), ["ayesha-3@mart.example: placed by mail in ur"]);
}

#[tokio::test]
async fn a_payment_event_waits_for_its_order() {
    let service = Service::new();
    let receive = async || {
        let (order, subject) = (contact(1).order, Subject("refund".to_owned()));
        service.use_cases.on_payment(service.event(), order, subject, PaymentUpdate::Refunded(None)).await
    };
    assert_eq!(receive().await, Ok(EventOutcome::NotReady("no event of the order has been processed yet")));
    service.use_cases.on_order(service.event(), mail_only(1), None).await.expect("stored");
    assert_eq!(receive().await, Ok(EventOutcome::Applied));
    service.send().await;
    assert_eq!(titles(&service.mail), ["ayesha-1@mart.example: refunded by mail in ur"]);
}

#[tokio::test]
async fn a_message_is_deleted_once_it_is_sent() {
    let service = Service::new();
    service.link(NotificationContent::Registration, at(3600)).await;
    assert!(service.one().await.message.is_some());
    service.send().await;
    let sent = service.one().await;
    assert_eq!(
        (sent.status, sent.message, sent.attempts),
        (Status::Sent { reference: "accepted 1".to_owned() }, None, 1)
    );
}

#[tokio::test]
async fn an_unavailable_server_is_retried_for_a_day() {
    let service = Service::new();
    service.mail.set_unavailable(true);
    service.order(mail_only(1), NotificationContent::Placed).await;
    let mut pauses = Vec::new();
    loop {
        assert_eq!(service.send().await, 1);
        let Status::Pending { due, failure } = service.one().await.status else { break };
        assert_eq!(failure, "connection refused");
        let pause = due.get() - service.clock.now().get();
        pauses.push(pause.whole_seconds());
        service.clock.advance(pause - Duration::MICROSECOND);
        assert_eq!(service.send().await, 0, "it is not due yet");
        service.clock.advance(Duration::MICROSECOND);
    }
    assert_eq!(pauses[..11], [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    assert!(pauses.iter().sum::<i64>() <= 24 * 3600 && pauses.iter().sum::<i64>() > 22 * 3600, "{pauses:?}");
    let failed = service.one().await;
    assert_eq!(failed.status, Status::Failed { reason: "connection refused".to_owned() });

    // An operator resends it after the server was fixed.
    service.mail.set_unavailable(false);
    assert_eq!(
        service.use_cases.resend_notification(failed.id).await.map(|resent| resent.status.kind()),
        Ok(StatusKind::Pending)
    );
    assert_eq!(service.use_cases.resend_notification(failed.id).await, Err(ResendError::NotFailed));
    service.send().await;
    assert_eq!(titles(&service.mail).len(), 1);
    assert_eq!(service.use_cases.resend_notification(failed.id).await, Err(ResendError::NotFailed));
}

#[tokio::test]
async fn the_policy_sets_pauses_and_the_maximum_age() {
    let (backoff, max_backoff, max_age) = (Duration::seconds(1), Duration::seconds(3), Duration::seconds(10));
    let service = Service::with(Policy { backoff, max_backoff, max_age, ..Policy::default() });
    service.mail.set_unavailable(true);
    service.order(mail_only(1), NotificationContent::Placed).await;
    for pause in [1, 2, 3, 3] {
        assert_eq!(service.send().await, 1);
        let due = Timestamp::new(service.clock.now().get() + Duration::seconds(pause));
        assert_eq!(service.one().await.status, Status::Pending { due, failure: "connection refused".to_owned() });
        service.clock.advance(Duration::seconds(pause));
    }
    assert_eq!(service.send().await, 1);
    assert_eq!(service.one().await.status.kind(), StatusKind::Failed, "the next attempt would be too late");
}

#[tokio::test]
async fn a_rejected_message_is_not_retried() {
    let service = Service::new();
    service.order(Contact { email: "a@refused.example".to_owned(), ..mail_only(1) }, NotificationContent::Placed).await;
    service.send().await;
    assert_eq!(service.one().await.status, Status::Failed { reason: "no such recipient".to_owned() });
    service.clock.advance(Duration::days(2));
    assert_eq!(service.send().await, 0);
}

#[tokio::test]
async fn a_link_is_retried_until_it_expires_and_then_deleted() {
    let service = Service::new();
    service.mail.set_unavailable(true);
    service.link(NotificationContent::Reset, at(60)).await;
    for pending in [true, true, false] {
        service.send().await;
        assert_eq!(service.one().await.message.is_some(), pending);
        service.clock.advance(Duration::seconds(20));
    }
    // Attempts are made at 0, 20 and 40 seconds. The next one would be after the expiry.
    let failed = service.one().await;
    assert_eq!((failed.status.kind(), failed.message.is_some()), (StatusKind::Failed, false));
    assert_eq!(service.use_cases.resend_notification(failed.id).await, Err(ResendError::NotFailed));
}

#[tokio::test]
async fn after_an_expired_lease_another_replica_sends() {
    let service = Service::new();
    service.order(mail_only(1), NotificationContent::Placed).await;
    // One replica claims it and is killed before it stores the result.
    let Policy { lease, .. } = Policy::default();
    let leased_until = Timestamp::new(at(0).get() + lease);
    service.store.claim_due(Channel::Mail, at(0), leased_until, 1).await.expect("claimed");
    assert_eq!(service.send().await, 0);
    service.clock.advance(lease);
    assert_eq!(service.send().await, 1);
    let sent = service.one().await;
    assert_eq!((sent.attempts, titles(&service.mail).len()), (2, 1));
    assert_eq!(service.mail.messages()[0].0, sent.id, "the id is the same");
}

#[tokio::test]
async fn a_message_of_an_old_event_fails_unsent() {
    let service = Service::new();
    let old = service.event();
    service.clock.advance(Duration::days(1));
    let content = Some((Subject("1".to_owned()), NotificationContent::Placed(order(contact(1).order))));
    service.use_cases.on_order(old, mail_only(1), content).await.expect("stored");
    assert_eq!(service.send().await, 0);
    let failed = service.one().await;
    assert_eq!(failed.status, Status::Failed { reason: "expired before it was sent".to_owned() });
    assert!(service.use_cases.resend_notification(failed.id).await.is_ok(), "an operator can still send it");
    assert_eq!(service.send().await, 1);
}

#[tokio::test]
async fn a_page_token_is_valid_for_its_own_list() {
    let service = Service::new();
    service.order(contact(1), NotificationContent::Placed).await;
    service.order(contact(1), NotificationContent::Paid).await;
    let size = PageSize::requested(1);
    let page = service.use_cases.list_notifications(&Filter::default(), size, "").await.expect("listed");
    let next = page.next.expect("more");
    assert!(service.use_cases.list_notifications(&Filter::default(), size, &next).await.is_ok());
    let other = Filter { recipient: Some("x".to_owned()), ..Filter::default() };
    assert_eq!(
        service.use_cases.list_notifications(&other, size, &next).await,
        Err(ListError::InvalidPageToken(InvalidPageToken))
    );
}

#[test]
fn debug_output_has_no_content() {
    let link = Link { name: "Ayesha".to_owned(), token: "secret".to_owned(), expires_at: at(0) };
    let message = RenderedMessage { title: "Confirm".to_owned(), text: "secret".to_owned(), html: "secret".to_owned() };
    for printed in [format!("{:?}", NotificationContent::Reset(link)), format!("{message:?}")] {
        assert!(!printed.contains("secret"), "{printed}");
    }
}
