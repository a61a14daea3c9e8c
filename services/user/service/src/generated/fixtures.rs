// Rendered by `cargo martgen generate` from proto/mart/user/v1; changes are made there.

//! A request of every operation of the user service that is right, so that tests can ask it as anybody.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, user::v1};

/// Makes requests about things that are there and belong to the customer `owner`. An operation that is new in the contract
/// is a method that is missing here.
pub trait Fixtures {
    /// For `Register`.
    fn register(&mut self) -> impl Future<Output = v1::RegisterRequest>;
    /// For `VerifyEmail`.
    fn verify_email(&mut self) -> impl Future<Output = v1::VerifyEmailRequest>;
    /// For `RequestPasswordReset`.
    fn request_password_reset(&mut self) -> impl Future<Output = v1::RequestPasswordResetRequest>;
    /// For `ResetPassword`.
    fn reset_password(&mut self) -> impl Future<Output = v1::ResetPasswordRequest>;
    /// For `LogIn`.
    fn log_in(&mut self) -> impl Future<Output = v1::LogInRequest>;
    /// For `RefreshSession`.
    fn refresh_session(&mut self) -> impl Future<Output = v1::RefreshSessionRequest>;
    /// For `LogOut`.
    fn log_out(&mut self) -> impl Future<Output = v1::LogOutRequest>;
    /// For `LogOutEverywhere`.
    fn log_out_everywhere(&mut self) -> impl Future<Output = v1::LogOutEverywhereRequest>;
    /// For `GetMe`.
    fn get_me(&mut self) -> impl Future<Output = v1::GetMeRequest>;
    /// For `UpdateMe`.
    fn update_me(&mut self) -> impl Future<Output = v1::UpdateMeRequest>;
    /// For `ChangePassword`.
    fn change_password(&mut self) -> impl Future<Output = v1::ChangePasswordRequest>;
    /// For `ListAddresses`.
    fn list_addresses(&mut self) -> impl Future<Output = v1::ListAddressesRequest>;
    /// For `SetAddress`.
    fn set_address(&mut self) -> impl Future<Output = v1::SetAddressRequest>;
    /// For `RemoveAddress`.
    fn remove_address(&mut self) -> impl Future<Output = v1::RemoveAddressRequest>;
    /// For `GetKeys`.
    fn get_keys(&mut self) -> impl Future<Output = v1::GetKeysRequest>;
    /// For `GetUser`.
    fn get_user(&mut self) -> impl Future<Output = v1::GetUserRequest>;
    /// For `ListUsers`.
    fn list_users(&mut self) -> impl Future<Output = v1::ListUsersRequest>;
    /// For `DisableUser`.
    fn disable_user(&mut self) -> impl Future<Output = v1::DisableUserRequest>;
    /// For `EnableUser`.
    fn enable_user(&mut self) -> impl Future<Output = v1::EnableUserRequest>;
    /// For `RepublishUsers`.
    fn republish_users(&mut self) -> impl Future<Output = v1::RepublishUsersRequest>;
}

/// A request of every operation, by its name.
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
