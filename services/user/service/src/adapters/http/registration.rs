//! Maps the errors of registrations, and of links that are mailed.

use mart_chassis::http::ApiError;
use user_core::application::{LogInError, MailError, RegisterError, ResetError, VerifyError};

use super::too_many_attempts;
use crate::generated::http::{
    RegisterError as RegisterReason, RequestPasswordResetError, ResetPasswordError, VerifyEmailError,
};

impl From<RegisterError> for RegisterReason {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Weak => Self::WeakPassword,
            RegisterError::TooManyAttempts(until) => Self::TooManyAttempts(too_many_attempts(until)),
            RegisterError::Unavailable(error) => ApiError::from(error).into(),
            RegisterError::Overloaded(_) => ApiError::Unavailable.into(),
        }
    }
}

impl From<VerifyError> for VerifyEmailError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Link => Self::InvalidLink,
            VerifyError::Password(LogInError::Wrong) => Self::InvalidCredentials,
            VerifyError::Password(LogInError::TooManyAttempts(until)) => {
                Self::TooManyAttempts(too_many_attempts(until))
            }
            VerifyError::Password(LogInError::Overloaded(_)) => ApiError::Unavailable.into(),
            VerifyError::Password(LogInError::Unavailable(error)) | VerifyError::Unavailable(error) => {
                ApiError::from(error).into()
            }
        }
    }
}

impl From<MailError> for RequestPasswordResetError {
    fn from(error: MailError) -> Self {
        match error {
            MailError::TooManyAttempts(until) => Self::TooManyAttempts(too_many_attempts(until)),
            MailError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<ResetError> for ResetPasswordError {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Link => Self::InvalidLink,
            ResetError::Weak => Self::WeakPassword,
            ResetError::Unavailable(error) => ApiError::from(error).into(),
            ResetError::Overloaded(_) => ApiError::Unavailable.into(),
        }
    }
}
