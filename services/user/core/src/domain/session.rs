//! Sessions and their refresh tokens.

use mart_kernel::Timestamp;
use time::Duration;
use uuid::Uuid;

use super::{Digest, UserId};

/// The id of a session: one log-in on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub Uuid);

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// The user.
    pub user: UserId,
    /// When the session expires.
    pub expires_at: Timestamp,
    /// When the session ended; `None` if it is open.
    pub ended_at: Option<Timestamp>,
}

/// A refresh token of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The token's digest.
    pub digest: Digest,
    /// The session.
    pub session: SessionId,
    /// When it was exchanged; `None` if it was not.
    pub exchanged_at: Option<Timestamp>,
}

/// The result of presenting a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshTokenUse {
    /// The current token, which is exchanged for a new one.
    Valid,
    /// Exchanged within the grace period, probably by another tab. It is exchanged once more.
    GraceReuse,
    /// Exchanged longer ago than the grace period, so it may be stolen. The session ends.
    Replayed,
    /// Its session has ended.
    SessionEnded,
}

impl Session {
    /// Opens a session.
    pub fn open(id: SessionId, user: UserId, now: Timestamp, ttl: Duration) -> Self {
        Self { id, user, expires_at: Timestamp::new(now.get() + ttl), ended_at: None }
    }

    /// Returns the result of presenting one of the session's tokens.
    pub fn token_use(&self, token: &RefreshToken, now: Timestamp, grace: Duration) -> RefreshTokenUse {
        if self.ended_at.is_some() || now >= self.expires_at {
            return RefreshTokenUse::SessionEnded;
        }
        match token.exchanged_at {
            None => RefreshTokenUse::Valid,
            Some(at) if now.get() - at.get() <= grace => RefreshTokenUse::GraceReuse,
            Some(_) => RefreshTokenUse::Replayed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Policy;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros((1_790_000_000 + seconds) * 1_000_000).expect("in range")
    }

    #[test]
    fn a_token_is_reused_in_the_grace_period_and_replayed_after_it() {
        let policy = Policy::default();
        let session = Session::open(SessionId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)), at(0), policy.session);
        let presented = |session: &Session, token: &RefreshToken, now| session.token_use(token, at(now), policy.grace);
        let token = |exchanged_at| RefreshToken { digest: Digest([0; 32]), session: session.id, exchanged_at };
        assert_eq!(presented(&session, &token(None), 60), RefreshTokenUse::Valid);
        assert_eq!(presented(&session, &token(Some(at(60))), 70), RefreshTokenUse::GraceReuse);
        assert_eq!(presented(&session, &token(Some(at(60))), 71), RefreshTokenUse::Replayed);
        assert_eq!(presented(&session, &token(None), 30 * 86_400), RefreshTokenUse::SessionEnded);
        let ended = Session { ended_at: Some(at(5)), ..session.clone() };
        assert_eq!(presented(&ended, &token(None), 6), RefreshTokenUse::SessionEnded);
    }
}
