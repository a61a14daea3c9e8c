// Rendered by `cargo martgen generate` from proto/mart/user/v1; changes are made there.

//! A valid request of every operation of the user service, so that tests can send it as any caller.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, user::v1};

/// Makes valid requests for existing resources of the customer `owner`. A new operation of the contract adds a required method.
pub trait Fixtures {
    /// A request of `Register`.
    fn register(&mut self) -> impl Future<Output = v1::RegisterRequest>;
    /// A request of `VerifyEmail`.
    fn verify_email(&mut self) -> impl Future<Output = v1::VerifyEmailRequest>;
    /// A request of `RequestPasswordReset`.
    fn request_password_reset(&mut self) -> impl Future<Output = v1::RequestPasswordResetRequest>;
    /// A request of `ResetPassword`.
    fn reset_password(&mut self) -> impl Future<Output = v1::ResetPasswordRequest>;
    /// A request of `LogIn`.
    fn log_in(&mut self) -> impl Future<Output = v1::LogInRequest>;
    /// A request of `RefreshSession`.
    fn refresh_session(&mut self) -> impl Future<Output = v1::RefreshSessionRequest>;
    /// A request of `LogOut`.
    fn log_out(&mut self) -> impl Future<Output = v1::LogOutRequest>;
    /// A request of `LogOutEverywhere`.
    fn log_out_everywhere(&mut self) -> impl Future<Output = v1::LogOutEverywhereRequest>;
    /// A request of `GetMe`.
    fn get_me(&mut self) -> impl Future<Output = v1::GetMeRequest>;
    /// A request of `UpdateMe`.
    fn update_me(&mut self) -> impl Future<Output = v1::UpdateMeRequest>;
    /// A request of `ChangePassword`.
    fn change_password(&mut self) -> impl Future<Output = v1::ChangePasswordRequest>;
    /// A request of `ListAddresses`.
    fn list_addresses(&mut self) -> impl Future<Output = v1::ListAddressesRequest>;
    /// A request of `SetAddress`.
    fn set_address(&mut self) -> impl Future<Output = v1::SetAddressRequest>;
    /// A request of `RemoveAddress`.
    fn remove_address(&mut self) -> impl Future<Output = v1::RemoveAddressRequest>;
    /// A request of `GetKeys`.
    fn get_keys(&mut self) -> impl Future<Output = v1::GetKeysRequest>;
    /// A request of `GetUser`.
    fn get_user(&mut self) -> impl Future<Output = v1::GetUserRequest>;
    /// A request of `ListUsers`.
    fn list_users(&mut self) -> impl Future<Output = v1::ListUsersRequest>;
    /// A request of `DisableUser`.
    fn disable_user(&mut self) -> impl Future<Output = v1::DisableUserRequest>;
    /// A request of `EnableUser`.
    fn enable_user(&mut self) -> impl Future<Output = v1::EnableUserRequest>;
    /// A request of `RepublishUsers`.
    fn republish_users(&mut self) -> impl Future<Output = v1::RepublishUsersRequest>;
}

/// Returns a request of every operation with the operation's name.
pub async fn requests(of: &mut impl Fixtures) -> Vec<(&'static str, DynamicMessage)> {
    vec![
        ("Register", dynamic(&of.register().await)),
        ("VerifyEmail", dynamic(&of.verify_email().await)),
        ("RequestPasswordReset", dynamic(&of.request_password_reset().await)),
        ("ResetPassword", dynamic(&of.reset_password().await)),
        ("LogIn", dynamic(&of.log_in().await)),
        ("RefreshSession", dynamic(&of.refresh_session().await)),
        ("LogOut", dynamic(&of.log_out().await)),
        ("LogOutEverywhere", dynamic(&of.log_out_everywhere().await)),
        ("GetMe", dynamic(&of.get_me().await)),
        ("UpdateMe", dynamic(&of.update_me().await)),
        ("ChangePassword", dynamic(&of.change_password().await)),
        ("ListAddresses", dynamic(&of.list_addresses().await)),
        ("SetAddress", dynamic(&of.set_address().await)),
        ("RemoveAddress", dynamic(&of.remove_address().await)),
        ("GetKeys", dynamic(&of.get_keys().await)),
        ("GetUser", dynamic(&of.get_user().await)),
        ("ListUsers", dynamic(&of.list_users().await)),
        ("DisableUser", dynamic(&of.disable_user().await)),
        ("EnableUser", dynamic(&of.enable_user().await)),
        ("RepublishUsers", dynamic(&of.republish_users().await)),
    ]
}
