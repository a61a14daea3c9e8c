//! Users: a disabled one has no session.

/// Invariants of user's database: the rule and a query of its violations.
pub(super) const CHECKS: [(&str, &str); 1] = [(
    "a disabled user has no session",
    "select format('user %s', user_id) from account join session using (user_id) \
     where disabled and ended_at is null and expires_at > now()",
)];
