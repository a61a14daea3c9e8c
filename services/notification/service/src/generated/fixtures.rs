// Rendered by `cargo martgen generate` from proto/mart/notification/v1; changes are made there.

//! A valid request of every operation of the notification service, so that tests can send it as any caller.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, notification::v1};

/// Makes valid requests for existing resources of the customer `owner`. A new operation of the contract adds a required method.
pub trait Fixtures {
    /// A request of `GetPreferences`.
    fn get_preferences(&mut self) -> impl Future<Output = v1::GetPreferencesRequest>;
    /// A request of `SetPreference`.
    fn set_preference(&mut self) -> impl Future<Output = v1::SetPreferenceRequest>;
    /// A request of `ListNotifications`.
    fn list_notifications(&mut self) -> impl Future<Output = v1::ListNotificationsRequest>;
    /// A request of `GetNotification`.
    fn get_notification(&mut self) -> impl Future<Output = v1::GetNotificationRequest>;
    /// A request of `ResendNotification`.
    fn resend_notification(&mut self) -> impl Future<Output = v1::ResendNotificationRequest>;
}

/// Returns a request of every operation with the operation's name.
pub async fn requests(of: &mut impl Fixtures) -> Vec<(&'static str, DynamicMessage)> {
    vec![
        ("GetPreferences", dynamic(&of.get_preferences().await)),
        ("SetPreference", dynamic(&of.set_preference().await)),
        ("ListNotifications", dynamic(&of.list_notifications().await)),
        ("GetNotification", dynamic(&of.get_notification().await)),
        ("ResendNotification", dynamic(&of.resend_notification().await)),
    ]
}
