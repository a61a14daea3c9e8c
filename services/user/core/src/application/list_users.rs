//! Lists users.

use mart_kernel::{Fingerprint, ListError, Page, PageSize};

use super::UseCases;
use crate::domain::User;
use crate::ports::{Hasher, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Returns a page of users, newest first.
    pub async fn list_users(&self, size: PageSize, token: &str) -> Result<Page<User>, ListError> {
        let list = Fingerprint::new("users").finish();
        let find = |after, limit| self.store.list(after, limit);
        self.page_tokens.page(list, size, token, find, User::cursor).await
    }
}
