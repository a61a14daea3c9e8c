//! A valid request of every operation of the user service, for tests of authorization and rules.

use features::{DynamicMessage, InProcess, LocalBoxFuture};
use mart_proto::r#type::v1::Address;
use mart_proto::user::v1::{
    ChangePasswordRequest, DisableUserRequest, EnableUserRequest, GetKeysRequest, GetMeRequest, GetUserRequest,
    ListAddressesRequest, ListUsersRequest, LogInRequest, LogOutEverywhereRequest, LogOutRequest,
    RefreshSessionRequest, RegisterRequest, RemoveAddressRequest, RepublishUsersRequest, RequestPasswordResetRequest,
    ResetPasswordRequest, SetAddressRequest, UpdateMeRequest, User, VerifyEmailRequest,
};
use serde_json::{Value, json};
use user_service::generated::fixtures::{Fixtures, requests};

/// The id of the first user with sequential ids.
pub(crate) const FIRST: &str = "00000000-0000-7000-8000-000000000000";
const OWNER: &str = "owner@example.com";
const PASSWORD: &str = "correct horse battery";

/// Creates the requests in a mart, after its first user.
pub(crate) fn fixtures(mart: &mut InProcess) -> LocalBoxFuture<'_, Vec<(&'static str, DynamicMessage)>> {
    Box::pin(async {
        let mut users = Users { mart };
        users.register(OWNER).await;
        let token = users.link().await;
        users.post("/v1/users/verify-email", json!({ "token": token, "password": PASSWORD })).await;
        requests(&mut users).await
    })
}

fn address() -> Address {
    let (recipient, city, country_code) = ("A".to_owned(), "Lahore".to_owned(), "PK".to_owned());
    Address { recipient, lines: vec!["House 7".to_owned()], city, postal_code: String::new(), country_code }
}

struct Users<'a> {
    mart: &'a mut InProcess,
}

impl Users<'_> {
    async fn post(&mut self, path: &str, body: Value) -> Value {
        let answer = self.mart.send(None, "POST", path, Some(body), &[]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    async fn register(&mut self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ayesha" });
        self.post("/v1/users/register", body).await;
    }

    /// Returns the secret of the last link.
    async fn link(&mut self) -> String {
        self.mart.settle().await;
        let sent = self.mart.history().iter().rfind(|record| record.topic == "mart.user_link.v1");
        let sent = sent.expect("a link was sent").clone();
        let sent = devstack::contracts::decode(&sent.event_type, &sent.payload).expect("of a contract");
        sent["link"]["token"].as_str().unwrap_or_default().to_owned()
    }

    /// Logs the owner in and returns the refresh token.
    async fn session(&mut self) -> String {
        let opened = self.post("/v1/sessions/log-in", json!({ "email": OWNER, "password": PASSWORD })).await;
        opened["tokens"]["refreshToken"].as_str().unwrap_or_default().to_owned()
    }
}

impl Fixtures for Users<'_> {
    async fn register(&mut self) -> RegisterRequest {
        let (email, password, name) = ("new@example.com".to_owned(), PASSWORD.to_owned(), "New".to_owned());
        RegisterRequest { email, password, name, locale: String::new() }
    }

    async fn verify_email(&mut self) -> VerifyEmailRequest {
        Users::register(self, "another@example.com").await;
        VerifyEmailRequest { token: self.link().await, password: PASSWORD.to_owned() }
    }

    async fn request_password_reset(&mut self) -> RequestPasswordResetRequest {
        RequestPasswordResetRequest { email: OWNER.to_owned() }
    }

    async fn reset_password(&mut self) -> ResetPasswordRequest {
        self.post("/v1/users/request-password-reset", json!({ "email": OWNER })).await;
        ResetPasswordRequest { token: self.link().await, password: "purple monkey dish".to_owned() }
    }

    async fn log_in(&mut self) -> LogInRequest {
        LogInRequest { email: OWNER.to_owned(), password: PASSWORD.to_owned() }
    }

    async fn refresh_session(&mut self) -> RefreshSessionRequest {
        RefreshSessionRequest { refresh_token: self.session().await }
    }

    async fn log_out(&mut self) -> LogOutRequest {
        LogOutRequest { refresh_token: self.session().await }
    }

    async fn log_out_everywhere(&mut self) -> LogOutEverywhereRequest {
        LogOutEverywhereRequest {}
    }

    async fn get_me(&mut self) -> GetMeRequest {
        GetMeRequest {}
    }

    async fn update_me(&mut self) -> UpdateMeRequest {
        UpdateMeRequest { user: Some(User { name: "Owner".to_owned(), ..User::default() }), update_mask: None }
    }

    async fn change_password(&mut self) -> ChangePasswordRequest {
        ChangePasswordRequest { current_password: PASSWORD.to_owned(), password: "purple monkey dish".to_owned() }
    }

    async fn list_addresses(&mut self) -> ListAddressesRequest {
        // The label is unique to the owner's address, so it must not be in the response to another user.
        let path = format!("/v1/me/addresses/{}", uuid::Uuid::nil());
        let body = json!({ "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" });
        let answer = self.mart.send(Some(("customer", FIRST)), "PUT", &path, Some(body), &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        ListAddressesRequest {}
    }

    async fn set_address(&mut self) -> SetAddressRequest {
        SetAddressRequest { label: "home".to_owned(), address: Some(address()) }
    }

    async fn remove_address(&mut self) -> RemoveAddressRequest {
        RemoveAddressRequest { label: "home".to_owned() }
    }

    async fn get_keys(&mut self) -> GetKeysRequest {
        GetKeysRequest {}
    }

    async fn get_user(&mut self) -> GetUserRequest {
        GetUserRequest { user_id: FIRST.to_owned() }
    }

    async fn list_users(&mut self) -> ListUsersRequest {
        ListUsersRequest::default()
    }

    async fn disable_user(&mut self) -> DisableUserRequest {
        DisableUserRequest { user_id: FIRST.to_owned() }
    }

    async fn enable_user(&mut self) -> EnableUserRequest {
        EnableUserRequest { user_id: FIRST.to_owned() }
    }

    async fn republish_users(&mut self) -> RepublishUsersRequest {
        RepublishUsersRequest::default()
    }
}
