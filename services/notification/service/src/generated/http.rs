// Rendered by `cargo martgen generate` from proto/mart/notification/v1; changes are made there.

//! The operations of the notification service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Auth, Body, Call, Edge, Fault, Operation, Problem, Served};
use mart_proto::notification::v1;

/// Notifications: what is sent to whom, by which channel, and what became of it.
pub(crate) trait NotificationService: Send + Sync + 'static {
    /// Reads what the caller wants to be told, for every kind and channel that there is.
    fn get_preferences(
        &self,
        call: Call,
        request: v1::GetPreferencesRequest,
    ) -> impl Future<Output = Result<v1::GetPreferencesResponse, GetPreferencesError>> + Send;

    /// Says whether the caller wants a kind of notification on a channel.
    fn set_preference(
        &self,
        call: Call,
        request: v1::SetPreferenceRequest,
    ) -> impl Future<Output = Result<v1::SetPreferenceResponse, SetPreferenceError>> + Send;

    /// Lists notifications, newest first.
    fn list_notifications(
        &self,
        call: Call,
        request: v1::ListNotificationsRequest,
    ) -> impl Future<Output = Result<v1::ListNotificationsResponse, ListNotificationsError>> + Send;

    /// Reads a notification.
    fn get_notification(
        &self,
        call: Call,
        request: v1::GetNotificationRequest,
    ) -> impl Future<Output = Result<v1::GetNotificationResponse, GetNotificationError>> + Send;

    /// Has a notification that failed tried again, for as long as at first.
    fn send_again(
        &self,
        call: Call,
        request: v1::SendAgainRequest,
    ) -> impl Future<Output = Result<v1::SendAgainResponse, SendAgainError>> + Send;
}

/// The routes of the service.
pub(crate) fn router<S: NotificationService>(service: Arc<S>, edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/v1/me/notification-preferences", routing::get(get_preferences::<S>).put(set_preference::<S>))
        .route("/v1/admin/notifications", routing::get(list_notifications::<S>))
        .route("/v1/admin/notifications/{notification_id}", routing::get(get_notification::<S>))
        .route("/v1/admin/notifications/{notification_id}/send-again", routing::post(send_again::<S>))
        .with_state(Served { service, edge })
}

const GET_PREFERENCES: Operation = Operation {
    name: "GetPreferences",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: None,
};

async fn get_preferences<S: NotificationService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&GET_PREFERENCES, request, |call, request| at.service.get_preferences(call, request)).await
}

/// Why `GetPreferences` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetPreferencesError {
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for GetPreferencesError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<GetPreferencesError> for Problem {
    fn from(error: GetPreferencesError) -> Self {
        match error {
            GetPreferencesError::Fault(fault) => fault.into(),
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

async fn set_preference<S: NotificationService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&SET_PREFERENCE, request, |call, request| at.service.set_preference(call, request)).await
}

/// Why `SetPreference` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum SetPreferenceError {
    /// The account or the law needs it, or the channel does not carry it.
    PreferenceFixed,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for SetPreferenceError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<SetPreferenceError> for Problem {
    fn from(error: SetPreferenceError) -> Self {
        match error {
            SetPreferenceError::PreferenceFixed => {
                Self::new(409, "PREFERENCE_FIXED", "The account or the law needs it, or the channel does not carry it.")
            }
            SetPreferenceError::Fault(fault) => fault.into(),
        }
    }
}

const LIST_NOTIFICATIONS: Operation =
    Operation { name: "ListNotifications", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_notifications<S: NotificationService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&LIST_NOTIFICATIONS, request, |call, request| at.service.list_notifications(call, request)).await
}

/// Why `ListNotifications` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListNotificationsError {
    /// The page token is not of this list.
    PageTokenInvalid,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for ListNotificationsError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ListNotificationsError> for Problem {
    fn from(error: ListNotificationsError) -> Self {
        match error {
            ListNotificationsError::PageTokenInvalid => {
                Self::new(400, "PAGE_TOKEN_INVALID", "The page token is not of this list.")
            }
            ListNotificationsError::Fault(fault) => fault.into(),
        }
    }
}

const GET_NOTIFICATION: Operation =
    Operation { name: "GetNotification", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn get_notification<S: NotificationService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&GET_NOTIFICATION, request, |call, request| at.service.get_notification(call, request)).await
}

/// Why `GetNotification` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetNotificationError {
    /// There is no such notification.
    NotificationNotFound,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for GetNotificationError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<GetNotificationError> for Problem {
    fn from(error: GetNotificationError) -> Self {
        match error {
            GetNotificationError::NotificationNotFound => {
                Self::new(404, "NOTIFICATION_NOT_FOUND", "There is no such notification.")
            }
            GetNotificationError::Fault(fault) => fault.into(),
        }
    }
}

const SEND_AGAIN: Operation =
    Operation { name: "SendAgain", auth: Auth::Roles(&["admin"]), body: Body::Whole, creates: None, etag: None };

async fn send_again<S: NotificationService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&SEND_AGAIN, request, |call, request| at.service.send_again(call, request)).await
}

/// Why `SendAgain` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum SendAgainError {
    /// There is no such notification.
    NotificationNotFound,
    /// It has not failed, or it was a link: who needs one asks for a new one.
    NotificationNotFailed,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for SendAgainError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<SendAgainError> for Problem {
    fn from(error: SendAgainError) -> Self {
        match error {
            SendAgainError::NotificationNotFound => {
                Self::new(404, "NOTIFICATION_NOT_FOUND", "There is no such notification.")
            }
            SendAgainError::NotificationNotFailed => Self::new(
                409,
                "NOTIFICATION_NOT_FAILED",
                "It has not failed, or it was a link: who needs one asks for a new one.",
            ),
            SendAgainError::Fault(fault) => fault.into(),
        }
    }
}
