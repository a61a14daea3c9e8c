//! Conversions between the core's types and the contract's messages.

use mart_chassis::convert::time;
use mart_proto::notification::v1;
use notification_core::domain::{Channel, Kind, Notification, Preference, Status, StatusKind};

pub(super) fn notification(notification: &Notification) -> v1::Notification {
    let (status, failure, reference, next) = match &notification.status {
        Status::Pending { due, failure } => (v1::NotificationStatus::Pending, failure.as_str(), "", Some(*due)),
        Status::Sent { reference } => (v1::NotificationStatus::Sent, "", reference.as_str(), None),
        Status::Failed { reason } => (v1::NotificationStatus::Failed, reason.as_str(), "", None),
        Status::Suppressed => (v1::NotificationStatus::Suppressed, "", "", None),
    };
    v1::Notification {
        notification_id: notification.id.0.to_string(),
        subject: notification.subject.0.clone(),
        kind: kind(notification.kind).into(),
        channel: channel(notification.channel).into(),
        recipient: notification.recipient.clone(),
        locale: notification.locale.tag().to_owned(),
        status: status.into(),
        attempts: i32::try_from(notification.attempts).unwrap_or(i32::MAX),
        failure: failure.to_owned(),
        reference: reference.to_owned(),
        next_attempt_time: next.map(time),
        order_id: notification.order.map(|order| order.0.to_string()).unwrap_or_default(),
        create_time: Some(time(notification.created_at)),
        update_time: Some(time(notification.updated_at)),
    }
}

pub(super) fn preference(preference: Preference) -> v1::Preference {
    v1::Preference {
        kind: kind(preference.kind).into(),
        channel: channel(preference.channel).into(),
        enabled: preference.enabled,
        fixed: preference.fixed,
    }
}

fn kind(kind: Kind) -> v1::Kind {
    match kind {
        Kind::Registration => v1::Kind::Registration,
        Kind::Reset => v1::Kind::Reset,
        Kind::Placed => v1::Kind::Placed,
        Kind::Paid => v1::Kind::Paid,
        Kind::Failed => v1::Kind::Failed,
        Kind::Shipped => v1::Kind::Shipped,
        Kind::Delivered => v1::Kind::Delivered,
        Kind::Cancelled => v1::Kind::Cancelled,
        Kind::Refunded => v1::Kind::Refunded,
    }
}

fn channel(channel: Channel) -> v1::Channel {
    match channel {
        Channel::Mail => v1::Channel::Mail,
        Channel::Sms => v1::Channel::Sms,
    }
}

/// Converts the kind and the channel of a request. `None` if one is unspecified, which the contract's validation rejects.
pub(super) fn kind_and_channel(kind_of: v1::Kind, channel_of: v1::Channel) -> Option<(Kind, Channel)> {
    let found = Kind::ALL.into_iter().find(|candidate| kind(*candidate) == kind_of)?;
    Some((found, Channel::ALL.into_iter().find(|candidate| channel(*candidate) == channel_of)?))
}

/// Converts the status of a filter. `None` matches every status.
pub(super) fn status_filter(status: v1::NotificationStatus) -> Option<StatusKind> {
    match status {
        v1::NotificationStatus::Unspecified => None,
        v1::NotificationStatus::Pending => Some(StatusKind::Pending),
        v1::NotificationStatus::Sent => Some(StatusKind::Sent),
        v1::NotificationStatus::Failed => Some(StatusKind::Failed),
        v1::NotificationStatus::Suppressed => Some(StatusKind::Suppressed),
    }
}
