//! Implements the contract's operations with the core's use cases.

use mart_chassis::convert::uuid;
use mart_chassis::http::{ApiError, Principal, RequestContext};
use mart_kernel::{ListError, PageSize};
use mart_proto::Violation;
use mart_proto::notification::v1;
use notification_core::UseCases;
use notification_core::application::{PreferenceError, ResendError};
use notification_core::domain::{CustomerId, NotificationId, OrderId};
use notification_core::ports::{Filter, Store};

use super::proto::{kind_and_channel, notification, preference, status_filter};
use crate::generated::http::{
    GetNotificationError, GetPreferencesError, ListNotificationsError, NotificationService, ResendNotificationError,
    SetPreferenceError,
};

/// Serves the operations over HTTP.
#[derive(Debug)]
pub(crate) struct Http<S> {
    use_cases: UseCases<S>,
}

impl<S> Http<S> {
    /// Creates the operations over these use cases.
    pub(crate) fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }
}

/// Returns the authenticated customer.
fn customer(context: &RequestContext) -> CustomerId {
    match &context.principal {
        Principal::Authenticated { subject, .. } => CustomerId(subject.clone()),
        Principal::Anonymous => CustomerId(String::new()),
    }
}

fn id(id: &str) -> Result<NotificationId, ApiError> {
    Ok(NotificationId(uuid("notificationId", id)?))
}

impl<S: Store + 'static> NotificationService for Http<S> {
    async fn get_preferences(
        &self,
        context: RequestContext,
        request: v1::GetPreferencesRequest,
    ) -> Result<v1::GetPreferencesResponse, GetPreferencesError> {
        let v1::GetPreferencesRequest {} = request;
        let preferences = self.use_cases.get_preferences(&customer(&context)).await.map_err(ApiError::from)?;
        Ok(v1::GetPreferencesResponse { preferences: preferences.into_iter().map(preference).collect() })
    }

    async fn set_preference(
        &self,
        context: RequestContext,
        request: v1::SetPreferenceRequest,
    ) -> Result<v1::SetPreferenceResponse, SetPreferenceError> {
        // The contract's validation accepts defined kinds and channels only.
        let unknown =
            || ApiError::Invalid(vec![Violation::new("kind", "enum.defined_only", "unknown kind or channel")]);
        let (kind, channel) = kind_and_channel(request.kind(), request.channel()).ok_or_else(unknown)?;
        let updated = self.use_cases.set_preference(&customer(&context), kind, channel, request.enabled).await?;
        Ok(v1::SetPreferenceResponse { preference: Some(preference(updated)) })
    }

    async fn list_notifications(
        &self,
        _context: RequestContext,
        request: v1::ListNotificationsRequest,
    ) -> Result<v1::ListNotificationsResponse, ListNotificationsError> {
        let status = status_filter(request.status());
        let v1::ListNotificationsRequest { order_id, recipient, status: _, page_size, page_token } = request;
        let order = match order_id.as_str() {
            "" => None,
            order => Some(OrderId(uuid("orderId", order)?)),
        };
        let filter = Filter { order, recipient: Some(recipient).filter(|to| !to.is_empty()), status };
        let page = self.use_cases.list_notifications(&filter, PageSize::requested(page_size), &page_token).await?;
        let notifications = page.items.iter().map(notification).collect();
        Ok(v1::ListNotificationsResponse { notifications, next_page_token: page.next.unwrap_or_default() })
    }

    async fn get_notification(
        &self,
        _context: RequestContext,
        request: v1::GetNotificationRequest,
    ) -> Result<v1::GetNotificationResponse, GetNotificationError> {
        let found = self.use_cases.get_notification(id(&request.notification_id)?).await.map_err(ApiError::from)?;
        let found = found.ok_or(GetNotificationError::NotificationNotFound)?;
        Ok(v1::GetNotificationResponse { notification: Some(notification(&found)) })
    }

    async fn resend_notification(
        &self,
        _context: RequestContext,
        request: v1::ResendNotificationRequest,
    ) -> Result<v1::ResendNotificationResponse, ResendNotificationError> {
        let resent = self.use_cases.resend_notification(id(&request.notification_id)?).await?;
        Ok(v1::ResendNotificationResponse { notification: Some(notification(&resent)) })
    }
}

impl From<PreferenceError> for SetPreferenceError {
    fn from(error: PreferenceError) -> Self {
        match error {
            PreferenceError::Fixed => Self::PreferenceFixed,
            PreferenceError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<ListError> for ListNotificationsError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::InvalidPageToken(_) => Self::InvalidPageToken,
            ListError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<ResendError> for ResendNotificationError {
    fn from(error: ResendError) -> Self {
        match error {
            ResendError::NotFound => Self::NotificationNotFound,
            ResendError::NotFailed => Self::NotificationNotFailed,
            ResendError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}
