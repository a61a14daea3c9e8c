//! Returns the timeline of an order.

use mart_kernel::StoreError;

use super::{OrderId, Store, UseCases, Viewer};
use crate::domain::TimelineEntry;

impl<S: Store> UseCases<S> {
    /// Returns the timeline, oldest first, each entry with its trace id; `None` if the viewer may not read the order.
    pub async fn track_order(
        &self,
        viewer: &Viewer,
        id: OrderId,
    ) -> Result<Option<Vec<(TimelineEntry, String)>>, StoreError> {
        match self.get_order(viewer, id).await? {
            Some(_) => self.store.find_timeline(id).await.map(Some),
            None => Ok(None),
        }
    }
}
