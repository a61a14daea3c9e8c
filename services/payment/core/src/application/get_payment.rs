//! Reads the payment of an order.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Account, CustomerId, OrderId};
use crate::ports::Store;

/// The caller's view: customers read only their own payments, and do not learn whether others exist. Tasks are for admins only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// A customer.
    Customer(CustomerId),
    /// An admin, who reads all payments.
    Admin,
}

impl Viewer {
    /// Returns the part of a payment that the viewer may see, or `None` if it is another customer's.
    fn view(&self, account: Account) -> Option<Account> {
        match self {
            Self::Customer(customer) if *customer == account.customer => Some(Account { tasks: Vec::new(), ..account }),
            Self::Customer(_) => None,
            Self::Admin => Some(account),
        }
    }
}

impl<S: Store> UseCases<S> {
    /// Returns what the viewer may see of an order's payment. Returns `None` if there is no payment or it is another customer's.
    pub async fn get_payment(&self, order: OrderId, viewer: &Viewer) -> Result<Option<Account>, StoreError> {
        Ok(self.store.find(order).await?.and_then(|account| viewer.view(account)))
    }
}
