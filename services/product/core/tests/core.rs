//! The use cases with the in-memory store, and that store's conformance.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::page::InvalidPageToken;
use mart_kernel::{
    Commit, CommitError, CommitOutcome, ListError, Money, PageSize, PageTokenSigner, Receipt, ReceiptBuilder,
    StoreError, Timestamp, Version,
};
use product_core::UseCases;
use product_core::application::{ChangeError, CreateError, CreateProduct, ListProducts, ListProductsError, OrderBy};
use product_core::domain::{
    Archived, Attribute, Changes, NotActive, Product, ProductEvent, ProductId, Status, UnvalidatedDetails, UpdateError,
};
use product_core::memory::MemoryStore;
use product_core::ports::{Cursor, Filter, Order, Store, Unique, Write};

mod memory {
    product_core::conformance!(async { product_core::memory::MemoryStore::default() });
}

/// A store whose next commits conflict, as if other writers had committed first.
#[derive(Clone, Default)]
struct Contended {
    store: MemoryStore,
    /// The number of commits that conflict.
    conflicts: Arc<AtomicUsize>,
}

impl Store for Contended {
    async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.store.find(id).await
    }

    async fn find_by_slug(&self, slug_key: &str) -> Result<Option<Product>, StoreError> {
        self.store.find_by_slug(slug_key).await
    }

    async fn list(
        &self,
        filter: &Filter,
        order: Order,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        self.store.list(filter, order, after, limit).await
    }

    async fn commit(&self, commit: Commit<Write, ProductEvent>) -> Result<CommitOutcome, CommitError<Unique>> {
        let left = self.conflicts.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() { Err(CommitError::Conflict) } else { self.store.commit(commit).await }
    }
}

struct Mart {
    store: Contended,
    use_cases: UseCases<Contended>,
    clock: Arc<ManualClock>,
}

impl Mart {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(1_800_000_000_000_000).expect("in range")));
        let ids = Arc::new(SequentialIds::default());
        let store = Contended::default();
        let use_cases = UseCases::new(store.clone(), clock.clone(), ids, PageTokenSigner::new(b"secret"));
        Self { store, use_cases, clock }
    }

    fn contend(&self, times: usize) {
        self.store.conflicts.store(times, Ordering::Relaxed);
    }

    fn events(&self) -> Vec<(&'static str, i64)> {
        let name = |event: &ProductEvent| match event {
            ProductEvent::ProductCreated(_) => "created",
            ProductEvent::ProductUpdated(_) => "updated",
            ProductEvent::ProductPriceChanged(_) => "repriced",
            ProductEvent::ProductActivated(_) => "activated",
            ProductEvent::ProductArchived(_) => "archived",
            ProductEvent::ProductRepublished(_) => "republished",
        };
        let events = self.store.store.events();
        events.iter().map(|event| (name(&event.payload), event.version.get())).collect()
    }

    /// Creates a product, one second after the previous one.
    async fn create(&self, slug: &str, status: Status) -> Product {
        self.clock.advance(time::Duration::SECOND);
        self.use_cases.create_product(request(slug, status), None).await.expect("created")
    }

    async fn page(&self, change: impl FnOnce(&mut ListProducts)) -> Result<(Vec<String>, String), ListProductsError> {
        let mut request = everything();
        change(&mut request);
        let page = self.use_cases.admin_list_products(request).await?;
        let slugs = page.items.iter().map(|product| product.details.slug.as_str().to_owned()).collect();
        Ok((slugs, page.next.unwrap_or_default()))
    }
}

fn request(slug: &str, status: Status) -> CreateProduct {
    let details = UnvalidatedDetails {
        sku: format!("SKU {slug}"),
        slug: slug.to_owned(),
        name: slug.to_uppercase(),
        description: String::new(),
        category: "mugs".to_owned(),
        image_urls: Vec::new(),
        attributes: vec![Attribute { key: "size".to_owned(), value: "small".to_owned() }],
        prices: vec![Money::parse("10.00", "PKR").expect("money")],
    };
    CreateProduct { details, status }
}

fn everything() -> ListProducts {
    ListProducts {
        status: None,
        category: String::new(),
        currency_code: String::new(),
        min_price: String::new(),
        max_price: String::new(),
        query: String::new(),
        order_by: OrderBy::Newest,
        page_size: PageSize::DEFAULT,
        page_token: String::new(),
    }
}

fn receipt(key: &str, fingerprint: u8) -> ReceiptBuilder {
    let key = key.to_owned();
    let receipt = move |subject| Receipt { scope: "create".to_owned(), key, fingerprint: [fingerprint; 32], subject };
    Box::new(receipt)
}

fn rename(name: &str) -> Changes {
    Changes { name: Some(name.to_owned()), ..Changes::default() }
}

fn price(product: &mut ListProducts, code: &str, min: &str, max: &str) {
    (product.currency_code, product.min_price, product.max_price) = (code.to_owned(), min.to_owned(), max.to_owned());
}

#[tokio::test]
async fn a_creation_is_stored_and_published_once() {
    let mart = Mart::new();
    let created = mart.create("mug", Status::Draft).await;
    assert_eq!(mart.use_cases.admin_get_product(created.id).await, Ok(Some(created.clone())));
    let events = mart.store.store.events();
    assert_eq!((events.len(), events[0].at, events[0].version), (1, created.created_at, Version::NONE.next()));
    let invalid = CreateProduct {
        details: UnvalidatedDetails { name: String::new(), ..request("x", Status::Draft).details },
        status: Status::Draft,
    };
    assert!(matches!(mart.use_cases.create_product(invalid, None).await, Err(CreateError::Invalid(_))));
    let archived = mart.use_cases.create_product(request("x", Status::Archived), None).await;
    assert!(matches!(archived, Err(CreateError::Invalid(invalid)) if invalid[0].field == "status"));
    let taken = mart.use_cases.create_product(request("mug", Status::Draft), None).await;
    assert_eq!(taken, Err(CreateError::Taken(Unique::Sku)));
    mart.contend(1);
    let impossible = mart.use_cases.create_product(request("y", Status::Draft), None).await;
    assert_eq!(impossible, Err(CreateError::Unavailable(StoreError::Internal)), "a new row cannot conflict");
    assert_eq!(mart.events(), [("created", 1)]);
}

#[tokio::test]
async fn a_repeated_creation_returns_the_first_product() {
    let mart = Mart::new();
    let create =
        |fingerprint| mart.use_cases.create_product(request("mug", Status::Active), Some(receipt("k", fingerprint)));
    let first = create(1).await.expect("created");
    let renamed = mart.use_cases.update_product(first.id, rename("Other"), None).await.expect("changed");
    assert_eq!(create(1).await, Ok(renamed));
    assert_eq!(create(2).await, Err(CreateError::KeyReused));
    assert_eq!(mart.events(), [("created", 1), ("updated", 2)]);
}

#[tokio::test]
async fn customers_read_active_products_and_admins_all() {
    let mart = Mart::new();
    for (slug, status, seen) in [("draft", Status::Draft, false), ("active", Status::Active, true)] {
        let product = mart.create(slug, status).await;
        let public = mart.use_cases.get_product(product.id).await.expect("reachable");
        let by_slug = mart.use_cases.get_product_by_slug(&slug.to_uppercase()).await.expect("reachable");
        assert_eq!((public.is_some(), by_slug.is_some()), (seen, seen), "{slug}");
        assert_eq!(mart.use_cases.admin_get_product(product.id).await, Ok(Some(product)));
    }
    assert_eq!(mart.use_cases.get_product_by_slug("nothing").await, Ok(None));
    let listed = mart.use_cases.list_products(everything()).await.expect("listed");
    assert_eq!(listed.items.len(), 1);
    let drafts = ListProducts { status: Some(Status::Draft), ..everything() };
    let listed = mart.use_cases.list_products(drafts).await.expect("listed");
    assert_eq!(listed.items[0].status, Status::Active, "customers cannot request another status");
}

#[tokio::test]
async fn a_change_is_retried_unless_a_version_is_expected() {
    let mart = Mart::new();
    let product = mart.create("mug", Status::Active).await;
    mart.contend(2);
    let changed = mart.use_cases.update_product(product.id, rename("Second"), None).await.expect("the third attempt");
    mart.contend(3);
    let contended = mart.use_cases.update_product(product.id, rename("Third"), None).await;
    assert_eq!(contended, Err(ChangeError::Contention));
    mart.contend(1);
    let stale = mart.use_cases.update_product(product.id, rename("Third"), Some(changed.version)).await;
    assert_eq!(stale, Err(ChangeError::PreconditionFailed), "a concurrent change committed first");
    let stale = mart.use_cases.update_product(product.id, rename("Third"), Some(product.version)).await;
    assert_eq!(stale, Err(ChangeError::PreconditionFailed), "an older version is expected");
    let expected =
        mart.use_cases.update_product(product.id, rename("Third"), Some(changed.version)).await.expect("changed");
    assert_eq!((expected.details.name.as_str(), expected.version.get()), ("Third", 3));
    let other = mart.create("other", Status::Active).await;
    let taken = Changes { slug: Some("mug".to_owned()), ..Changes::default() };
    let taken = mart.use_cases.update_product(other.id, taken, None).await;
    assert_eq!(taken, Err(ChangeError::Duplicate(Unique::Slug)));
    let invalid = mart.use_cases.update_product(other.id, rename(" "), None).await;
    assert!(matches!(invalid, Err(ChangeError::Rejected(UpdateError::Invalid(_)))));
    let unknown = ProductId(uuid::Uuid::nil());
    assert_eq!(mart.use_cases.update_product(unknown, rename("x"), None).await, Err(ChangeError::NotFound));
}

#[tokio::test]
async fn transitions_are_committed_once() {
    let mart = Mart::new();
    let product = mart.create("mug", Status::Draft).await;
    let archived = mart.use_cases.archive_product(product.id, None).await;
    assert_eq!(archived, Err(ChangeError::Rejected(NotActive)));
    mart.clock.advance(time::Duration::MINUTE);
    let active = mart.use_cases.activate_product(product.id, Some(product.version)).await.expect("activated");
    assert!(active.updated_at > product.updated_at);
    assert_eq!(mart.use_cases.activate_product(product.id, None).await, Ok(active.clone()));
    let archived = mart.use_cases.archive_product(product.id, Some(active.version)).await.expect("archived");
    assert_eq!(mart.use_cases.archive_product(product.id, None).await, Ok(archived.clone()));
    assert_eq!(mart.use_cases.activate_product(product.id, None).await, Err(ChangeError::Rejected(Archived)));
    assert_eq!(mart.events(), [("created", 1), ("activated", 2), ("archived", 3)]);
    assert_eq!(mart.store.store.events()[2].at, archived.updated_at);
}

#[tokio::test]
async fn pages_are_complete_and_tokens_are_valid_for_their_list() {
    let mart = Mart::new();
    for slug in ["c", "a", "d", "b"] {
        mart.create(slug, Status::Active).await;
    }
    let pkr = |request: &mut ListProducts| price(request, "PKR", "", "");
    let orders: [(OrderBy, &[&str]); 3] = [
        (OrderBy::Newest, &["b", "d", "a", "c"]),
        (OrderBy::Name, &["a", "b", "c", "d"]),
        (OrderBy::Price, &["c", "a", "d", "b"]),
    ];
    for (order_by, expected) in orders {
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let set = |request: &mut ListProducts| {
                pkr(request);
                (request.order_by, request.page_size, request.page_token) =
                    (order_by, PageSize::requested(1), token.clone());
            };
            let (slugs, next) = mart.page(set).await.expect("a page");
            all.extend(slugs);
            if next.is_empty() {
                break;
            }
            for filter in ["query", "category", "status", "price"] {
                let set = |request: &mut ListProducts| {
                    pkr(request);
                    (request.order_by, request.page_token) = (order_by, next.clone());
                    match filter {
                        "query" => request.query = "a".to_owned(),
                        "category" => request.category = "mugs".to_owned(),
                        "status" => request.status = Some(Status::Active),
                        _ => request.min_price = "1.00".to_owned(),
                    }
                };
                let invalid = ListError::InvalidPageToken(InvalidPageToken);
                assert_eq!(mart.page(set).await, Err(invalid.into()), "{order_by:?} {filter}");
            }
            token = next;
        }
        assert_eq!(all, expected, "{order_by:?}");
    }
}

#[tokio::test]
async fn pages_by_price_include_products_without_a_price() {
    let mart = Mart::new();
    for slug in ["a", "b", "c"] {
        mart.create(slug, Status::Active).await;
    }
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let set = |request: &mut ListProducts| {
            price(request, "JPY", "", "");
            (request.order_by, request.page_size, request.page_token) =
                (OrderBy::Price, PageSize::requested(1), token.clone());
        };
        let (slugs, next) = mart.page(set).await.expect("a page");
        all.extend(slugs);
        if next.is_empty() {
            break;
        }
        token = next;
    }
    assert_eq!(all, ["a", "b", "c"]);
}

#[tokio::test]
async fn invalid_list_parameters_are_reported_at_once() {
    let mart = Mart::new();
    mart.create("mug", Status::Active).await;
    let fields = async |change: fn(&mut ListProducts)| match mart.page(change).await {
        Err(ListProductsError::Invalid(invalid)) => {
            invalid.into_iter().map(|invalid| invalid.field).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(fields(|r| price(r, "ZZZ", "1.00", "2.00")).await, ["currencyCode"]);
    assert_eq!(fields(|r| price(r, "", "1.00", "2.00")).await, ["minPrice", "maxPrice"]);
    assert_eq!(fields(|r| price(r, "PKR", "1", "2.0")).await, ["minPrice", "maxPrice"]);
    assert_eq!(fields(|r| r.order_by = OrderBy::Price).await, ["orderBy"]);
    let unknown = |r: &mut ListProducts| {
        price(r, "ZZZ", "", "");
        r.order_by = OrderBy::Price;
    };
    assert_eq!(fields(unknown).await, ["currencyCode"], "an unknown currency is reported once");

    let found = async |change: fn(&mut ListProducts)| mart.page(change).await.expect("a page").0.len();
    assert_eq!(found(|r| price(r, "PKR", "10.00", "")).await, 1);
    assert_eq!(found(|r| price(r, "PKR", "10.01", "")).await, 0);
    assert_eq!(found(|r| price(r, "PKR", "", "10.00")).await, 1);
    assert_eq!(found(|r| price(r, "PKR", "", "9.99")).await, 0);
    assert_eq!(found(|r| price(r, "USD", "", "")).await, 1, "a currency alone is no filter");
    assert_eq!(found(|r| r.category = "tea".to_owned()).await, 0);
    assert_eq!(found(|r| r.query = "mu".to_owned()).await, 1);
}

#[tokio::test]
async fn republishing_repeats_the_current_version() {
    let mart = Mart::new();
    mart.contend(1);
    let empty = mart.use_cases.republish_products(PageSize::DEFAULT, "").await.expect("nothing to commit");
    mart.contend(0);
    assert_eq!((empty.count, empty.next), (0, None));
    for slug in ["a", "b", "c"] {
        mart.create(slug, Status::Draft).await;
    }
    let first = mart.use_cases.republish_products(PageSize::requested(2), "").await.expect("a page");
    assert_eq!(first.count, 2);
    let rest =
        mart.use_cases.republish_products(PageSize::requested(2), &first.next.expect("more")).await.expect("a page");
    assert_eq!((rest.count, rest.next), (1, None));
    assert_eq!(mart.events()[3..], [("republished", 1); 3]);
    let rejected = mart.use_cases.republish_products(PageSize::DEFAULT, "forged").await;
    assert_eq!(rejected, Err(ListError::InvalidPageToken(InvalidPageToken)));
    mart.contend(1);
    let impossible = mart.use_cases.republish_products(PageSize::DEFAULT, "").await;
    assert_eq!(impossible, Err(ListError::Unavailable(StoreError::Internal)));
}

#[test]
fn debug_output_has_no_secret() {
    assert_eq!(format!("{:?}", Mart::new().use_cases), "UseCases");
}
