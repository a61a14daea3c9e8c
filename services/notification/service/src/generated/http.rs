// Rendered by `cargo martgen generate` from proto/mart/notification/v1; changes are made there.

//! The operations of the notification service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Api, ApiError, AppState, Auth, Body, Operation, Problem, RequestContext};
use mart_proto::notification::v1;

/// Notifications: messages to customers, their channels and their delivery.
pub(crate) trait NotificationService: Send + Sync + 'static {
    /// Returns the caller's preferences for every kind and channel.
    fn get_preferences(
        &self,
        context: RequestContext,
        request: v1::GetPreferencesRequest,
    ) -> impl Future<Output = Result<v1::GetPreferencesResponse, GetPreferencesError>> + Send;

    /// Turns a kind of notification on or off on a channel, for the caller.
    fn set_preference(
        &self,
        context: RequestContext,
        request: v1::SetPreferenceRequest,
    ) -> impl Future<Output = Result<v1::SetPreferenceResponse, SetPreferenceError>> + Send;

    /// Lists notifications, newest first.
    fn list_notifications(
        &self,
        context: RequestContext,
        request: v1::ListNotificationsRequest,
    ) -> impl Future<Output = Result<v1::ListNotificationsResponse, ListNotificationsError>> + Send;

    /// Returns a notification.
    fn get_notification(
        &self,
        context: RequestContext,
        request: v1::GetNotificationRequest,
    ) -> impl Future<Output = Result<v1::GetNotificationResponse, GetNotificationError>> + Send;

    /// Sends a failed notification again, for as long as the first time.
    fn resend_notification(
        &self,
        context: RequestContext,
        request: v1::ResendNotificationRequest,
    ) -> impl Future<Output = Result<v1::ResendNotificationResponse, ResendNotificationError>> + Send;
}

/// Returns the routes of the service.
pub(crate) fn router<S: NotificationService>(service: Arc<S>, api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/me/notification-preferences", routing::get(get_preferences::<S>).put(set_preference::<S>))
        .route("/v1/admin/notifications", routing::get(list_notifications::<S>))
        .route("/v1/admin/notifications/{notification_id}", routing::get(get_notification::<S>))
        .route("/v1/admin/notifications/{notification_id}/resend", routing::post(resend_notification::<S>))
        .with_state(AppState { service, api })
}

const GET_PREFERENCES: Operation = Operation {
    name: "GetPreferences",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: None,
};

async fn get_preferences<S: NotificationService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&GET_PREFERENCES, request, |context, request| state.service.get_preferences(context, request))
        .await
}

/// The errors of `GetPreferences`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetPreferencesError {
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetPreferencesError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetPreferencesError> for Problem {
    fn from(error: GetPreferencesError) -> Self {
        match error {
            GetPreferencesError::ApiError(error) => error.into(),
        }
    }
}

const SET_PREFERENCE: Operation = Operation {
    name: "SetPreference",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::Whole,
    creates: None,
    etag: None,
};

async fn set_preference<S: NotificationService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&SET_PREFERENCE, request, |context, request| state.service.set_preference(context, request)).await
}

/// The errors of `SetPreference`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum SetPreferenceError {
    /// The account or the law requires the notification, or the channel does not carry it.
    PreferenceFixed,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for SetPreferenceError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<SetPreferenceError> for Problem {
    fn from(error: SetPreferenceError) -> Self {
        match error {
            SetPreferenceError::PreferenceFixed => Self::new(
                409,
                "PREFERENCE_FIXED",
                "The account or the law requires the notification, or the channel does not carry it.",
            ),
            SetPreferenceError::ApiError(error) => error.into(),
        }
    }
}

const LIST_NOTIFICATIONS: Operation =
    Operation { name: "ListNotifications", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_notifications<S: NotificationService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&LIST_NOTIFICATIONS, request, |context, request| state.service.list_notifications(context, request))
        .await
}

/// The errors of `ListNotifications`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ListNotificationsError {
    /// The page token was not issued by this list.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ListNotificationsError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ListNotificationsError> for Problem {
    fn from(error: ListNotificationsError) -> Self {
        match error {
            ListNotificationsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list.")
            }
            ListNotificationsError::ApiError(error) => error.into(),
        }
    }
}

const GET_NOTIFICATION: Operation =
    Operation { name: "GetNotification", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn get_notification<S: NotificationService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&GET_NOTIFICATION, request, |context, request| state.service.get_notification(context, request))
        .await
}

/// The errors of `GetNotification`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetNotificationError {
    /// There is no such notification.
    NotificationNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetNotificationError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetNotificationError> for Problem {
    fn from(error: GetNotificationError) -> Self {
        match error {
            GetNotificationError::NotificationNotFound => {
                Self::new(404, "NOTIFICATION_NOT_FOUND", "There is no such notification.")
            }
            GetNotificationError::ApiError(error) => error.into(),
        }
    }
}

const RESEND_NOTIFICATION: Operation = Operation {
    name: "ResendNotification",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: None,
};

async fn resend_notification<S: NotificationService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&RESEND_NOTIFICATION, request, |context, request| state.service.resend_notification(context, request))
        .await
}

/// The errors of `ResendNotification`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ResendNotificationError {
    /// There is no such notification.
    NotificationNotFound,
    /// The notification has not failed, or it holds a link: request a new link instead.
    NotificationNotFailed,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ResendNotificationError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ResendNotificationError> for Problem {
    fn from(error: ResendNotificationError) -> Self {
        match error {
            ResendNotificationError::NotificationNotFound => {
                Self::new(404, "NOTIFICATION_NOT_FOUND", "There is no such notification.")
            }
            ResendNotificationError::NotificationNotFailed => Self::new(
                409,
                "NOTIFICATION_NOT_FAILED",
                "The notification has not failed, or it holds a link: request a new link instead.",
            ),
            ResendNotificationError::ApiError(error) => error.into(),
        }
    }
}
