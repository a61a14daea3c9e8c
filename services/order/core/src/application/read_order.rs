//! Reads an order and its timeline.

use mart_kernel::StoreError;

use super::{Order, OrderId, Store, UseCases, Viewer};
use crate::domain::TimelineEntry;

impl<S: Store> UseCases<S> {
    /// Returns an order that the viewer may read.
    pub async fn get_order(&self, viewer: &Viewer, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.store.find(id).await?.filter(|order| viewer.sees(order)))
    }

    /// Returns the timeline, oldest first, each entry with its trace id; `None` if the viewer may not read the order.
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
