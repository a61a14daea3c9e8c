//! Implements the contract's operations with the core's use cases.
//!
//! Each submodule maps the requests and errors of the operations about one subject.

/// Maps one error of the use cases to the errors of several operations.
macro_rules! errors {
    ($from:ident $reasons:tt for $($error:ident)*) => {
        $(errors!(@one $from $reasons $error);)*
    };
    (@one $from:ident { $($variant:ident $(($ignored:pat))? => $reason:ident),* } $error:ident) => {
        impl From<$from> for $error {
            fn from(error: $from) -> Self {
                match error {
                    $($from::$variant $(($ignored))? => Self::$reason,)*
                    $from::Unavailable(error) => ApiError::from(error).into(),
                }
            }
        }
    };
}

mod addresses;
mod administration;
mod profile;
mod registration;
mod sessions;

use std::sync::Arc;

use mart_chassis::auth::Keys;
use mart_chassis::convert::{time, uuid};
use mart_chassis::http::{ApiError, Principal, RequestContext};
use mart_kernel::{Clock, PageSize, Timestamp};
use mart_proto::user::v1;
use user_core::UseCases;
use user_core::domain::events::Token;
use user_core::domain::{Email, Profile, UserId};
use user_core::ports::{Hasher, Signer, Store};

use super::proto;
use crate::generated::http::{
    ChangePasswordError, DisableUserError, EnableUserError, GetKeysError, GetMeError, GetUserError, ListAddressesError,
    ListUsersError, LogInError, LogOutError, LogOutEverywhereError, RefreshSessionError, RegisterError,
    RemoveAddressError, RepublishUsersError, RequestPasswordResetError, ResetPasswordError, SetAddressError,
    UpdateMeError, UserService, VerifyEmailError,
};

/// Serves the operations over HTTP.
pub(crate) struct Http<S, H> {
    use_cases: UseCases<S, H>,
    signer: Arc<dyn Signer>,
    clock: Arc<dyn Clock>,
    keys: Arc<Keys>,
}

impl<S: Store, H: Hasher> Http<S, H> {
    /// Creates the operations of these use cases.
    pub(crate) fn new(
        use_cases: UseCases<S, H>,
        signer: Arc<dyn Signer>,
        clock: Arc<dyn Clock>,
        keys: Arc<Keys>,
    ) -> Self {
        Self { use_cases, signer, clock, keys }
    }
}

/// Returns the id of the calling user, or `None` if the token's subject is not an id of this service.
fn principal(context: &RequestContext) -> Option<UserId> {
    match &context.principal {
        Principal::Authenticated { subject, .. } => subject.parse().ok().map(UserId),
        Principal::Anonymous => None,
    }
}

fn too_many_attempts(until: Timestamp) -> v1::TooManyAttempts {
    v1::TooManyAttempts { retry_time: Some(time(until)) }
}

impl<S: Store + 'static, H: Hasher + 'static> UserService for Http<S, H> {
    async fn register(
        &self,
        _context: RequestContext,
        request: v1::RegisterRequest,
    ) -> Result<v1::RegisterResponse, RegisterError> {
        let v1::RegisterRequest { email, password, name, locale } = request;
        let profile = Profile { name, locale, ..Profile::default() };
        self.use_cases.register(Email::of(&email), password, profile).await?;
        Ok(v1::RegisterResponse {})
    }

    async fn verify_email(
        &self,
        context: RequestContext,
        request: v1::VerifyEmailRequest,
    ) -> Result<v1::VerifyEmailResponse, VerifyEmailError> {
        let v1::VerifyEmailRequest { token, password } = request;
        self.use_cases.verify_email(&Token(token), password, context.client_ip).await?;
        Ok(v1::VerifyEmailResponse {})
    }

    async fn request_password_reset(
        &self,
        _context: RequestContext,
        request: v1::RequestPasswordResetRequest,
    ) -> Result<v1::RequestPasswordResetResponse, RequestPasswordResetError> {
        let v1::RequestPasswordResetRequest { email } = request;
        self.use_cases.request_password_reset(Email::of(&email)).await?;
        Ok(v1::RequestPasswordResetResponse {})
    }

    async fn reset_password(
        &self,
        _context: RequestContext,
        request: v1::ResetPasswordRequest,
    ) -> Result<v1::ResetPasswordResponse, ResetPasswordError> {
        let v1::ResetPasswordRequest { token, password } = request;
        self.use_cases.reset_password(&Token(token), password).await?;
        Ok(v1::ResetPasswordResponse {})
    }

    async fn log_in(
        &self,
        context: RequestContext,
        request: v1::LogInRequest,
    ) -> Result<v1::LogInResponse, LogInError> {
        let v1::LogInRequest { email, password } = request;
        let opened = self.use_cases.log_in(Email::of(&email), password, context.client_ip).await?;
        let tokens = self.tokens(&opened)?;
        Ok(v1::LogInResponse { tokens: Some(tokens), user: Some(proto::user(&opened.user)) })
    }

    async fn refresh_session(
        &self,
        _context: RequestContext,
        request: v1::RefreshSessionRequest,
    ) -> Result<v1::RefreshSessionResponse, RefreshSessionError> {
        let v1::RefreshSessionRequest { refresh_token } = request;
        let opened = self.use_cases.refresh_session(&Token(refresh_token)).await?;
        Ok(v1::RefreshSessionResponse { tokens: Some(self.tokens(&opened)?) })
    }

    async fn log_out(
        &self,
        _context: RequestContext,
        request: v1::LogOutRequest,
    ) -> Result<v1::LogOutResponse, LogOutError> {
        let v1::LogOutRequest { refresh_token } = request;
        if self.use_cases.log_out(&Token(refresh_token)).await.map_err(ApiError::from)? {
            Ok(v1::LogOutResponse {})
        } else {
            Err(LogOutError::SessionEnded)
        }
    }

    async fn log_out_everywhere(
        &self,
        context: RequestContext,
        request: v1::LogOutEverywhereRequest,
    ) -> Result<v1::LogOutEverywhereResponse, LogOutEverywhereError> {
        let v1::LogOutEverywhereRequest {} = request;
        let id = principal(&context).ok_or(LogOutEverywhereError::UserNotFound)?;
        if self.use_cases.log_out_everywhere(id).await.map_err(ApiError::from)? {
            Ok(v1::LogOutEverywhereResponse {})
        } else {
            Err(LogOutEverywhereError::UserNotFound)
        }
    }

    async fn get_me(
        &self,
        context: RequestContext,
        request: v1::GetMeRequest,
    ) -> Result<v1::GetMeResponse, GetMeError> {
        let v1::GetMeRequest {} = request;
        let id = principal(&context).ok_or(GetMeError::UserNotFound)?;
        let user = self.use_cases.get_user(id).await.map_err(ApiError::from)?;
        Ok(v1::GetMeResponse { user: Some(proto::user(&user.ok_or(GetMeError::UserNotFound)?)) })
    }

    async fn update_me(
        &self,
        context: RequestContext,
        request: v1::UpdateMeRequest,
    ) -> Result<v1::UpdateMeResponse, UpdateMeError> {
        let v1::UpdateMeRequest { user, update_mask } = request;
        let (sent, paths) = (user.unwrap_or_default(), update_mask.unwrap_or_default().paths);
        let id = principal(&context).ok_or(UpdateMeError::UserNotFound)?;
        let expected = context.expected(&sent.etag)?;
        let change = profile::change(sent, &paths)?;
        let user = self.use_cases.update_me(id, expected, change).await?;
        Ok(v1::UpdateMeResponse { user: Some(proto::user(&user)) })
    }

    async fn change_password(
        &self,
        context: RequestContext,
        request: v1::ChangePasswordRequest,
    ) -> Result<v1::ChangePasswordResponse, ChangePasswordError> {
        let v1::ChangePasswordRequest { current_password, password } = request;
        let id = principal(&context).ok_or(ChangePasswordError::UserNotFound)?;
        self.use_cases.change_password(id, current_password, password, context.client_ip).await?;
        Ok(v1::ChangePasswordResponse {})
    }

    async fn list_addresses(
        &self,
        context: RequestContext,
        request: v1::ListAddressesRequest,
    ) -> Result<v1::ListAddressesResponse, ListAddressesError> {
        let v1::ListAddressesRequest {} = request;
        let id = principal(&context).ok_or(ListAddressesError::UserNotFound)?;
        let book =
            self.use_cases.list_addresses(id).await.map_err(ApiError::from)?.ok_or(ListAddressesError::UserNotFound)?;
        let addresses = book.0.into_iter().map(|(label, address)| proto::saved_address(label, address)).collect();
        Ok(v1::ListAddressesResponse { addresses })
    }

    async fn set_address(
        &self,
        context: RequestContext,
        request: v1::SetAddressRequest,
    ) -> Result<v1::SetAddressResponse, SetAddressError> {
        let v1::SetAddressRequest { label, address } = request;
        let id = principal(&context).ok_or(SetAddressError::UserNotFound)?;
        let address = proto::address(address.unwrap_or_default());
        let label = self.use_cases.set_address(id, label, address.clone()).await?;
        Ok(v1::SetAddressResponse { address: Some(proto::saved_address(label, address)) })
    }

    async fn remove_address(
        &self,
        context: RequestContext,
        request: v1::RemoveAddressRequest,
    ) -> Result<v1::RemoveAddressResponse, RemoveAddressError> {
        let v1::RemoveAddressRequest { label } = request;
        let id = principal(&context).ok_or(RemoveAddressError::UserNotFound)?;
        self.use_cases.remove_address(id, label).await?;
        Ok(v1::RemoveAddressResponse {})
    }

    async fn get_keys(
        &self,
        _context: RequestContext,
        request: v1::GetKeysRequest,
    ) -> Result<v1::GetKeysResponse, GetKeysError> {
        let v1::GetKeysRequest {} = request;
        Ok(v1::GetKeysResponse { keys: self.keys.published().into_iter().map(proto::key).collect() })
    }

    async fn get_user(
        &self,
        _context: RequestContext,
        request: v1::GetUserRequest,
    ) -> Result<v1::GetUserResponse, GetUserError> {
        let v1::GetUserRequest { user_id } = request;
        let user = self.use_cases.get_user(UserId(uuid("userId", &user_id)?)).await.map_err(ApiError::from)?;
        Ok(v1::GetUserResponse { user: Some(proto::user(&user.ok_or(GetUserError::UserNotFound)?)) })
    }

    async fn list_users(
        &self,
        _context: RequestContext,
        request: v1::ListUsersRequest,
    ) -> Result<v1::ListUsersResponse, ListUsersError> {
        let v1::ListUsersRequest { page_size, page_token } = request;
        let page = self.use_cases.list_users(PageSize::requested(page_size), &page_token).await?;
        let users = page.items.iter().map(proto::user).collect();
        Ok(v1::ListUsersResponse { users, next_page_token: page.next.unwrap_or_default() })
    }

    async fn disable_user(
        &self,
        context: RequestContext,
        request: v1::DisableUserRequest,
    ) -> Result<v1::DisableUserResponse, DisableUserError> {
        let v1::DisableUserRequest { user_id } = request;
        let id = UserId(uuid("userId", &user_id)?);
        let user = self.use_cases.disable_user(principal(&context), id).await?;
        Ok(v1::DisableUserResponse { user: Some(proto::user(&user)) })
    }

    async fn enable_user(
        &self,
        context: RequestContext,
        request: v1::EnableUserRequest,
    ) -> Result<v1::EnableUserResponse, EnableUserError> {
        let v1::EnableUserRequest { user_id } = request;
        let id = UserId(uuid("userId", &user_id)?);
        let user = self.use_cases.enable_user(principal(&context), id).await?;
        Ok(v1::EnableUserResponse { user: Some(proto::user(&user)) })
    }

    async fn republish_users(
        &self,
        _context: RequestContext,
        request: v1::RepublishUsersRequest,
    ) -> Result<v1::RepublishUsersResponse, RepublishUsersError> {
        let v1::RepublishUsersRequest { page_size, page_token } = request;
        let done = self.use_cases.republish_users(PageSize::requested(page_size), &page_token).await?;
        let republished_count = i32::try_from(done.count).unwrap_or(i32::MAX);
        Ok(v1::RepublishUsersResponse { republished_count, next_page_token: done.next.unwrap_or_default() })
    }
}
