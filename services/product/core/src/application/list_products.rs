//! Lists products.

use mart_kernel::money::{Currency, MoneyError};
use mart_kernel::page::InvalidPageToken;
use mart_kernel::{Fingerprint, Money, Page, PageSize, StoreError, Timestamp};
use uuid::Uuid;

use super::{Invalid, Product, ProductId, Status, Store, UseCases, search};
use crate::ports::{Cursor, Filter, Order, PriceRange};

/// The parameters of a list. Empty texts do not filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListProducts {
    /// Only products in this status.
    pub status: Option<Status>,
    /// Only products of this category.
    pub category: String,
    /// The ISO 4217 code for price bounds and order.
    pub currency_code: String,
    /// Only products at this price or above.
    pub min_price: String,
    /// Only products at this price or below.
    pub max_price: String,
    /// Only products that match these words.
    pub query: String,
    /// The order.
    pub order_by: OrderBy,
    /// The number of items on a page.
    pub page_size: PageSize,
    /// The token of the previous page.
    pub page_token: String,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderBy {
    /// Newest first.
    Newest,
    /// By name.
    Name,
    /// Cheapest first, in the request's currency.
    Price,
}

/// The errors of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListError {
    /// The parameters are invalid.
    Invalid(Vec<Invalid>),
    /// The token is invalid for this list.
    Token,
    /// The store failed.
    Unavailable(StoreError),
}

impl From<StoreError> for ListError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<InvalidPageToken> for ListError {
    fn from(_: InvalidPageToken) -> Self {
        Self::Token
    }
}

impl<S: Store> UseCases<S> {
    /// Returns a page of active products.
    pub async fn list_products(&self, request: ListProducts) -> Result<Page<Product>, ListError> {
        self.admin_list_products(ListProducts { status: Some(Status::Active), ..request }).await
    }

    /// Returns a page of all products.
    pub async fn admin_list_products(&self, request: ListProducts) -> Result<Page<Product>, ListError> {
        let size = request.page_size;
        let token = request.page_token.clone();
        let (filter, order) = request.parse().map_err(ListError::Invalid)?;
        self.page(&filter, order, size, &token).await
    }

    /// Returns the page after a token, or the first page.
    pub(super) async fn page(
        &self,
        filter: &Filter,
        order: Order,
        size: PageSize,
        token: &str,
    ) -> Result<Page<Product>, ListError> {
        let list = fingerprint(filter, order);
        let after = match token {
            "" => None,
            token => Some(Cursor::decode(order, &self.page_tokens.verify(list, token)?).ok_or(ListError::Token)?),
        };
        let found = self.store.list(filter, order, after.as_ref(), size.get() + 1).await?;
        Ok(Page::cut(found, size, |last| self.page_tokens.sign(list, &Cursor::of(order, last).encode())))
    }
}

impl ListProducts {
    fn parse(self) -> Result<(Filter, Order), Vec<Invalid>> {
        let mut invalid = Vec::new();
        let mut violation = |field: &str, rule: &'static str| invalid.push(Invalid::new(field, rule));
        let code = self.currency_code.as_str();
        let currency = Currency::from_code(code).ok();
        if currency.is_none() && !code.is_empty() {
            violation("currencyCode", "the currency is one of ISO 4217 with a minor unit");
        }
        let mut bound = |field: &str, amount: &str, open: i64| match Money::parse(amount, code) {
            _ if amount.is_empty() => open,
            Ok(money) => money.minor(),
            Err(MoneyError::UnknownCurrency) if code.is_empty() => {
                violation(field, "a bound of the price needs currencyCode");
                open
            }
            Err(MoneyError::UnknownCurrency) => open,
            Err(_) => {
                violation(field, "a bound of the price has exactly the currency's digits");
                open
            }
        };
        let min = bound("minPrice", &self.min_price, i64::MIN);
        let max = bound("maxPrice", &self.max_price, i64::MAX);
        let bounded = !self.min_price.is_empty() || !self.max_price.is_empty();
        let order = match (self.order_by, currency) {
            (OrderBy::Newest, _) => Order::Newest,
            (OrderBy::Name, _) => Order::Name,
            (OrderBy::Price, Some(currency)) => Order::Price(currency),
            (OrderBy::Price, None) => {
                if code.is_empty() {
                    violation("orderBy", "the order by price needs currencyCode");
                }
                Order::Newest
            }
        };
        if !invalid.is_empty() {
            return Err(invalid);
        }
        let filter = Filter {
            status: self.status,
            category: Some(self.category).filter(|category| !category.is_empty()),
            price: currency.filter(|_| bounded).map(|currency| PriceRange { currency, min, max }),
            words: search::words(&self.query),
        };
        Ok((filter, order))
    }
}

/// Returns a fingerprint of the list, so that a token is valid for its own list only. The page size may differ.
fn fingerprint(filter: &Filter, order: Order) -> [u8; 32] {
    let Filter { status, category, price, words } = filter;
    let range = price.map(|range| format!("{} {} {}", range.currency, range.min, range.max));
    let start = Fingerprint::new("products")
        .part(format!("{order:?} {status:?}").as_bytes())
        .optional(category.as_deref().map(str::as_bytes))
        .optional(range.as_deref().map(str::as_bytes));
    words.iter().fold(start, |all, word| all.part(word.as_bytes())).finish()
}

impl Cursor {
    /// Returns a product's position.
    pub fn of(order: Order, product: &Product) -> Self {
        match order {
            Order::Newest => Self::Newest(product.created_at, product.id),
            Order::Name => Self::Name(search::fold(&product.details.name), product.id),
            Order::Price(currency) => Self::Price(product.details.prices.of(currency).map(Money::minor), product.id),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let (id, key) = match self {
            Self::Newest(at, id) => (id, at.unix_micros().to_be_bytes().to_vec()),
            Self::Name(name, id) => (id, name.clone().into_bytes()),
            Self::Price(minor, id) => (id, minor.map(|minor| minor.to_be_bytes().to_vec()).unwrap_or_default()),
        };
        [id.0.as_bytes().as_slice(), &key].concat()
    }

    fn decode(order: Order, bytes: &[u8]) -> Option<Self> {
        let (id, key) = bytes.split_at_checked(16)?;
        let id = ProductId(Uuid::from_slice(id).ok()?);
        let number = || key.try_into().ok().map(i64::from_be_bytes);
        Some(match order {
            Order::Newest => Self::Newest(Timestamp::from_unix_micros(number()?)?, id),
            Order::Name => Self::Name(String::from_utf8(key.to_vec()).ok()?, id),
            Order::Price(_) if key.is_empty() => Self::Price(None, id),
            Order::Price(_) => Self::Price(Some(number()?), id),
        })
    }
}
