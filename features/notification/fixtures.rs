//! A request of every operation of notification, for the authorization check.

use features::{DynamicMessage, InProcess, LocalBoxFuture, OWNER};
use mart_proto::notification::v1::{
    Channel, GetNotificationRequest, GetPreferencesRequest, Kind, ListNotificationsRequest, ResendNotificationRequest,
    SetPreferenceRequest,
};
use mart_proto::order::v1::OrderPlaced;
use notification_service::generated::fixtures::{Fixtures, requests};
use serde_json::json;

use crate::world::order_of;

/// An order of the owner. The mail server rejects its email address.
const ORDER: &str = "00000000-0000-7000-8000-00000000aaaa";

/// Returns the requests. The owner has a failed notification and a disabled preference.
pub(crate) fn fixtures(mart: &mut InProcess) -> LocalBoxFuture<'_, Vec<(&'static str, DynamicMessage)>> {
    Box::pin(async {
        let order = Some(order_of(ORDER, OWNER, "owner@refused.example"));
        mart.publish(&features::record("mart.order.v1", ORDER, 1, &OrderPlaced { order }));
        mart.settle().await;
        mart.pass(time::Duration::SECOND).await;
        let path = format!("/v1/admin/notifications?orderId={ORDER}");
        let listed = mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await.body;
        let id = listed["notifications"][0]["notificationId"].as_str().unwrap_or_default().to_owned();
        let disabled = json!({ "kind": "KIND_SHIPPED", "channel": "CHANNEL_MAIL", "enabled": false });
        mart.send(Some(("customer", OWNER)), "PUT", "/v1/me/notification-preferences", Some(disabled), &[]).await;
        requests(&mut Notifications { id }).await
    })
}

struct Notifications {
    /// The id of a failed notification.
    id: String,
}

impl Fixtures for Notifications {
    async fn get_preferences(&mut self) -> GetPreferencesRequest {
        GetPreferencesRequest {}
    }

    async fn set_preference(&mut self) -> SetPreferenceRequest {
        SetPreferenceRequest { kind: Kind::Delivered.into(), channel: Channel::Mail.into(), enabled: false }
    }

    async fn list_notifications(&mut self) -> ListNotificationsRequest {
        ListNotificationsRequest::default()
    }

    async fn get_notification(&mut self) -> GetNotificationRequest {
        GetNotificationRequest { notification_id: self.id.clone() }
    }

    async fn resend_notification(&mut self) -> ResendNotificationRequest {
        ResendNotificationRequest { notification_id: self.id.clone() }
    }
}
