//! The suite that every store passes.
//!
//! [`conformance!`](crate::conformance!) creates a test of each case.

use mart_kernel::money::Currency;
use mart_kernel::testing::{at, both, receipt, uuid};
use mart_kernel::{Money, Version};

use crate::domain::{
    Account, Attempt, AttemptId, AttemptStatus, Callback, CallbackId, Change, Checkout, CustomerId, OrderId, Payer,
    Provider, ProviderEvent, ProviderEventKind, Refund, RefundId, RefundStatus, Subject, Task, TaskId, Transaction,
    TransactionId, TransactionKind,
};
use crate::ports::Store;

/// Creates a test of every case; `$store` is an expression that awaits a new, empty store.
#[macro_export]
macro_rules! conformance {
    ($store:expr) => {
        mart_kernel::conformance_tests!($crate::conformance; $store;
            accounts_are_read_back_at_every_step receipts_are_stored_once
            decisions_about_an_order_are_sequential callbacks_are_stored_and_processed_once
            lists_are_newest_first attempts_and_refunds_are_found_when_due refunds_of_two_orders_may_have_one_id);
    };
}

fn pkr(minor: i64) -> Money {
    Money::from_minor(minor, Currency::from_code("PKR").expect("a currency"))
}

/// Returns the `n`th payment, without attempts.
pub fn account(n: u64) -> Account {
    let created_at = at(i64::try_from(n / 2).expect("small"));
    Account {
        order: OrderId(uuid(n)),
        version: Version::NONE,
        customer: CustomerId(format!("customer-{n}")),
        payer: Payer {
            email: format!("c{n}@mart.example"),
            phone: "+923001234567".to_owned(),
            country: "PK".to_owned(),
        },
        amount: pkr(150_000),
        deadline: at(2_700),
        closed: false,
        attempts: Vec::new(),
        transactions: Vec::new(),
        refunds: Vec::new(),
        tasks: Vec::new(),
        created_at,
        updated_at: created_at,
    }
}

/// Returns an open attempt of the `n`th payment.
pub fn attempt(n: u64) -> Attempt {
    Attempt {
        id: AttemptId(uuid(100 + n)),
        provider: Provider::Sandbox,
        status: AttemptStatus::Open,
        reference: format!("cs_{n} ünïcode ' \\"),
        checkout: Some(Checkout {
            url: "https://pay.example/1?a=b".to_owned(),
            fields: vec![("TOKEN".to_owned(), "a".to_owned()), ("AMOUNT".to_owned(), "1500.00".to_owned())],
        }),
        expires_at: at(1_800),
        next_poll_at: at(300),
        created_at: at(1),
    }
}

async fn store_account(store: &impl Store, account: &Account) {
    let change = Change { account: Some(account.clone()), ..Change::default() };
    assert_eq!(store.decide(account.order, None, move |_| (change, ())).await, Ok(Some(())));
}

/// Ends the attempts of a payment and adds transactions, refunds and tasks of every kind.
fn settle(account: &mut Account) {
    let booked = |n: u64, kind, amount| Transaction {
        id: TransactionId(uuid(200 + n)),
        kind,
        amount: pkr(amount),
        provider: Provider::Sandbox,
        reference: format!("tx_{n}"),
        attempt: attempt(1).id,
        at: at(5),
    };
    account.attempts[0].status = AttemptStatus::Captured;
    account.attempts[1].status = AttemptStatus::Failed("card declined".to_owned());
    account.transactions =
        vec![booked(1, TransactionKind::Captured, 150_000), booked(2, TransactionKind::Refunded, 50_000)];
    account.refunds = [RefundStatus::Succeeded, RefundStatus::Pending, RefundStatus::Manual, RefundStatus::Failed]
        .into_iter()
        .zip(0..)
        .map(|(status, n)| Refund {
            id: RefundId(uuid(300 + n)),
            attempt: attempt(1).id,
            amount: pkr(10_000),
            status,
            reason: "broken".to_owned(),
            next_attempt_at: at(7),
            created_at: at(6),
        })
        .collect();
    account.tasks = vec![
        Task { id: TaskId(uuid(400)), reason: "manual".to_owned(), refund: None, resolution: None, created_at: at(8) },
        Task {
            id: TaskId(uuid(401)),
            reason: "more".to_owned(),
            refund: Some(RefundId(uuid(302))),
            resolution: Some("done".to_owned()),
            created_at: at(9),
        },
    ];
}

/// A payment is read back after each of its transitions.
pub async fn accounts_are_read_back_at_every_step(store: &impl Store) {
    let mut account = account(1);
    assert_eq!(store.find(account.order).await, Ok(None));
    store_account(store, &account).await;
    assert_eq!(store.find(account.order).await, Ok(Some(account.clone())));

    account.attempts = vec![attempt(1), Attempt { checkout: None, reference: String::new(), ..attempt(2) }];
    account.attempts[1].status = AttemptStatus::Opening;
    store_account(store, &account).await;
    assert_eq!(store.find(account.order).await, Ok(Some(account.clone())));
    let subject = Subject::Attempt(attempt(1).reference);
    let found = Some((account.order, attempt(1).id));
    assert_eq!(store.find_by_subject(Provider::Sandbox, &subject).await, Ok(found));
    assert_eq!(store.find_by_subject(Provider::Stripe, &subject).await, Ok(None));

    settle(&mut account);
    (account.version, account.closed, account.updated_at) = (Version::NONE.next(), true, at(9));
    store_account(store, &account).await;
    assert_eq!(store.find(account.order).await, Ok(Some(account.clone())));
    for (reference, expected) in [("tx_1", found), ("tx_2", None), (attempt(1).reference.as_str(), None)] {
        let subject = Subject::Money(reference.to_owned());
        assert_eq!(
            store.find_by_subject(Provider::Sandbox, &subject).await,
            Ok(expected),
            "{reference}: only captures are found"
        );
    }
    store_account(store, &account).await;
    assert_eq!(store.find(account.order).await, Ok(Some(account)), "storing the same again changes nothing");
}

/// An existing receipt prevents a decision.
pub async fn receipts_are_stored_once(store: &impl Store) {
    let receipt = receipt("a", "request", "");
    let decide = || {
        let change = Change { account: Some(account(1)), ..Change::default() };
        store.decide(account(1).order, Some(receipt.clone()), move |_| (change, ()))
    };
    assert_eq!(decide().await, Ok(Some(())));
    assert_eq!(decide().await, Ok(None));
}

/// Two concurrent decisions about an order without a payment are sequential.
pub async fn decisions_about_an_order_are_sequential(store: &impl Store) {
    let decide = || {
        store.decide(account(1).order, None, |found| {
            let first = found.is_none();
            (Change { account: first.then(|| account(1)), ..Change::default() }, first)
        })
    };
    let (one, other) = both(decide(), decide()).await;
    let firsts = [one, other].map(|decided| decided.expect("decided").expect("no receipt"));
    assert_eq!(firsts.into_iter().filter(|first| *first).count(), 1);
}

/// A callback is stored once, and returned until it is processed.
pub async fn callbacks_are_stored_and_processed_once(store: &impl Store) {
    let about = |subject: Subject, event: &str, second: i64, kind: ProviderEventKind| Callback {
        id: CallbackId { provider: Provider::Sandbox, event: event.to_owned() },
        event: ProviderEvent { provider: Provider::Sandbox, subject, kind },
        at: at(second),
    };
    let callback = |event, second, kind| about(Subject::Attempt("cs_1".to_owned()), event, second, kind);
    let money = |event, second, kind| about(Subject::Money("tx_1".to_owned()), event, second, kind);
    let external = |amount| ProviderEventKind::ExternalRefund {
        refund: RefundId(uuid(8)),
        reference: "re_2".to_owned(),
        reported_amount: "5.00 PKR".to_owned(),
        amount,
    };
    let captured = |amount| ProviderEventKind::Captured {
        reference: "tx_1".to_owned(),
        reported_amount: "1500.00 PKR".to_owned(),
        amount,
    };
    let refund = RefundId(uuid(7));
    let all = [
        callback("a", 1, captured(Some(pkr(150_000)))),
        callback("b", 2, captured(None)),
        callback("c", 3, ProviderEventKind::Failed("declined".to_owned())),
        callback("d", 4, ProviderEventKind::CheckoutExpired),
        callback("e", 5, ProviderEventKind::Refunded { refund, reference: "re_1".to_owned() }),
        callback("f", 6, ProviderEventKind::RefundFailed { refund, reason: "closed".to_owned() }),
        money("g", 7, external(Some(pkr(500)))),
        money("h", 8, external(None)),
        money("i", 9, ProviderEventKind::NeedsReview("disputed".to_owned())),
    ];
    for new in [true, false] {
        for callback in &all {
            assert_eq!(store.insert_callback(callback).await, Ok(new));
        }
    }
    assert_eq!(store.due_callbacks(at(9), 10).await, Ok(all.to_vec()));
    assert_eq!(store.due_callbacks(at(2), 1).await, Ok(all[..1].to_vec()));
    let change = Change { account: Some(account(1)), processed: vec![all[0].id.clone()], ..Change::default() };
    store.decide(account(1).order, None, move |_| (change, ())).await.expect("decided");
    assert_eq!(store.insert_callback(&all[0]).await, Ok(false), "a processed callback is known");
    assert_eq!(store.due_callbacks(at(9), 10).await, Ok(all[1..].to_vec()));
    store.reschedule(&all[1].id, at(20)).await.expect("rescheduled");
    assert_eq!(store.due_callbacks(at(9), 10).await, Ok(all[2..].to_vec()));
    assert_eq!(store.due_callbacks(at(20), 10).await.map(|pending| pending.len()), Ok(8));

    let money = Subject::Money("tx_1".to_owned());
    assert_eq!(store.find_by_subject(Provider::Sandbox, &money).await, Ok(None), "the attempt is unknown");
    let mut account = account(1);
    account.attempts = vec![Attempt { reference: "cs_1".to_owned(), ..attempt(1) }];
    let found = Some((account.order, attempt(1).id));
    store_account(store, &account).await;
    assert_eq!(store.find_by_subject(Provider::Sandbox, &money).await, Ok(found), "reported, though not booked");
    assert_eq!(store.find_by_subject(Provider::Stripe, &money).await, Ok(None));
}

/// Refunds of two orders may have the same id.
pub async fn refunds_of_two_orders_may_have_one_id(store: &impl Store) {
    let with_refund = |n: u64, status| {
        let refund = Refund {
            id: RefundId(uuid(300)),
            attempt: attempt(n).id,
            amount: pkr(1),
            status,
            reason: String::new(),
            next_attempt_at: at(1),
            created_at: at(1),
        };
        Account { attempts: vec![attempt(n)], refunds: vec![refund], ..account(n) }
    };
    let (one, other) = (with_refund(1, RefundStatus::Failed), with_refund(2, RefundStatus::Pending));
    store_account(store, &one).await;
    store_account(store, &other).await;
    assert_eq!(store.find(one.order).await, Ok(Some(one)));
    assert_eq!(store.find(other.order).await, Ok(Some(other)));
}

/// Payments are listed newest first, then by id, and pages continue after the cursor.
pub async fn lists_are_newest_first(store: &impl Store) {
    for n in 1..=5 {
        let mut account = account(n);
        if n == 2 {
            let (id, reason, refund, resolution) = (TaskId(uuid(400)), "see".to_owned(), None, None);
            account.tasks = vec![Task { id, reason, refund, resolution, created_at: at(1) }];
        }
        store_account(store, &account).await;
    }
    let orders = |found: Vec<Account>| found.iter().map(|account| account.order.0).collect::<Vec<_>>();
    let first = store.list(false, None, 3).await.expect("listed");
    let last = first.last().expect("three").cursor();
    assert_eq!(orders(first), [5, 4, 3].map(uuid));
    assert_eq!(orders(store.list(false, Some(last), 3).await.expect("listed")), [2, 1].map(uuid));
    assert_eq!(orders(store.list(true, None, 3).await.expect("listed")), [uuid(2)]);
}

/// Open attempts and pending refunds are returned when they are due, oldest first.
pub async fn attempts_and_refunds_are_found_when_due(store: &impl Store) {
    for n in 1..=3 {
        let mut account = account(n);
        let due = at(10 * i64::try_from(n).expect("small"));
        let ended = Attempt { id: AttemptId(uuid(150 + n)), status: AttemptStatus::Closed, ..attempt(50 + n) };
        account.attempts = vec![Attempt { next_poll_at: due, ..attempt(n) }, Attempt { next_poll_at: at(0), ..ended }];
        let refund = |nth: u64, status| Refund {
            id: RefundId(uuid(300 + nth)),
            attempt: attempt(n).id,
            amount: pkr(1),
            status,
            reason: String::new(),
            next_attempt_at: due,
            created_at: at(1),
        };
        account.refunds = vec![refund(n, RefundStatus::Pending), refund(10 + n, RefundStatus::Manual)];
        store_account(store, &account).await;
    }
    let attempts = [1, 2].map(|n| (OrderId(uuid(n)), attempt(n).id));
    assert_eq!(store.due_attempts(at(20), 10).await, Ok(attempts.to_vec()));
    assert_eq!(store.due_attempts(at(30), 1).await, Ok(attempts[..1].to_vec()));
    let refunds = [1, 2].map(|n| (OrderId(uuid(n)), RefundId(uuid(300 + n))));
    assert_eq!(store.due_refunds(at(20), 10).await, Ok(refunds.to_vec()));
}
