//! Maps the errors of the operations of admins.

use mart_chassis::http::ApiError;
use mart_kernel::ListError;
use user_core::application::DisableError;

use crate::generated::http::{DisableUserError, EnableUserError, ListUsersError, RepublishUsersError};

errors!(DisableError { NotFound => UserNotFound, CallerDisabled => CallerDisabled } for DisableUserError EnableUserError);
errors!(ListError { InvalidPageToken(_) => InvalidPageToken } for ListUsersError RepublishUsersError);
