//! Gives back what comes: the hand-written adapter of the odd service's odd operations.

use mart_chassis::http::Call;
use mart_proto::odd::v1;
use odd_core::ports::Store;

use super::http::Http;
use crate::generated::http::{LoopError, MatchError, StrangeService};

impl<S: Store + 'static> StrangeService for Http<S> {
    async fn r#match(&self, _call: Call, request: v1::MatchRequest) -> Result<v1::MatchResponse, MatchError> {
        if request.r#type == "strange" {
            return Err(MatchError::Strange);
        }
        Ok(v1::MatchResponse { request: Some(request) })
    }

    async fn r#loop(&self, _call: Call, request: v1::LoopRequest) -> Result<v1::LoopResponse, LoopError> {
        if request.self_ == "strange" {
            return Err(LoopError::Strange);
        }
        Ok(v1::LoopResponse { request: Some(request) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use features::{Hosted, InProcess};
    use mart_kernel::PageTokenSigner;
    use mart_kernel::ids::SequentialIds;
    use odd_core::UseCases;
    use odd_core::memory::MemoryStore;
    use serde_json::json;

    fn mart() -> InProcess {
        InProcess::new(0, |edge, clock| {
            let ids = Arc::new(SequentialIds::default());
            let use_cases = UseCases::new(MemoryStore::default(), clock, ids, PageTokenSigner::new(b"a test's secret"));
            let routes = crate::wiring::routes(use_cases, edge);
            vec![Hosted { name: "odd", routes, reactions: None, outbox: Box::new(Vec::new), sweeps: Vec::new() }]
        })
    }

    #[tokio::test]
    async fn every_kind_of_field_comes_back_as_it_was_sent() {
        let mut mart = mart();
        let sent = json!({
            "self": "s", "super": "ü", "async": {"fn": "f", "crate": "9223372036854775807"},
            "result": {"option": {"fn": "g", "crate": "-1"}},
            "tree": {"trees": [{"trees": [], "leaf": {"veins": [{"length": 1.5}]}}], "leaf": {"veins": []}},
            "vein": {"length": -0.25}, "number": "-9223372036854775808",
            "labels": {"a": "1", "b c": "\"2\""}, "options": {"7": {"fn": "h", "crate": "0"}},
            "maybe": false, "kind": "KIND_SELF", "kinds": ["KIND_2D", "KIND_SOME"],
            "at": "2026-11-25T10:00:00.5Z", "lasts": "1.5s", "anything": {"x": [1.0, null, "y"]}, "wrapped": "5",
            "big": "18446744073709551615", "fixed": "-5", "bytes": "AP8=",
            "product": {"slug": "mug", "name": "Mug", "prices": [{"amount": "9.00", "currencyCode": "PKR"}]}, "money": {"amount": "9.00", "currencyCode": "PKR"}, "float": 0.5,
        });
        let answer = mart.send(None, "POST", "/v1/strange/kind/match", Some(sent.clone()), &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let came = &answer.body["request"];
        assert_eq!(came["type"], "kind");
        for (member, value) in sent.as_object().expect("an object") {
            match member.as_str() {
                "product" => assert_eq!(came["product"]["name"], "Mug"),
                "at" => assert!(came["at"].as_str().is_some_and(|at| at.starts_with("2026-11-25T10:00:00.5")), "{came}"),
                "lasts" => assert!(came["lasts"].as_str().is_some_and(|lasts| lasts.starts_with("1.5")), "{came}"),
                _ => assert_eq!(&came[member], value, "{member}"),
            }
        }
        let answer = mart.send(None, "POST", "/v1/strange/strange/match", Some(json!({})), &[]).await;
        assert_eq!((answer.status, &answer.body["code"]), (418, &json!("STRANGE")));
        let both = json!({"text": "t", "number": "1"});
        let answer = mart.send(None, "POST", "/v1/strange/kind/match", Some(both), &[]).await;
        assert_eq!(answer.status, 400, "two of a oneof: {}", answer.body);
    }

    #[tokio::test]
    async fn what_a_query_says_comes_back() {
        let mut mart = mart();
        let query = "where=a&where=b%20c&kind=KIND_SELF&kind=KIND_2D&mut=true&bigNumber=9007199254740993&limit=0";
        let answer = mart.send(None, "GET", &format!("/v1/strange/a%2Fb?{query}"), None, &[]).await;
        let expected = json!({
            "self": "a/b", "where": ["a", "b c"], "kind": ["KIND_SELF", "KIND_2D"], "mut": true,
            "bigNumber": "9007199254740993", "limit": 0,
        });
        assert_eq!((answer.status, &answer.body["request"]), (200, &expected), "{}", answer.body);
    }
}
