//! The rules of notification, by its use cases with an in-memory store.

use std::sync::Arc;

use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::{Clock, PageSize, PageTokenSigner, Receipt, Timestamp};
use notification_core::UseCases;
use notification_core::application::{AgainError, ReceivedEvent, ListError, MessageSenders, PaymentUpdate, PreferError};
use notification_core::conformance::{at, contact};
use notification_core::domain::{
    Channel, Contact, CustomerId, Fixed, Kind, Line, Link, Locale, Notification, NotificationContent, Order, OrderId,
    Policy, Preferences, RenderedMessage, Status, StatusKind, Subject,
};
use notification_core::memory::{MemoryCourier, MemoryStore};
use notification_core::ports::{Filter, MessageRenderer, Store};
use time::Duration;

notification_core::conformance!(async { MemoryStore::default() });

/// A renderer that writes the content and the language as text.
struct Plain;

impl MessageRenderer for Plain {
    fn write(&self, content: &NotificationContent, channel: Channel, locale: Locale) -> RenderedMessage {
        let title = format!("{} by {} in {}", content.kind().name(), channel.name(), locale.tag());
        RenderedMessage { text: format!("{content:?}"), html: String::new(), title }
    }
}

/// The service with its clock, at the first second of the suite's time.
struct Service {
    use_cases: UseCases<MemoryStore>,
    store: MemoryStore,
    clock: Arc<ManualClock>,
    mail: MemoryCourier,
    sms: MemoryCourier,
    events: std::cell::Cell<u64>,
}

impl Service {
    fn new() -> Self {
        Self::with(Policy::default())
    }

    fn with(policy: Policy) -> Self {
        let (clock, mail, sms) =
            (Arc::new(ManualClock::new(at(0))), MemoryCourier::default(), MemoryCourier::default());
        let senders = MessageSenders { mail: Arc::new(mail.clone()), sms: Arc::new(sms.clone()) };
        let (letters, ids, page_tokens) =
            (Arc::new(Plain), Arc::new(SequentialIds::default()), PageTokenSigner::new(b"secret"));
        let store = MemoryStore::default();
        let use_cases = UseCases::new(store.clone(), letters, senders, clock.clone(), ids, page_tokens, policy);
        Self { use_cases, store, clock, mail, sms, events: std::cell::Cell::new(0) }
    }

    /// Returns another event, which happens now.
    fn event(&self) -> ReceivedEvent {
        self.events.set(self.events.get() + 1);
        let (scope, key) = ("test".to_owned(), self.events.get().to_string());
        ReceivedEvent { receipt: Receipt { scope, key, fingerprint: [0; 32], subject: String::new() }, at: self.clock.now() }
    }

    async fn order(&self, contact: Contact, content: impl FnOnce(Order) -> NotificationContent) {
        let subject = Subject(contact.order.0.to_string());
        let told = content(order(contact.order));
        self.use_cases.on_order(self.event(), contact, Some((subject, told))).await.expect("kept");
    }

    async fn link(&self, content: fn(Link) -> NotificationContent, until: Timestamp) {
        let link = Link { name: String::new(), token: "secret".to_owned(), until };
        let (subject, email) = (Subject("link".to_owned()), "ayesha@mart.example".to_owned());
        self.use_cases.on_link(self.event(), subject, email, Locale::Urdu, content(link)).await.expect("kept");
    }

    /// Sends everything that is due, and nothing twice.
    async fn send(&self) -> usize {
        let mut sent = 0;
        for channel in Channel::ALL {
            sent += self.use_cases.send_due(channel, 100).await.expect("sent");
        }
        sent
    }

    /// Returns all notifications, oldest first.
    async fn all(&self) -> Vec<Notification> {
        let page = self.use_cases.list(&Filter::default(), PageSize::requested(200), "").await.expect("listed");
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

fn titles(courier: &MemoryCourier) -> Vec<String> {
    courier.messages().into_iter().map(|(_, to, letter)| format!("{to}: {}", letter.title)).collect()
}

fn mail_only(version: u64) -> Contact {
    Contact { phone: String::new(), ..contact(version) }
}

#[test]
fn mandatory_kinds_are_mailed_and_others_are_optional() {
    use Kind::{Cancelled, Delivered, Failed, Paid, Placed, Refunded, Registration, Reset, Shipped};
    let said = Preferences::default();
    for (kinds, channel, enabled, fixed) in [
        (&[Registration, Reset, Placed, Paid, Cancelled, Refunded][..], Channel::Mail, true, true),
        (&[Failed, Shipped, Delivered], Channel::Mail, true, false),
        (&[Registration, Reset], Channel::Sms, false, true),
        (&[Shipped, Cancelled], Channel::Sms, true, false),
        (&[Placed, Paid, Failed, Delivered, Refunded], Channel::Sms, false, false),
    ] {
        for kind in kinds {
            let found = said.of(*kind, channel);
            assert_eq!((found.enabled, found.fixed), (enabled, fixed), "{kind:?} {channel:?}");
            let other = said.choose(*kind, channel, !enabled);
            assert_eq!(other.map(|chosen| chosen.enabled), if fixed { Err(Fixed) } else { Ok(!enabled) }, "{kind:?}");
            assert_eq!(said.choose(*kind, channel, enabled), Ok(found), "as it is already");
            // A stored preference that became mandatory is ignored.
            let before = Preferences([((*kind, channel), !enabled)].into_iter().collect());
            assert_eq!(before.of(*kind, channel).enabled, if fixed { enabled } else { !enabled });
        }
    }
    assert_eq!(said.all().len(), 18);
}

#[test]
fn urdu_locales_get_urdu_and_all_others_english() {
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
    let placed_by_sms = all.iter().find(|told| (told.kind, told.channel) == (Kind::Placed, Channel::Sms));
    assert_eq!(placed_by_sms.map(|told| told.status.name()), Some(StatusKind::Suppressed), "it is not wanted");
    assert_eq!(service.send().await, 0, "nothing is sent twice");
}

#[tokio::test]
async fn a_choice_counts_from_then_on() {
    let service = Service::new();
    let customer = contact(1).customer;
    service.use_cases.prefer(&customer, Kind::Delivered, Channel::Mail, false).await.expect("kept");
    service.use_cases.prefer(&customer, Kind::Placed, Channel::Sms, true).await.expect("kept");
    let refused = service.use_cases.prefer(&customer, Kind::Placed, Channel::Mail, false).await;
    assert_eq!(refused, Err(PreferError::Fixed));
    service.order(contact(1), NotificationContent::Placed).await;
    service.order(mail_only(2), NotificationContent::Delivered).await;
    let payment = Subject("payment".to_owned());
    let news = PaymentUpdate::Failed("declined".to_owned());
    service.use_cases.prefer(&customer, Kind::Failed, Channel::Mail, false).await.expect("kept");
    assert_eq!(service.use_cases.on_payment(service.event(), contact(1).order, payment, news).await, Ok(true));
    service.send().await;
    assert_eq!(titles(&service.mail), ["ayesha-1@mart.example: placed by mail in ur"]);
    assert_eq!(titles(&service.sms), ["+923001234567: placed by sms in ur"]);
    let unwanted = service.all().await.into_iter().filter(|told| told.status == Status::Suppressed);
    assert_eq!(unwanted.map(|told| told.kind).collect::<Vec<_>>(), [Kind::Delivered, Kind::Failed]);
    let other = service.use_cases.preferences(&CustomerId("other".to_owned())).await.expect("read");
    assert!(
        other.iter().any(|known| (known.kind, known.channel, known.enabled) == (Kind::Delivered, Channel::Mail, true))
    );
}

#[tokio::test]
async fn the_newest_contact_receives_messages_in_any_order() {
    let service = Service::new();
    service.use_cases.on_order(service.event(), mail_only(3), None).await.expect("kept");
    service.order(mail_only(1), NotificationContent::Placed).await;
    service.send().await;
    assert_eq!(titles(&service.mail), ["ayesha-3@mart.example: placed by mail in ur"]);
}

#[tokio::test]
async fn a_payment_event_waits_for_its_order() {
    let service = Service::new();
    let tell = async || {
        let (order, subject) = (contact(1).order, Subject("refund".to_owned()));
        service.use_cases.on_payment(service.event(), order, subject, PaymentUpdate::Refunded(None)).await
    };
    assert_eq!(tell().await, Ok(false), "it is told again");
    service.use_cases.on_order(service.event(), mail_only(1), None).await.expect("kept");
    assert_eq!(tell().await, Ok(true));
    service.send().await;
    assert_eq!(titles(&service.mail), ["ayesha-1@mart.example: refunded by mail in ur"]);
}

#[tokio::test]
async fn what_is_sent_is_forgotten() {
    let service = Service::new();
    service.link(NotificationContent::Registration, at(3600)).await;
    assert!(service.one().await.letter.is_some());
    service.send().await;
    let sent = service.one().await;
    assert_eq!((sent.status, sent.letter, sent.attempts), (Status::Sent { reference: "taken 1".to_owned() }, None, 1));
}

#[tokio::test]
async fn an_unavailable_server_is_retried_for_a_day() {
    let service = Service::new();
    service.mail.set_unavailable(true);
    service.order(mail_only(1), NotificationContent::Placed).await;
    let mut waits = Vec::new();
    loop {
        assert_eq!(service.send().await, 1);
        let told = service.one().await;
        let Status::Pending { due, failure } = told.status else { break };
        assert_eq!(failure, "nobody answers");
        let wait = due.get() - service.clock.now().get();
        waits.push(wait.whole_seconds());
        service.clock.advance(wait - Duration::MICROSECOND);
        assert_eq!(service.send().await, 0, "it is not due yet");
        service.clock.advance(Duration::MICROSECOND);
    }
    assert_eq!(waits[..11], [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    assert!(waits.iter().sum::<i64>() <= 24 * 3600 && waits.iter().sum::<i64>() > 22 * 3600, "{waits:?}");
    let told = service.one().await;
    assert_eq!(told.status, Status::Failed { why: "nobody answers".to_owned() });

    // An operator who has fixed the server sends it again.
    service.mail.set_unavailable(false);
    assert_eq!(
        service.use_cases.resend_notification(told.id).await.map(|told| told.status.name()),
        Ok(StatusKind::Pending)
    );
    assert_eq!(service.use_cases.resend_notification(told.id).await, Err(AgainError::NotFailed));
    service.send().await;
    assert_eq!(titles(&service.mail).len(), 1);
    assert_eq!(service.use_cases.resend_notification(told.id).await, Err(AgainError::NotFailed));
}

#[tokio::test]
async fn the_policy_sets_pauses_and_the_maximum_age() {
    let (backoff, max_backoff, max_age) = (Duration::seconds(1), Duration::seconds(3), Duration::seconds(10));
    let service = Service::with(Policy { backoff, max_backoff, max_age, ..Policy::default() });
    service.mail.set_unavailable(true);
    service.order(mail_only(1), NotificationContent::Placed).await;
    for wait in [1, 2, 3, 3] {
        assert_eq!(service.send().await, 1);
        let due = Timestamp::new(service.clock.now().get() + Duration::seconds(wait));
        assert_eq!(service.one().await.status, Status::Pending { due, failure: "nobody answers".to_owned() });
        service.clock.advance(Duration::seconds(wait));
    }
    assert_eq!(service.send().await, 1);
    assert_eq!(service.one().await.status.name(), StatusKind::Failed, "the next try would come too late");
}

#[tokio::test]
async fn a_rejected_message_is_not_retried() {
    let service = Service::new();
    service.order(Contact { email: "a@refused.example".to_owned(), ..mail_only(1) }, NotificationContent::Placed).await;
    service.send().await;
    assert_eq!(service.one().await.status, Status::Failed { why: "there is no such recipient".to_owned() });
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
        assert_eq!(service.one().await.letter.is_some(), pending);
        service.clock.advance(Duration::seconds(20));
    }
    // Attempts at 0, 20 and 40; the next one would be after its end.
    let over = service.one().await;
    assert_eq!((over.status.name(), over.letter.is_some()), (StatusKind::Failed, false));
    assert_eq!(service.use_cases.resend_notification(over.id).await, Err(AgainError::NotFailed));
}

#[tokio::test]
async fn after_an_expired_lease_another_replica_sends() {
    let service = Service::new();
    service.order(mail_only(1), NotificationContent::Placed).await;
    // One replica claims it and is killed before it stores the result.
    let Policy { lease: lasts, .. } = Policy::default();
    let lease = Timestamp::new(at(0).get() + lasts);
    service.store.claim(Channel::Mail, at(0), lease, 1).await.expect("claimed");
    assert_eq!(service.send().await, 0);
    service.clock.advance(lasts);
    assert_eq!(service.send().await, 1);
    let sent = service.one().await;
    assert_eq!((sent.attempts, titles(&service.mail).len()), (2, 1));
    assert_eq!(service.mail.messages()[0].0, sent.id, "under its own id");
}

#[tokio::test]
async fn old_events_send_nothing() {
    let service = Service::new();
    let long_ago = service.event();
    service.clock.advance(Duration::days(1));
    let told = Some((Subject("1".to_owned()), NotificationContent::Placed(order(contact(1).order))));
    service.use_cases.on_order(long_ago, mail_only(1), told).await.expect("kept");
    assert_eq!(service.send().await, 0);
    let late = service.one().await;
    assert_eq!(late.status, Status::Failed { why: "it is too late to tell it".to_owned() });
    assert!(service.use_cases.resend_notification(late.id).await.is_ok(), "unless an operator wants it");
    assert_eq!(service.send().await, 1);
}

#[tokio::test]
async fn a_page_token_is_valid_for_its_own_list() {
    let service = Service::new();
    service.order(contact(1), NotificationContent::Placed).await;
    service.order(contact(1), NotificationContent::Paid).await;
    let size = PageSize::requested(1);
    let page = service.use_cases.list(&Filter::default(), size, "").await.expect("listed");
    let next = page.next.expect("more");
    assert!(service.use_cases.list(&Filter::default(), size, &next).await.is_ok());
    let other = Filter { recipient: Some("x".to_owned()), ..Filter::default() };
    assert_eq!(service.use_cases.list(&other, size, &next).await, Err(ListError::Token));
}

#[test]
fn debug_output_has_no_content() {
    let link = Link { name: "Ayesha".to_owned(), token: "secret".to_owned(), until: at(0) };
    let letter = RenderedMessage { title: "Prove it".to_owned(), text: "secret".to_owned(), html: "secret".to_owned() };
    for printed in [format!("{:?}", NotificationContent::Reset(link)), format!("{letter:?}")] {
        assert!(!printed.contains("secret"), "{printed}");
    }
}
