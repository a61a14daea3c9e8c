//! Maps the errors of saved addresses.

use mart_chassis::http::ApiError;
use user_core::application::{AddressError, UserError};

use crate::generated::http::{RemoveAddressError, SetAddressError};

impl From<AddressError> for SetAddressError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::User(error) => error.into(),
            AddressError::TooMany => Self::TooManyAddresses,
        }
    }
}

errors!(UserError { NotFound => UserNotFound } for SetAddressError RemoveAddressError);
