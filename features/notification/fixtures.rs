//! A request of every operation of notification, to be asked as anybody.

use features::{DynamicMessage, InProcess, LocalBoxFuture, OWNER};
use mart_proto::notification::v1::{
    Channel, GetNotificationRequest, GetPreferencesRequest, Kind, ListNotificationsRequest, ResendNotificationRequest,
    SetPreferenceRequest,
};
use mart_proto::order::v1::OrderPlaced;
use notification_service::generated::fixtures::{Fixtures, requests};
use serde_json::json;

use crate::world::order_of;

/// An order of the owner's whose mailbox refuses what is sent to it.
const ORDER: &str = "00000000-0000-7000-8000-00000000aaaa";

/// Makes them in a mart where the owner was told of an order in vain, and has said what he does not want to be told.
pub(crate) fn fixtures(mart: &mut InProcess) -> LocalBoxFuture<'_, Vec<(&'static str, DynamicMessage)>> {
    Box::pin(async {
        let order = Some(order_of(ORDER, OWNER, "owner@refused.example"));
        mart.publish(&features::record("mart.order.v1", ORDER, 1, &OrderPlaced { order }));
        mart.settle().await;
        mart.pass(time::Duration::SECOND).await;
        let path = format!("/v1/admin/notifications?orderId={ORDER}");
        let listed = mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await.body;
        let id = listed["notifications"][0]["notificationId"].as_str().unwrap_or_default().to_owned();
        let unwanted = json!({ "kind": "KIND_SHIPPED", "channel": "CHANNEL_MAIL", "enabled": false });
        mart.send(Some(("customer", OWNER)), "PUT", "/v1/me/notification-preferences", Some(unwanted), &[]).await;
        requests(&mut Notifications { id }).await
    })
}

struct Notifications {
    /// One that failed.
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
