//! Maps the tokens and errors of sessions.

use mart_chassis::convert::time;
use mart_chassis::http::ApiError;
use mart_proto::user::v1;
use user_core::application::{LogInError, LoggedIn, RefreshError};
use user_core::ports::{Hasher, Store};

use super::{Http, too_many_attempts};
use crate::generated::http::{LogInError as LogInReason, RefreshSessionError};

impl<S: Store, H: Hasher> Http<S, H> {
    /// Returns the tokens of a session, with a new access token.
    pub(super) fn tokens(&self, opened: &LoggedIn) -> Result<v1::Tokens, ApiError> {
        let (user, now) = (&opened.user, self.clock.now());
        let (access_token, until) = self.signer.sign(user.id, user.role, now).ok_or(ApiError::Internal)?;
        Ok(v1::Tokens {
            access_token,
            access_expire_time: Some(time(until)),
            refresh_token: opened.token.0.clone(),
            refresh_expire_time: Some(time(opened.until)),
        })
    }
}

impl From<LogInError> for LogInReason {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::Wrong => Self::InvalidCredentials,
            LogInError::TooManyAttempts(until) => Self::TooManyAttempts(too_many_attempts(until)),
            LogInError::Unavailable(error) => ApiError::from(error).into(),
            LogInError::Overloaded(_) => ApiError::Unavailable.into(),
        }
    }
}

errors!(RefreshError { Ended => SessionEnded } for RefreshSessionError);
