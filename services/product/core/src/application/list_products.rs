//! Lists the products on sale.

use mart_kernel::money::{Currency, MoneyError};
use mart_kernel::{ListError, Money, Page, PageSize};

use super::{Invalid, Product, Status, Store, UseCases, search};
use crate::ports::{Filter, Order, PriceRange};

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

/// The errors of listing products.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListProductsError {
    /// The parameters are invalid.
    #[error("the parameters of the list are invalid")]
    Invalid(Vec<Invalid>),
    /// The list failed.
    #[error(transparent)]
    List(#[from] ListError),
}

impl<S: Store> UseCases<S> {
    /// Returns a page of the products on sale. Another status in the request is ignored.
    pub async fn list_products(&self, request: ListProducts) -> Result<Page<Product>, ListProductsError> {
        self.list(ListProducts { status: Some(Status::Active), ..request }).await
    }
}

impl ListProducts {
    /// Returns the filter and the order, or every violation.
    pub(super) fn parse(self) -> Result<(Filter, Order), Vec<Invalid>> {
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
