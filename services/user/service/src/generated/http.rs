// Rendered by `cargo martgen generate` from proto/mart/user/v1; changes are made there.

//! The operations of the user service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Api, ApiError, AppState, Auth, Body, Operation, Problem, RequestContext};
use mart_proto::user::v1;

/// Users: accounts, sessions, profiles and addresses.
pub(crate) trait UserService: Send + Sync + 'static {
    /// Registers an email address. The response is the same whether an account exists or not; a mail names the next step.
    fn register(
        &self,
        context: RequestContext,
        request: v1::RegisterRequest,
    ) -> impl Future<Output = Result<v1::RegisterResponse, RegisterError>> + Send;

    /// Verifies an email address with the token of a mailed link and the password of the registration. The password keeps
    /// a stranger's registration from being verified by the owner of the mailbox. Only this call uses the link up;
    /// opening its page does not.
    fn verify_email(
        &self,
        context: RequestContext,
        request: v1::VerifyEmailRequest,
    ) -> impl Future<Output = Result<v1::VerifyEmailResponse, VerifyEmailError>> + Send;

    /// Sends a link to reset the password if the account exists. The response is the same if it does not.
    fn request_password_reset(
        &self,
        context: RequestContext,
        request: v1::RequestPasswordResetRequest,
    ) -> impl Future<Output = Result<v1::RequestPasswordResetResponse, RequestPasswordResetError>> + Send;

    /// Sets a new password with the token of a mailed link, and ends all sessions.
    fn reset_password(
        &self,
        context: RequestContext,
        request: v1::ResetPasswordRequest,
    ) -> impl Future<Output = Result<v1::ResetPasswordResponse, ResetPasswordError>> + Send;

    /// Starts a session. Failed attempts slow down further ones for the account and for the client's address.
    fn log_in(
        &self,
        context: RequestContext,
        request: v1::LogInRequest,
    ) -> impl Future<Output = Result<v1::LogInResponse, LogInError>> + Send;

    /// Exchanges a refresh token for new tokens. A second use of the same refresh token ends its session, except for a
    /// few seconds in which another tab of the same browser may have used it first.
    fn refresh_session(
        &self,
        context: RequestContext,
        request: v1::RefreshSessionRequest,
    ) -> impl Future<Output = Result<v1::RefreshSessionResponse, RefreshSessionError>> + Send;

    /// Ends the session of a refresh token.
    fn log_out(
        &self,
        context: RequestContext,
        request: v1::LogOutRequest,
    ) -> impl Future<Output = Result<v1::LogOutResponse, LogOutError>> + Send;

    /// Ends all sessions of the caller on every device.
    fn log_out_everywhere(
        &self,
        context: RequestContext,
        request: v1::LogOutEverywhereRequest,
    ) -> impl Future<Output = Result<v1::LogOutEverywhereResponse, LogOutEverywhereError>> + Send;

    /// Returns the caller's account.
    fn get_me(
        &self,
        context: RequestContext,
        request: v1::GetMeRequest,
    ) -> impl Future<Output = Result<v1::GetMeResponse, GetMeError>> + Send;

    /// Changes the caller's profile: the fields in the update mask or, without one, those in the body.
    fn update_me(
        &self,
        context: RequestContext,
        request: v1::UpdateMeRequest,
    ) -> impl Future<Output = Result<v1::UpdateMeResponse, UpdateMeError>> + Send;

    /// Changes the caller's password, and ends all sessions.
    fn change_password(
        &self,
        context: RequestContext,
        request: v1::ChangePasswordRequest,
    ) -> impl Future<Output = Result<v1::ChangePasswordResponse, ChangePasswordError>> + Send;

    /// Lists the caller's saved addresses, ordered by label.
    fn list_addresses(
        &self,
        context: RequestContext,
        request: v1::ListAddressesRequest,
    ) -> impl Future<Output = Result<v1::ListAddressesResponse, ListAddressesError>> + Send;

    /// Saves an address of the caller under a label. An existing address with this label is replaced. Idempotent.
    fn set_address(
        &self,
        context: RequestContext,
        request: v1::SetAddressRequest,
    ) -> impl Future<Output = Result<v1::SetAddressResponse, SetAddressError>> + Send;

    /// Deletes the caller's address with this label. Succeeds if there is none. Idempotent.
    fn remove_address(
        &self,
        context: RequestContext,
        request: v1::RemoveAddressRequest,
    ) -> impl Future<Output = Result<v1::RemoveAddressResponse, RemoveAddressError>> + Send;

    /// Returns the public keys that verify access tokens, as a JSON Web Key Set (RFC 7517). A new key is listed before
    /// it signs, and an old one until its last token has expired.
    fn get_keys(
        &self,
        context: RequestContext,
        request: v1::GetKeysRequest,
    ) -> impl Future<Output = Result<v1::GetKeysResponse, GetKeysError>> + Send;

    /// Returns any user.
    fn get_user(
        &self,
        context: RequestContext,
        request: v1::GetUserRequest,
    ) -> impl Future<Output = Result<v1::GetUserResponse, GetUserError>> + Send;

    /// Lists all users, newest first.
    fn list_users(
        &self,
        context: RequestContext,
        request: v1::ListUsersRequest,
    ) -> impl Future<Output = Result<v1::ListUsersResponse, ListUsersError>> + Send;

    /// Disables an account, and ends all its sessions. A disabled user stays unchanged.
    fn disable_user(
        &self,
        context: RequestContext,
        request: v1::DisableUserRequest,
    ) -> impl Future<Output = Result<v1::DisableUserResponse, DisableUserError>> + Send;

    /// Enables a disabled account. An enabled user stays unchanged.
    fn enable_user(
        &self,
        context: RequestContext,
        request: v1::EnableUserRequest,
    ) -> impl Future<Output = Result<v1::EnableUserResponse, EnableUserError>> + Send;

    /// Publishes UserRepublished for one page of all users, so that read models can be rebuilt. Call it again with the
    /// returned page token until that is empty.
    fn republish_users(
        &self,
        context: RequestContext,
        request: v1::RepublishUsersRequest,
    ) -> impl Future<Output = Result<v1::RepublishUsersResponse, RepublishUsersError>> + Send;
}

/// Returns the routes of the service.
pub(crate) fn router<S: UserService>(service: Arc<S>, api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/users/register", routing::post(register::<S>))
        .route("/v1/users/verify-email", routing::post(verify_email::<S>))
        .route("/v1/users/request-password-reset", routing::post(request_password_reset::<S>))
        .route("/v1/users/reset-password", routing::post(reset_password::<S>))
        .route("/v1/sessions/log-in", routing::post(log_in::<S>))
        .route("/v1/sessions/refresh", routing::post(refresh_session::<S>))
        .route("/v1/sessions/log-out", routing::post(log_out::<S>))
        .route("/v1/me/log-out-everywhere", routing::post(log_out_everywhere::<S>))
        .route("/v1/me", routing::get(get_me::<S>).patch(update_me::<S>))
        .route("/v1/me/change-password", routing::post(change_password::<S>))
        .route("/v1/me/addresses", routing::get(list_addresses::<S>))
        .route("/v1/me/addresses/{label}", routing::put(set_address::<S>).delete(remove_address::<S>))
        .route("/.well-known/jwks.json", routing::get(get_keys::<S>))
        .route("/v1/admin/users/{user_id}", routing::get(get_user::<S>))
        .route("/v1/admin/users", routing::get(list_users::<S>))
        .route("/v1/admin/users/{user_id}/disable", routing::post(disable_user::<S>))
        .route("/v1/admin/users/{user_id}/enable", routing::post(enable_user::<S>))
        .route("/v1/admin/users/republish", routing::post(republish_users::<S>))
        .with_state(AppState { service, api })
}

const REGISTER: Operation =
    Operation { name: "Register", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn register<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&REGISTER, request, |context, request| state.service.register(context, request)).await
}

/// The errors of `Register`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RegisterError {
    /// The password is easy to guess: it has fewer than 5 different characters, or contains the local part of the mail
    /// address.
    WeakPassword,
    /// Too many attempts; the details hold the time of the next possible one.
    TooManyAttempts(v1::TooManyAttempts),
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RegisterError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::WeakPassword => Self::new(
                409,
                "WEAK_PASSWORD",
                "The password is easy to guess: it has fewer than 5 different characters, or contains the local part of the mail address.",
            ),
            RegisterError::TooManyAttempts(details) => Self::new(
                429,
                "TOO_MANY_ATTEMPTS",
                "Too many attempts; the details hold the time of the next possible one.",
            )
            .details(&details),
            RegisterError::ApiError(error) => error.into(),
        }
    }
}

const VERIFY_EMAIL: Operation =
    Operation { name: "VerifyEmail", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn verify_email<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&VERIFY_EMAIL, request, |context, request| state.service.verify_email(context, request)).await
}

/// The errors of `VerifyEmail`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum VerifyEmailError {
    /// The link is unknown, used or expired.
    InvalidLink,
    /// The email address or the password is wrong, the email address is not verified, or the account is disabled.
    InvalidCredentials,
    /// Too many attempts; the details hold the time of the next possible one.
    TooManyAttempts(v1::TooManyAttempts),
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for VerifyEmailError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<VerifyEmailError> for Problem {
    fn from(error: VerifyEmailError) -> Self {
        match error {
            VerifyEmailError::InvalidLink => Self::new(409, "INVALID_LINK", "The link is unknown, used or expired."),
            VerifyEmailError::InvalidCredentials => Self::new(
                401,
                "INVALID_CREDENTIALS",
                "The email address or the password is wrong, the email address is not verified, or the account is disabled.",
            ),
            VerifyEmailError::TooManyAttempts(details) => Self::new(
                429,
                "TOO_MANY_ATTEMPTS",
                "Too many attempts; the details hold the time of the next possible one.",
            )
            .details(&details),
            VerifyEmailError::ApiError(error) => error.into(),
        }
    }
}

const REQUEST_PASSWORD_RESET: Operation =
    Operation { name: "RequestPasswordReset", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn request_password_reset<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&REQUEST_PASSWORD_RESET, request, |context, request| {
            state.service.request_password_reset(context, request)
        })
        .await
}

/// The errors of `RequestPasswordReset`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RequestPasswordResetError {
    /// Too many attempts; the details hold the time of the next possible one.
    TooManyAttempts(v1::TooManyAttempts),
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RequestPasswordResetError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RequestPasswordResetError> for Problem {
    fn from(error: RequestPasswordResetError) -> Self {
        match error {
            RequestPasswordResetError::TooManyAttempts(details) => Self::new(
                429,
                "TOO_MANY_ATTEMPTS",
                "Too many attempts; the details hold the time of the next possible one.",
            )
            .details(&details),
            RequestPasswordResetError::ApiError(error) => error.into(),
        }
    }
}

const RESET_PASSWORD: Operation =
    Operation { name: "ResetPassword", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn reset_password<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&RESET_PASSWORD, request, |context, request| state.service.reset_password(context, request)).await
}

/// The errors of `ResetPassword`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ResetPasswordError {
    /// The link is unknown, used or expired.
    InvalidLink,
    /// The password is easy to guess: it has fewer than 5 different characters, or contains the local part of the mail
    /// address.
    WeakPassword,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ResetPasswordError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ResetPasswordError> for Problem {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::InvalidLink => Self::new(409, "INVALID_LINK", "The link is unknown, used or expired."),
            ResetPasswordError::WeakPassword => Self::new(
                409,
                "WEAK_PASSWORD",
                "The password is easy to guess: it has fewer than 5 different characters, or contains the local part of the mail address.",
            ),
            ResetPasswordError::ApiError(error) => error.into(),
        }
    }
}

const LOG_IN: Operation =
    Operation { name: "LogIn", auth: Auth::Public, body: Body::Whole, creates: None, etag: Some("user.etag") };

async fn log_in<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LOG_IN, request, |context, request| state.service.log_in(context, request)).await
}

/// The errors of `LogIn`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum LogInError {
    /// The email address or the password is wrong, the email address is not verified, or the account is disabled.
    InvalidCredentials,
    /// Too many attempts; the details hold the time of the next possible one.
    TooManyAttempts(v1::TooManyAttempts),
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for LogInError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::InvalidCredentials => Self::new(
                401,
                "INVALID_CREDENTIALS",
                "The email address or the password is wrong, the email address is not verified, or the account is disabled.",
            ),
            LogInError::TooManyAttempts(details) => Self::new(
                429,
                "TOO_MANY_ATTEMPTS",
                "Too many attempts; the details hold the time of the next possible one.",
            )
            .details(&details),
            LogInError::ApiError(error) => error.into(),
        }
    }
}

const REFRESH_SESSION: Operation =
    Operation { name: "RefreshSession", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn refresh_session<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&REFRESH_SESSION, request, |context, request| state.service.refresh_session(context, request))
        .await
}

/// The errors of `RefreshSession`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RefreshSessionError {
    /// The refresh token is unknown or its session has ended.
    SessionEnded,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RefreshSessionError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RefreshSessionError> for Problem {
    fn from(error: RefreshSessionError) -> Self {
        match error {
            RefreshSessionError::SessionEnded => {
                Self::new(401, "SESSION_ENDED", "The refresh token is unknown or its session has ended.")
            }
            RefreshSessionError::ApiError(error) => error.into(),
        }
    }
}

const LOG_OUT: Operation =
    Operation { name: "LogOut", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn log_out<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LOG_OUT, request, |context, request| state.service.log_out(context, request)).await
}

/// The errors of `LogOut`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum LogOutError {
    /// The refresh token is unknown or its session has ended.
    SessionEnded,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for LogOutError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<LogOutError> for Problem {
    fn from(error: LogOutError) -> Self {
        match error {
            LogOutError::SessionEnded => {
                Self::new(401, "SESSION_ENDED", "The refresh token is unknown or its session has ended.")
            }
            LogOutError::ApiError(error) => error.into(),
        }
    }
}

const LOG_OUT_EVERYWHERE: Operation = Operation {
    name: "LogOutEverywhere",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::Whole,
    creates: None,
    etag: None,
};

async fn log_out_everywhere<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&LOG_OUT_EVERYWHERE, request, |context, request| state.service.log_out_everywhere(context, request))
        .await
}

/// The errors of `LogOutEverywhere`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum LogOutEverywhereError {
    /// There is no such user.
    UserNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for LogOutEverywhereError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<LogOutEverywhereError> for Problem {
    fn from(error: LogOutEverywhereError) -> Self {
        match error {
            LogOutEverywhereError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            LogOutEverywhereError::ApiError(error) => error.into(),
        }
    }
}

const GET_ME: Operation = Operation {
    name: "GetMe",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: Some("user.etag"),
};

async fn get_me<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_ME, request, |context, request| state.service.get_me(context, request)).await
}

/// The errors of `GetMe`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetMeError {
    /// There is no such user.
    UserNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetMeError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetMeError> for Problem {
    fn from(error: GetMeError) -> Self {
        match error {
            GetMeError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            GetMeError::ApiError(error) => error.into(),
        }
    }
}

const UPDATE_ME: Operation = Operation {
    name: "UpdateMe",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::Field { name: "user", mask: Some("update_mask") },
    creates: None,
    etag: Some("user.etag"),
};

async fn update_me<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&UPDATE_ME, request, |context, request| state.service.update_me(context, request)).await
}

/// The errors of `UpdateMe`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum UpdateMeError {
    /// There is no such user.
    UserNotFound,
    /// The number is not a phone number of any country.
    InvalidPhone,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for UpdateMeError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<UpdateMeError> for Problem {
    fn from(error: UpdateMeError) -> Self {
        match error {
            UpdateMeError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            UpdateMeError::InvalidPhone => {
                Self::new(409, "INVALID_PHONE", "The number is not a phone number of any country.")
            }
            UpdateMeError::ApiError(error) => error.into(),
        }
    }
}

const CHANGE_PASSWORD: Operation = Operation {
    name: "ChangePassword",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::Whole,
    creates: None,
    etag: None,
};

async fn change_password<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&CHANGE_PASSWORD, request, |context, request| state.service.change_password(context, request))
        .await
}

/// The errors of `ChangePassword`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ChangePasswordError {
    /// There is no such user.
    UserNotFound,
    /// The email address or the password is wrong, the email address is not verified, or the account is disabled.
    InvalidCredentials,
    /// Too many attempts; the details hold the time of the next possible one.
    TooManyAttempts(v1::TooManyAttempts),
    /// The password is easy to guess: it has fewer than 5 different characters, or contains the local part of the mail
    /// address.
    WeakPassword,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ChangePasswordError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            ChangePasswordError::InvalidCredentials => Self::new(
                401,
                "INVALID_CREDENTIALS",
                "The email address or the password is wrong, the email address is not verified, or the account is disabled.",
            ),
            ChangePasswordError::TooManyAttempts(details) => Self::new(
                429,
                "TOO_MANY_ATTEMPTS",
                "Too many attempts; the details hold the time of the next possible one.",
            )
            .details(&details),
            ChangePasswordError::WeakPassword => Self::new(
                409,
                "WEAK_PASSWORD",
                "The password is easy to guess: it has fewer than 5 different characters, or contains the local part of the mail address.",
            ),
            ChangePasswordError::ApiError(error) => error.into(),
        }
    }
}

const LIST_ADDRESSES: Operation = Operation {
    name: "ListAddresses",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: None,
};

async fn list_addresses<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LIST_ADDRESSES, request, |context, request| state.service.list_addresses(context, request)).await
}

/// The errors of `ListAddresses`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ListAddressesError {
    /// There is no such user.
    UserNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ListAddressesError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ListAddressesError> for Problem {
    fn from(error: ListAddressesError) -> Self {
        match error {
            ListAddressesError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            ListAddressesError::ApiError(error) => error.into(),
        }
    }
}

const SET_ADDRESS: Operation = Operation {
    name: "SetAddress",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::Field { name: "address", mask: None },
    creates: None,
    etag: None,
};

async fn set_address<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&SET_ADDRESS, request, |context, request| state.service.set_address(context, request)).await
}

/// The errors of `SetAddress`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum SetAddressError {
    /// There is no such user.
    UserNotFound,
    /// The user has 20 saved addresses already.
    TooManyAddresses,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for SetAddressError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<SetAddressError> for Problem {
    fn from(error: SetAddressError) -> Self {
        match error {
            SetAddressError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            SetAddressError::TooManyAddresses => {
                Self::new(409, "TOO_MANY_ADDRESSES", "The user has 20 saved addresses already.")
            }
            SetAddressError::ApiError(error) => error.into(),
        }
    }
}

const REMOVE_ADDRESS: Operation = Operation {
    name: "RemoveAddress",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: None,
};

async fn remove_address<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&REMOVE_ADDRESS, request, |context, request| state.service.remove_address(context, request)).await
}

/// The errors of `RemoveAddress`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RemoveAddressError {
    /// There is no such user.
    UserNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RemoveAddressError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RemoveAddressError> for Problem {
    fn from(error: RemoveAddressError) -> Self {
        match error {
            RemoveAddressError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            RemoveAddressError::ApiError(error) => error.into(),
        }
    }
}

const GET_KEYS: Operation =
    Operation { name: "GetKeys", auth: Auth::Public, body: Body::None, creates: None, etag: None };

async fn get_keys<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_KEYS, request, |context, request| state.service.get_keys(context, request)).await
}

/// The errors of `GetKeys`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetKeysError {
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetKeysError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetKeysError> for Problem {
    fn from(error: GetKeysError) -> Self {
        match error {
            GetKeysError::ApiError(error) => error.into(),
        }
    }
}

const GET_USER: Operation = Operation {
    name: "GetUser",
    auth: Auth::Roles(&["admin"]),
    body: Body::None,
    creates: None,
    etag: Some("user.etag"),
};

async fn get_user<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_USER, request, |context, request| state.service.get_user(context, request)).await
}

/// The errors of `GetUser`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetUserError {
    /// There is no such user.
    UserNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetUserError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetUserError> for Problem {
    fn from(error: GetUserError) -> Self {
        match error {
            GetUserError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            GetUserError::ApiError(error) => error.into(),
        }
    }
}

const LIST_USERS: Operation =
    Operation { name: "ListUsers", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_users<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LIST_USERS, request, |context, request| state.service.list_users(context, request)).await
}

/// The errors of `ListUsers`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ListUsersError {
    /// The page token was not issued by this list.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ListUsersError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ListUsersError> for Problem {
    fn from(error: ListUsersError) -> Self {
        match error {
            ListUsersError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list.")
            }
            ListUsersError::ApiError(error) => error.into(),
        }
    }
}

const DISABLE_USER: Operation = Operation {
    name: "DisableUser",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("user.etag"),
};

async fn disable_user<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&DISABLE_USER, request, |context, request| state.service.disable_user(context, request)).await
}

/// The errors of `DisableUser`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum DisableUserError {
    /// There is no such user.
    UserNotFound,
    /// The caller's account was disabled; their access token has not expired yet.
    CallerDisabled,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for DisableUserError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<DisableUserError> for Problem {
    fn from(error: DisableUserError) -> Self {
        match error {
            DisableUserError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            DisableUserError::CallerDisabled => Self::new(
                403,
                "CALLER_DISABLED",
                "The caller's account was disabled; their access token has not expired yet.",
            ),
            DisableUserError::ApiError(error) => error.into(),
        }
    }
}

const ENABLE_USER: Operation = Operation {
    name: "EnableUser",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("user.etag"),
};

async fn enable_user<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&ENABLE_USER, request, |context, request| state.service.enable_user(context, request)).await
}

/// The errors of `EnableUser`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum EnableUserError {
    /// There is no such user.
    UserNotFound,
    /// The caller's account was disabled; their access token has not expired yet.
    CallerDisabled,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for EnableUserError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<EnableUserError> for Problem {
    fn from(error: EnableUserError) -> Self {
        match error {
            EnableUserError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            EnableUserError::CallerDisabled => Self::new(
                403,
                "CALLER_DISABLED",
                "The caller's account was disabled; their access token has not expired yet.",
            ),
            EnableUserError::ApiError(error) => error.into(),
        }
    }
}

const REPUBLISH_USERS: Operation =
    Operation { name: "RepublishUsers", auth: Auth::Roles(&["admin"]), body: Body::Whole, creates: None, etag: None };

async fn republish_users<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&REPUBLISH_USERS, request, |context, request| state.service.republish_users(context, request))
        .await
}

/// The errors of `RepublishUsers`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RepublishUsersError {
    /// The page token was not issued by this list.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RepublishUsersError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RepublishUsersError> for Problem {
    fn from(error: RepublishUsersError) -> Self {
        match error {
            RepublishUsersError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list.")
            }
            RepublishUsersError::ApiError(error) => error.into(),
        }
    }
}
