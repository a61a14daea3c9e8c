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
    /// Registers a mail address. The answer is the same whether there is an account or not; a mail says what comes next.
    fn register(
        &self,
        context: RequestContext,
        request: v1::RegisterRequest,
    ) -> impl Future<Output = Result<v1::RegisterResponse, RegisterError>> + Send;

    /// Proves a mailbox by the token of a link and the password of the registration: who opens the link of a registration that is
    /// not his own proves nothing. Looking at the link's page does not use it up; this call does.
    fn verify_email(
        &self,
        context: RequestContext,
        request: v1::VerifyEmailRequest,
    ) -> impl Future<Output = Result<v1::VerifyEmailResponse, VerifyEmailError>> + Send;

    /// Sends a link to reset the password, where there is such an account. The answer does not tell.
    fn request_password_reset(
        &self,
        context: RequestContext,
        request: v1::RequestPasswordResetRequest,
    ) -> impl Future<Output = Result<v1::RequestPasswordResetResponse, RequestPasswordResetError>> + Send;

    /// Sets a new password by the token of a link, and ends all sessions.
    fn reset_password(
        &self,
        context: RequestContext,
        request: v1::ResetPasswordRequest,
    ) -> impl Future<Output = Result<v1::ResetPasswordResponse, ResetPasswordError>> + Send;

    /// Opens a session. Failures slow down the account and the address that they come from.
    fn log_in(
        &self,
        context: RequestContext,
        request: v1::LogInRequest,
    ) -> impl Future<Output = Result<v1::LogInResponse, LogInError>> + Send;

    /// Exchanges a refresh token for new tokens. A token that was exchanged before ends its session, but for a moment in which
    /// another tab of the same browser may have been first.
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

    /// Ends all sessions of the caller, on every device.
    fn log_out_everywhere(
        &self,
        context: RequestContext,
        request: v1::LogOutEverywhereRequest,
    ) -> impl Future<Output = Result<v1::LogOutEverywhereResponse, LogOutEverywhereError>> + Send;

    /// Reads the caller.
    fn get_me(
        &self,
        context: RequestContext,
        request: v1::GetMeRequest,
    ) -> impl Future<Output = Result<v1::GetMeResponse, GetMeError>> + Send;

    /// Changes the caller's profile: the fields that the mask or, without one, the body names.
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

    /// Lists the caller's addresses, by their labels.
    fn list_addresses(
        &self,
        context: RequestContext,
        request: v1::ListAddressesRequest,
    ) -> impl Future<Output = Result<v1::ListAddressesResponse, ListAddressesError>> + Send;

    /// Keeps an address of the caller under a label, in place of the one that it had. Doing it twice is doing it once.
    fn set_address(
        &self,
        context: RequestContext,
        request: v1::SetAddressRequest,
    ) -> impl Future<Output = Result<v1::SetAddressResponse, SetAddressError>> + Send;

    /// Forgets an address of the caller, where there is one of this label. Doing it twice is doing it once.
    fn remove_address(
        &self,
        context: RequestContext,
        request: v1::RemoveAddressRequest,
    ) -> impl Future<Output = Result<v1::RemoveAddressResponse, RemoveAddressError>> + Send;

    /// The public keys that access tokens are verified with, as a JSON Web Key Set (RFC 7517). A new key stands here before it
    /// signs, and an old one until the last of its tokens has run out.
    fn get_keys(
        &self,
        context: RequestContext,
        request: v1::GetKeysRequest,
    ) -> impl Future<Output = Result<v1::GetKeysResponse, GetKeysError>> + Send;

    /// Reads any user.
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

    /// Takes the right to log in away, and ends all sessions. A disabled user stays as he is.
    fn disable_user(
        &self,
        context: RequestContext,
        request: v1::DisableUserRequest,
    ) -> impl Future<Output = Result<v1::DisableUserResponse, DisableUserError>> + Send;

    /// Gives it back.
    fn enable_user(
        &self,
        context: RequestContext,
        request: v1::EnableUserRequest,
    ) -> impl Future<Output = Result<v1::EnableUserResponse, EnableUserError>> + Send;

    /// Publishes UserRepublished for one page of all users, so that read models can be rebuilt. Call it again with the page token
    /// of the answer until that is empty.
    fn republish_users(
        &self,
        context: RequestContext,
        request: v1::RepublishUsersRequest,
    ) -> impl Future<Output = Result<v1::RepublishUsersResponse, RepublishUsersError>> + Send;
}

/// The routes of the service.
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

/// Why `Register` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RegisterError {
    /// The password is easy to guess: it has fewer than 5 different characters, or the name of the mailbox in it.
    WeakPassword,
    /// There were too many failures; the details say when to try again.
    TooManyAttempts(v1::TooManyAttempts),
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for RegisterError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::WeakPassword => Self::new(
                409,
                "WEAK_PASSWORD",
                "The password is easy to guess: it has fewer than 5 different characters, or the name of the mailbox in it.",
            ),
            RegisterError::TooManyAttempts(details) => {
                Self::new(429, "TOO_MANY_ATTEMPTS", "There were too many failures; the details say when to try again.")
                    .details(&details)
            }
            RegisterError::ApiError(fault) => fault.into(),
        }
    }
}

const VERIFY_EMAIL: Operation =
    Operation { name: "VerifyEmail", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn verify_email<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&VERIFY_EMAIL, request, |context, request| state.service.verify_email(context, request)).await
}

/// Why `VerifyEmail` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum VerifyEmailError {
    /// The link was used, is too old, or never was.
    InvalidLink,
    /// The address or the password is wrong, the mailbox is not proved yet, or the user was disabled.
    InvalidCredentials,
    /// There were too many failures; the details say when to try again.
    TooManyAttempts(v1::TooManyAttempts),
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for VerifyEmailError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<VerifyEmailError> for Problem {
    fn from(error: VerifyEmailError) -> Self {
        match error {
            VerifyEmailError::InvalidLink => {
                Self::new(409, "INVALID_LINK", "The link was used, is too old, or never was.")
            }
            VerifyEmailError::InvalidCredentials => Self::new(
                401,
                "INVALID_CREDENTIALS",
                "The address or the password is wrong, the mailbox is not proved yet, or the user was disabled.",
            ),
            VerifyEmailError::TooManyAttempts(details) => {
                Self::new(429, "TOO_MANY_ATTEMPTS", "There were too many failures; the details say when to try again.")
                    .details(&details)
            }
            VerifyEmailError::ApiError(fault) => fault.into(),
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

/// Why `RequestPasswordReset` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RequestPasswordResetError {
    /// There were too many failures; the details say when to try again.
    TooManyAttempts(v1::TooManyAttempts),
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for RequestPasswordResetError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<RequestPasswordResetError> for Problem {
    fn from(error: RequestPasswordResetError) -> Self {
        match error {
            RequestPasswordResetError::TooManyAttempts(details) => {
                Self::new(429, "TOO_MANY_ATTEMPTS", "There were too many failures; the details say when to try again.")
                    .details(&details)
            }
            RequestPasswordResetError::ApiError(fault) => fault.into(),
        }
    }
}

const RESET_PASSWORD: Operation =
    Operation { name: "ResetPassword", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn reset_password<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&RESET_PASSWORD, request, |context, request| state.service.reset_password(context, request)).await
}

/// Why `ResetPassword` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ResetPasswordError {
    /// The link was used, is too old, or never was.
    InvalidLink,
    /// The password is easy to guess: it has fewer than 5 different characters, or the name of the mailbox in it.
    WeakPassword,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ResetPasswordError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ResetPasswordError> for Problem {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::InvalidLink => {
                Self::new(409, "INVALID_LINK", "The link was used, is too old, or never was.")
            }
            ResetPasswordError::WeakPassword => Self::new(
                409,
                "WEAK_PASSWORD",
                "The password is easy to guess: it has fewer than 5 different characters, or the name of the mailbox in it.",
            ),
            ResetPasswordError::ApiError(fault) => fault.into(),
        }
    }
}

const LOG_IN: Operation =
    Operation { name: "LogIn", auth: Auth::Public, body: Body::Whole, creates: None, etag: Some("user.etag") };

async fn log_in<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LOG_IN, request, |context, request| state.service.log_in(context, request)).await
}

/// Why `LogIn` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum LogInError {
    /// The address or the password is wrong, the mailbox is not proved yet, or the user was disabled.
    InvalidCredentials,
    /// There were too many failures; the details say when to try again.
    TooManyAttempts(v1::TooManyAttempts),
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for LogInError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::InvalidCredentials => Self::new(
                401,
                "INVALID_CREDENTIALS",
                "The address or the password is wrong, the mailbox is not proved yet, or the user was disabled.",
            ),
            LogInError::TooManyAttempts(details) => {
                Self::new(429, "TOO_MANY_ATTEMPTS", "There were too many failures; the details say when to try again.")
                    .details(&details)
            }
            LogInError::ApiError(fault) => fault.into(),
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

/// Why `RefreshSession` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RefreshSessionError {
    /// The session has ended, or never was.
    SessionEnded,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for RefreshSessionError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<RefreshSessionError> for Problem {
    fn from(error: RefreshSessionError) -> Self {
        match error {
            RefreshSessionError::SessionEnded => {
                Self::new(401, "SESSION_ENDED", "The session has ended, or never was.")
            }
            RefreshSessionError::ApiError(fault) => fault.into(),
        }
    }
}

const LOG_OUT: Operation =
    Operation { name: "LogOut", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn log_out<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LOG_OUT, request, |context, request| state.service.log_out(context, request)).await
}

/// Why `LogOut` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum LogOutError {
    /// The session has ended, or never was.
    SessionEnded,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for LogOutError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<LogOutError> for Problem {
    fn from(error: LogOutError) -> Self {
        match error {
            LogOutError::SessionEnded => Self::new(401, "SESSION_ENDED", "The session has ended, or never was."),
            LogOutError::ApiError(fault) => fault.into(),
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

/// Why `LogOutEverywhere` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum LogOutEverywhereError {
    /// There is no such user.
    UserNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for LogOutEverywhereError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<LogOutEverywhereError> for Problem {
    fn from(error: LogOutEverywhereError) -> Self {
        match error {
            LogOutEverywhereError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            LogOutEverywhereError::ApiError(fault) => fault.into(),
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

/// Why `GetMe` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetMeError {
    /// There is no such user.
    UserNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for GetMeError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<GetMeError> for Problem {
    fn from(error: GetMeError) -> Self {
        match error {
            GetMeError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            GetMeError::ApiError(fault) => fault.into(),
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

/// Why `UpdateMe` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum UpdateMeError {
    /// There is no such user.
    UserNotFound,
    /// It is no phone number of any country.
    InvalidPhone,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for UpdateMeError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<UpdateMeError> for Problem {
    fn from(error: UpdateMeError) -> Self {
        match error {
            UpdateMeError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            UpdateMeError::InvalidPhone => Self::new(409, "INVALID_PHONE", "It is no phone number of any country."),
            UpdateMeError::ApiError(fault) => fault.into(),
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

/// Why `ChangePassword` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ChangePasswordError {
    /// There is no such user.
    UserNotFound,
    /// The address or the password is wrong, the mailbox is not proved yet, or the user was disabled.
    InvalidCredentials,
    /// There were too many failures; the details say when to try again.
    TooManyAttempts(v1::TooManyAttempts),
    /// The password is easy to guess: it has fewer than 5 different characters, or the name of the mailbox in it.
    WeakPassword,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ChangePasswordError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            ChangePasswordError::InvalidCredentials => Self::new(
                401,
                "INVALID_CREDENTIALS",
                "The address or the password is wrong, the mailbox is not proved yet, or the user was disabled.",
            ),
            ChangePasswordError::TooManyAttempts(details) => {
                Self::new(429, "TOO_MANY_ATTEMPTS", "There were too many failures; the details say when to try again.")
                    .details(&details)
            }
            ChangePasswordError::WeakPassword => Self::new(
                409,
                "WEAK_PASSWORD",
                "The password is easy to guess: it has fewer than 5 different characters, or the name of the mailbox in it.",
            ),
            ChangePasswordError::ApiError(fault) => fault.into(),
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

/// Why `ListAddresses` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListAddressesError {
    /// There is no such user.
    UserNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ListAddressesError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ListAddressesError> for Problem {
    fn from(error: ListAddressesError) -> Self {
        match error {
            ListAddressesError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            ListAddressesError::ApiError(fault) => fault.into(),
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

/// Why `SetAddress` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum SetAddressError {
    /// There is no such user.
    UserNotFound,
    /// There are 20 addresses already.
    TooManyAddresses,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for SetAddressError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<SetAddressError> for Problem {
    fn from(error: SetAddressError) -> Self {
        match error {
            SetAddressError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            SetAddressError::TooManyAddresses => {
                Self::new(409, "TOO_MANY_ADDRESSES", "There are 20 addresses already.")
            }
            SetAddressError::ApiError(fault) => fault.into(),
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

/// Why `RemoveAddress` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RemoveAddressError {
    /// There is no such user.
    UserNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for RemoveAddressError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<RemoveAddressError> for Problem {
    fn from(error: RemoveAddressError) -> Self {
        match error {
            RemoveAddressError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            RemoveAddressError::ApiError(fault) => fault.into(),
        }
    }
}

const GET_KEYS: Operation =
    Operation { name: "GetKeys", auth: Auth::Public, body: Body::None, creates: None, etag: None };

async fn get_keys<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_KEYS, request, |context, request| state.service.get_keys(context, request)).await
}

/// Why `GetKeys` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetKeysError {
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for GetKeysError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<GetKeysError> for Problem {
    fn from(error: GetKeysError) -> Self {
        match error {
            GetKeysError::ApiError(fault) => fault.into(),
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

/// Why `GetUser` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetUserError {
    /// There is no such user.
    UserNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for GetUserError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<GetUserError> for Problem {
    fn from(error: GetUserError) -> Self {
        match error {
            GetUserError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            GetUserError::ApiError(fault) => fault.into(),
        }
    }
}

const LIST_USERS: Operation =
    Operation { name: "ListUsers", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_users<S: UserService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LIST_USERS, request, |context, request| state.service.list_users(context, request)).await
}

/// Why `ListUsers` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListUsersError {
    /// The page token is not of this list.
    InvalidPageToken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ListUsersError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ListUsersError> for Problem {
    fn from(error: ListUsersError) -> Self {
        match error {
            ListUsersError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token is not of this list.")
            }
            ListUsersError::ApiError(fault) => fault.into(),
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

/// Why `DisableUser` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum DisableUserError {
    /// There is no such user.
    UserNotFound,
    /// Who asks was disabled, and has a token that is still good for some minutes.
    CallerDisabled,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for DisableUserError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<DisableUserError> for Problem {
    fn from(error: DisableUserError) -> Self {
        match error {
            DisableUserError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            DisableUserError::CallerDisabled => Self::new(
                403,
                "CALLER_DISABLED",
                "Who asks was disabled, and has a token that is still good for some minutes.",
            ),
            DisableUserError::ApiError(fault) => fault.into(),
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

/// Why `EnableUser` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum EnableUserError {
    /// There is no such user.
    UserNotFound,
    /// Who asks was disabled, and has a token that is still good for some minutes.
    CallerDisabled,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for EnableUserError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<EnableUserError> for Problem {
    fn from(error: EnableUserError) -> Self {
        match error {
            EnableUserError::UserNotFound => Self::new(404, "USER_NOT_FOUND", "There is no such user."),
            EnableUserError::CallerDisabled => Self::new(
                403,
                "CALLER_DISABLED",
                "Who asks was disabled, and has a token that is still good for some minutes.",
            ),
            EnableUserError::ApiError(fault) => fault.into(),
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

/// Why `RepublishUsers` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RepublishUsersError {
    /// The page token is not of this list.
    InvalidPageToken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for RepublishUsersError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<RepublishUsersError> for Problem {
    fn from(error: RepublishUsersError) -> Self {
        match error {
            RepublishUsersError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token is not of this list.")
            }
            RepublishUsersError::ApiError(fault) => fault.into(),
        }
    }
}
