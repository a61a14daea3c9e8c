// Rendered by `cargo martgen generate` from proto/mart/notification/v1; changes are made there.

//! A request of every operation of the notification service that is right, so that tests can ask it as anybody.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, notification::v1};

/// Makes requests about things that are there and belong to the customer `owner`. An operation that is new in the contract
/// is a method that is missing here.
pub trait Fixtures {
    /// For `GetPreferences`.
    fn get_preferences(&mut self) -> impl Future<Output = v1::GetPreferencesRequest>;
    /// For `SetPreference`.
    fn set_preference(&mut self) -> impl Future<Output = v1::SetPreferenceRequest>;
    /// For `ListNotifications`.
    fn list_notifications(&mut self) -> impl Future<Output = v1::ListNotificationsRequest>;
    /// For `GetNotification`.
    fn get_notification(&mut self) -> impl Future<Output = v1::GetNotificationRequest>;
    /// For `ResendNotification`.
    fn resend_notification(&mut self) -> impl Future<Output = v1::ResendNotificationRequest>;
}

/// A request of every operation, by its name.
pub async fn requests(of: &mut impl Fixtures) -> Vec<(&'static str, DynamicMessage)> {
    vec![
        ("GetPreferences", dynamic(&of.get_preferences().await)),
        ("SetPreference", dynamic(&of.set_preference().await)),
        ("ListNotifications", dynamic(&of.list_notifications().await)),
        ("GetNotification", dynamic(&of.get_notification().await)),
        ("ResendNotification", dynamic(&of.resend_notification().await)),
    ]
}
