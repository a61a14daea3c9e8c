//! What can have happened.

/// There is none: this service tells others nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotificationEvent {}
