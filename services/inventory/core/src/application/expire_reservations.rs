//! The backstop: promises that nobody used end by themselves.

use std::convert::Infallible;

use mart_kernel::Unavailable;

use super::{Books, Scope, Store, UseCases};

impl<S: Store> UseCases<S> {
    /// Ends up to `limit` promises whose time is over, each once however many replicas sweep; how many were found due.
    pub async fn expire_reservations(&self, limit: usize) -> Result<usize, Unavailable> {
        let due = self.store.due(self.clock.now(), limit).await?;
        for order in &due {
            let step = |books: &mut Books<'_>| {
                books.expire();
                Ok::<(), Infallible>(())
            };
            self.decide(Scope::order(*order, std::iter::empty()), None, step).await?;
        }
        Ok(due.len())
    }
}
