//! Publishes the current state of users again.

use mart_kernel::{ListError, PageSize, Republished};

use super::UseCases;
use crate::domain::AccountDecider;
use crate::ports::{Hasher, Scope, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Publishes UserRepublished for a page of users, each under its lock.
    pub async fn republish_users(&self, size: PageSize, token: &str) -> Result<Republished, ListError> {
        let page = self.list_users(size, token).await?;
        let count = page.items.len();
        if count > 0 {
            let scope = Scope { users: page.items.iter().map(|user| user.id).collect(), ..Scope::default() };
            self.decide(scope, AccountDecider::republish).await?;
        }
        Ok(Republished { count, next: page.next })
    }
}
