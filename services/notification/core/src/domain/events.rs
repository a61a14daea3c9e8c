//! The events of this service.

/// This service publishes no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationEvent {}
