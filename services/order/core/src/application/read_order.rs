//! Reading an order and what happened to it.

use mart_kernel::StoreError;

use super::{Order, OrderId, Store, UseCases, Viewer};
use crate::domain::TimelineEntry;

impl<S: Store> UseCases<S> {
    /// An order that the viewer may see.
    pub async fn get_order(&self, viewer: &Viewer, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.store.find(id).await?.filter(|order| viewer.sees(order)))
    }

    /// What happened to it, oldest first, each with the id of its trace; `None` where the viewer may not see it.
    pub async fn track_order(
        &self,
        viewer: &Viewer,
        id: OrderId,
    ) -> Result<Option<Vec<(TimelineEntry, String)>>, StoreError> {
        match self.get_order(viewer, id).await? {
            Some(_) => self.store.timeline(id).await.map(Some),
            None => Ok(None),
        }
    }
}
