//! The suite that every [`Store`] passes.
//!
//! [`conformance!`](crate::conformance!) creates a test of each case.

use mart_kernel::money::Currency;
use mart_kernel::testing::{at, both, receipt, uuid};
use mart_kernel::{Commit, CommitError, CommitOutcome, EventEnvelope, Money, Version};
use uuid::Uuid;

use crate::domain::events::{ProductCreated, ProductRepublished};
use crate::domain::{Changes, Product, ProductEvent, ProductId, Status, UnvalidatedDetails, search};
use crate::memory::MemoryStore;
use crate::ports::{Cursor, Filter, Order, PriceRange, Store, Unique, Write};

/// Creates a test of every case; `$store` is an expression that awaits a new, empty store.
#[macro_export]
macro_rules! conformance {
    ($store:expr) => {
        mart_kernel::conformance_tests!($crate::conformance; $store;
            creation_is_read_back update_is_read_back stale_version_is_a_conflict
            receipt_wins_over_conflict_and_duplicate receipt_without_effect_is_not_stored duplicates_store_nothing
            empty_commit_of_events concurrent_updates_have_one_winner lists_agree_with_memory);
    };
}

fn id(n: u64) -> ProductId {
    ProductId(uuid(n))
}

fn money(amount: &str, code: &str) -> Money {
    Money::parse(amount, code).expect("money")
}

/// Returns the `n`th product, with every member set.
fn product(n: u64) -> Product {
    let details = UnvalidatedDetails {
        sku: format!("SKU-{n}"),
        slug: format!("Slug-{n}"),
        name: format!("Product {n} ünïcode % _ \\ '"),
        description: "line one\nline two".to_owned(),
        category: ["mugs", "tea", ""][usize::try_from(n % 3).expect("small")].to_owned(),
        image_urls: vec!["https://a.example/1.png".to_owned(), "https://a.example/2.png".to_owned()],
        attributes: vec![crate::domain::Attribute { key: "size".to_owned(), value: String::new() }],
        prices: vec![money("1500.00", "PKR"), money("9.99", "USD"), money("1200", "JPY")],
    };
    let details = details.parse().expect("valid");
    Product::create(id(n), details, Status::Active, at(i64::try_from(n).expect("small"))).expect("valid").0
}

fn event(event: ProductEvent) -> EventEnvelope<ProductEvent> {
    EventEnvelope { id: event_id(), at: at(0), version: event.product().version, payload: event }
}

/// Returns a new id of an event, unique in all cases.
fn event_id() -> Uuid {
    static NEXT: std::sync::LazyLock<mart_kernel::ids::SequentialIds> = std::sync::LazyLock::new(Default::default);
    mart_kernel::IdGenerator::next(&*NEXT)
}

fn insert(product: &Product) -> Commit<Write, ProductEvent> {
    let events = vec![event(ProductEvent::ProductCreated(ProductCreated { product: product.clone() }))];
    Commit { write: Some(Write::Insert(product.clone())), events, receipt: None }
}

fn update(product: &Product, changes: Changes) -> (Product, Commit<Write, ProductEvent>) {
    let (after, events) = product.clone().update(changes, at(1_000_000)).expect("allowed");
    let commit = Commit {
        write: Some(Write::Update { product: after.clone(), expected: product.version }),
        events: events.into_iter().map(event).collect(),
        receipt: None,
    };
    (after, commit)
}

fn rename(name: &str) -> Changes {
    Changes { name: Some(name.to_owned()), ..Changes::default() }
}

async fn read_back(store: &impl Store, product: &Product) -> Option<Product> {
    store.find(product.id).await.expect("reachable")
}

/// A created product is found by id and by slug.
pub async fn creation_is_read_back(store: &impl Store) {
    let created = product(1);
    assert_eq!(store.commit(insert(&created)).await, Ok(CommitOutcome::Committed));
    assert_eq!(read_back(store, &created).await, Some(created.clone()));
    assert_eq!(store.find_by_slug("slug-1").await, Ok(Some(created)));
    assert_eq!(store.find_by_slug("slug-2").await, Ok(None));
    assert_eq!(store.find(id(2)).await, Ok(None));
}

/// A changed product is read back, after one event and after two.
pub async fn update_is_read_back(store: &impl Store) {
    let created = product(1);
    store.commit(insert(&created)).await.expect("stored");
    let changes = Changes {
        sku: Some(String::new()),
        slug: Some("other".to_owned()),
        prices: Some(vec![money("2.00", "EUR"), money("1600.00", "PKR")]),
        attributes: Some(vec![]),
        image_urls: Some(vec![]),
        ..rename("Other")
    };
    let (after, commit) = update(&created, changes);
    assert_eq!(after.version.get(), 3);
    assert_eq!(store.commit(commit).await, Ok(CommitOutcome::Committed));
    assert_eq!(read_back(store, &created).await, Some(after.clone()));
    assert_eq!(store.find_by_slug("slug-1").await, Ok(None));
    let expected = after.version;
    let (archived, events) = after.archive(at(9)).expect("active");
    let events = events.into_iter().map(event).collect();
    let write = Some(Write::Update { product: archived.clone(), expected });
    assert_eq!(store.commit(Commit { write, events, receipt: None }).await, Ok(CommitOutcome::Committed));
    assert_eq!(read_back(store, &created).await, Some(archived));
}

/// A change of an older version or of a missing product changes nothing.
pub async fn stale_version_is_a_conflict(store: &impl Store) {
    let created = product(1);
    store.commit(insert(&created)).await.expect("stored");
    let (after, commit) = update(&created, rename("First"));
    store.commit(commit).await.expect("stored");
    let (_, stale) = update(&created, rename("Second"));
    assert_eq!(store.commit(stale).await, Err(CommitError::Conflict));
    assert_eq!(read_back(store, &created).await, Some(after));
    let (_, missing) = update(&product(2), rename("Second"));
    assert_eq!(store.commit(missing).await, Err(CommitError::Conflict));
}

/// An existing receipt is reported before any other error, with whether the request was the same.
pub async fn receipt_wins_over_conflict_and_duplicate(store: &impl Store) {
    let created = product(1);
    let first = Commit { receipt: Some(receipt("a", "r", "subject")), ..insert(&created) };
    assert_eq!(store.commit(first.clone()).await, Ok(CommitOutcome::Committed));
    let again = |same_request| Ok(CommitOutcome::AlreadyProcessed { subject: "subject".to_owned(), same_request });
    assert_eq!(store.commit(first).await, again(true));
    let other = Commit { receipt: Some(receipt("a", "another", "other")), ..insert(&product(2)) };
    assert_eq!(store.commit(other).await, again(false));
    assert_eq!(read_back(store, &product(2)).await, None);

    let (after, commit) = update(&created, rename("First"));
    let commit = Commit { receipt: Some(receipt("b", "r", "subject")), ..commit };
    assert_eq!(store.commit(commit.clone()).await, Ok(CommitOutcome::Committed));
    assert_eq!(store.commit(commit).await, again(true), "although the version is stale now");
    assert_eq!(read_back(store, &created).await, Some(after));
}

/// A failed commit stores no receipt, so that it can be repeated.
pub async fn receipt_without_effect_is_not_stored(store: &impl Store) {
    let created = product(1);
    store.commit(insert(&created)).await.expect("stored");
    let (after, commit) = update(&created, rename("First"));
    store.commit(commit).await.expect("stored");
    let (_, stale) = update(&created, rename("Second"));
    let stale = Commit { receipt: Some(receipt("a", "r", "")), ..stale };
    assert_eq!(store.commit(stale).await, Err(CommitError::Conflict));
    let (fresh_product, fresh) = update(&after, rename("Second"));
    let fresh = Commit { receipt: Some(receipt("a", "r", "")), ..fresh };
    assert_eq!(store.commit(fresh).await, Ok(CommitOutcome::Committed));
    assert_eq!(read_back(store, &created).await, Some(fresh_product));
}

/// SKU and slug are unique ignoring case, including archived products. A failed commit stores nothing.
pub async fn duplicates_store_nothing(store: &impl Store) {
    let first = product(1);
    store.commit(insert(&first)).await.expect("stored");
    let expected = first.version;
    let (archived, events) = first.archive(at(5)).expect("active");
    let events = events.into_iter().map(event).collect();
    let write = Some(Write::Update { product: archived, expected });
    store.commit(Commit { write, events, receipt: None }).await.expect("stored");

    let changed = |n, changes| update(&product(n), changes).0;
    let as_new = |product: Product| Product { version: Version::NONE.next(), ..product };
    let sku = as_new(changed(2, Changes { sku: Some("sku-1".to_owned()), ..Changes::default() }));
    let slug = as_new(changed(3, Changes { slug: Some("SLUG-1".to_owned()), ..Changes::default() }));
    for (taker, unique) in [(sku, Unique::Sku), (slug, Unique::Slug)] {
        let commit = Commit { receipt: Some(receipt("a", "r", "")), ..insert(&taker) };
        assert_eq!(store.commit(commit).await, Err(CommitError::Duplicate(unique)));
        assert_eq!(read_back(store, &taker).await, None);
    }
    let second = product(2);
    let commit = Commit { receipt: Some(receipt("a", "r", "")), ..insert(&second) };
    assert_eq!(store.commit(commit).await, Ok(CommitOutcome::Committed), "the receipt was not stored");
    let (_, commit) = update(&second, Changes { slug: Some("slug-1".to_owned()), ..Changes::default() });
    assert_eq!(store.commit(commit).await, Err(CommitError::Duplicate(Unique::Slug)));
    assert_eq!(read_back(store, &second).await, Some(second));
    let without = |n| as_new(changed(n, Changes { sku: Some(String::new()), ..Changes::default() }));
    for n in [4, 5] {
        assert_eq!(
            store.commit(insert(&without(n))).await,
            Ok(CommitOutcome::Committed),
            "a missing SKU is not a duplicate"
        );
    }
}

/// Events alone are committed once per receipt; an empty commit is allowed.
pub async fn empty_commit_of_events(store: &impl Store) {
    let created = product(1);
    store.commit(insert(&created)).await.expect("stored");
    let events = vec![event(ProductEvent::ProductRepublished(ProductRepublished { product: created.clone() }))];
    let commit = Commit { write: None, events, receipt: Some(receipt("a", "r", "")) };
    assert_eq!(store.commit(commit.clone()).await, Ok(CommitOutcome::Committed));
    let again = CommitOutcome::AlreadyProcessed { subject: String::new(), same_request: true };
    assert_eq!(store.commit(commit).await, Ok(again));
    let empty = Commit { write: None, events: vec![], receipt: None };
    assert_eq!(store.commit(empty).await, Ok(CommitOutcome::Committed));
    assert_eq!(read_back(store, &created).await, Some(created));
}

/// Of two concurrent changes of one version, one succeeds and the other conflicts.
pub async fn concurrent_updates_have_one_winner(store: &impl Store) {
    let created = product(1);
    store.commit(insert(&created)).await.expect("stored");
    let (a, commit_a) = update(&created, rename("A"));
    let (b, commit_b) = update(&created, rename("B"));
    let (done_a, done_b) = both(store.commit(commit_a), store.commit(commit_b)).await;
    let winner = match (done_a, done_b) {
        (Ok(CommitOutcome::Committed), Err(CommitError::Conflict)) => a,
        (Err(CommitError::Conflict), Ok(CommitOutcome::Committed)) => b,
        both => panic!("{both:?}"),
    };
    assert_eq!(read_back(store, &created).await, Some(winner));
}

/// Every filter in every order returns the same products as the in-memory store, page by page.
pub async fn lists_agree_with_memory(store: &impl Store) {
    let memory = MemoryStore::default();
    for created in listed_products() {
        store.commit(insert(&created)).await.expect("stored");
        memory.commit(insert(&created)).await.expect("stored");
    }
    let orders = ["PKR", "USD", "JPY"].map(|code| Order::Price(currency(code)));
    for filter in &filters() {
        for order in [Order::Newest, Order::Name].into_iter().chain(orders) {
            let all = memory.list(filter, order, None, 100).await.expect("reachable");
            assert_eq!(
                ids(&store.list(filter, order, None, 100).await.expect("reachable")),
                ids(&all),
                "{filter:?} {order:?}"
            );
            for after in &all {
                let cursor = Cursor::of(order, after);
                let expected = memory.list(filter, order, Some(&cursor), 4).await.expect("reachable");
                let found = store.list(filter, order, Some(&cursor), 4).await.expect("reachable");
                assert_eq!(found, expected, "{filter:?} {order:?} {cursor:?}");
            }
        }
    }
}

/// Returns products with equal and different names, SKUs, prices, statuses and times.
fn listed_products() -> Vec<Product> {
    let names = [
        "Red mug", "red Mug", "Blue mug", "Straße", "STRASSE", "50% wool", "a_b", "چائے", "Ωmega", "zebra", "Zebra",
        "éclair",
    ];
    let nth_product = |n: u64| {
        let nth = usize::try_from(n).expect("small");
        let mut prices = vec![money(&format!("{}.00", 10 + n % 5), "USD")];
        if n.is_multiple_of(3) {
            prices.push(money(&format!("{}.50", 100 + n % 4), "PKR"));
        }
        let changes = Changes {
            name: Some(names[nth % names.len()].to_owned()),
            sku: Some(if n.is_multiple_of(4) { String::new() } else { format!("Ab{} x_{n}", n % 7) }),
            prices: Some(prices),
            ..Changes::default()
        };
        let changed = update(&product(n), changes).0;
        // Some are created at the same time, so that ids break ties.
        let created_at = at(i64::try_from(n / 3).expect("small"));
        let status = [Status::Active, Status::Draft, Status::Archived][nth % 3];
        Product { version: Version::NONE.next(), created_at, status, ..changed }
    };
    (0..36).map(nth_product).collect()
}

fn filters() -> Vec<Filter> {
    let range = |min, max| Some(PriceRange { currency: currency("PKR"), min, max });
    let searches =
        ["mug", "RE mug", "strasse", "50%", "%", "a_b", "ab1 x_", "ΩMEGA", "چا", "'; drop table"].map(search::words);
    let mut filters = vec![
        Filter::default(),
        Filter { status: Some(Status::Active), ..Filter::default() },
        Filter { category: Some("mugs".to_owned()), ..Filter::default() },
        Filter { price: range(10_050, 10_150), ..Filter::default() },
        Filter { price: range(10_150, i64::MAX), status: Some(Status::Active), ..Filter::default() },
        Filter { price: range(20_000, 10_000), ..Filter::default() },
    ];
    filters.extend(searches.map(|words| Filter { words, ..Filter::default() }));
    filters
}

fn currency(code: &str) -> Currency {
    Currency::from_code(code).expect("known")
}

fn ids(products: &[Product]) -> Vec<ProductId> {
    products.iter().map(|product| product.id).collect()
}
