use http::{Method, StatusCode};
use serde_json::json;

use crate::client::World;

const CONTACT: &str = "/services/data/v61.0/sobjects/Contact";

#[tokio::test]
async fn an_upsert_by_email_creates_then_changes_and_can_be_read() {
    let world = World::new();
    let path = format!("{CONTACT}/Email/New.Lead%40x.test");
    let body = json!({ "FirstName": "New", "LastName": "Lead" }).to_string();
    let created = world.send("salesforce", Method::PATCH, &path, &[], &body).await.unwrap();
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.header("sforce-limit-info"), Some("api-usage=1/100000"));
    let created = created.json();
    assert_eq!((&created["success"], &created["created"]), (&json!(true), &json!(true)));

    let changed = world.send("salesforce", Method::PATCH, &path, &[], r#"{"Phone":"1"}"#).await.unwrap();
    assert_eq!((changed.status, &changed.json()["created"]), (StatusCode::OK, &json!(false)));
    let id = created["id"].as_str().unwrap();
    for id in [id, id.get(..15).unwrap()] {
        let read = world.send("salesforce", Method::GET, &format!("{CONTACT}/{id}"), &[], "").await.unwrap().json();
        assert_eq!((&read["LastName"], &read["Phone"]), (&json!("Lead"), &json!("1")));
        assert_eq!(read["attributes"]["type"], "Contact");
    }
    assert_eq!(world.received("salesforce").records, 1);
}

#[tokio::test]
async fn errors_come_as_a_list_with_a_code() {
    let world = World::new();
    let email = format!("{CONTACT}/Email/a@x.test");
    for (method, path, body, status, code) in [
        (Method::GET, format!("{CONTACT}/0030000"), "", 404, "NOT_FOUND"),
        (Method::GET, "/services/data/61/sobjects/Contact/1".into(), "", 404, "NOT_FOUND"),
        (Method::PATCH, format!("{CONTACT}/Shoe__c/43"), "{}", 404, "NOT_FOUND"),
        (Method::PATCH, format!("{email}?updateOnly=true"), "{}", 404, "NOT_FOUND"),
        (Method::PATCH, email.clone(), "{}", 400, "REQUIRED_FIELD_MISSING"),
        (Method::PATCH, email.clone(), r#"{"Shoe":1}"#, 400, "INVALID_FIELD"),
        (Method::PATCH, email.clone(), "[", 400, "JSON_PARSER_ERROR"),
        (Method::PATCH, format!("{CONTACT}/Email/nobody"), "{}", 400, "INVALID_EMAIL_ADDRESS"),
    ] {
        let answer = world.send("salesforce", method, &path, &[], body).await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.json()[0]["errorCode"]), (status, &json!(code)), "{path}");
    }
    let stranger = world.send("salesforce", Method::GET, CONTACT, &[("authorization", "Bearer x")], "").await.unwrap();
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    let path = format!("{CONTACT}/0030000");
    let stranger = world.send("salesforce", Method::GET, &path, &[("authorization", "Bearer x")], "").await.unwrap();
    assert_eq!(stranger.json()[0]["errorCode"], "INVALID_SESSION_ID");
}

#[tokio::test]
async fn client_credentials_give_a_token_without_an_end() {
    let world = World::new();
    let form = |secret: &str| format!("grant_type=client_credentials&client_id=app&client_secret={secret}");
    let path = "/services/oauth2/token";
    let right = form(&world.secret("salesforce-client-secret"));
    let token = world.send("salesforce", Method::POST, path, &[("stranger", "1")], &right).await.unwrap().json();
    assert_eq!(token["instance_url"], world.sandbox.urls()["salesforce"]);
    assert_eq!(token.get("expires_in"), None);
    assert_eq!(token["access_token"], world.secret("salesforce-token"));
    let wrong = world.send("salesforce", Method::POST, path, &[("stranger", "1")], &form("x")).await.unwrap();
    assert_eq!((wrong.status, &wrong.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_client")));
}
