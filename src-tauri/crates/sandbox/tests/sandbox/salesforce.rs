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
    let nowhere = "/services/data/v61.0/sobjects/Account";
    let stranger = world.send("salesforce", Method::GET, nowhere, &[("authorization", "Bearer x")], "").await.unwrap();
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

const COLLECTION: &str = "/services/data/v61.0/composite/sobjects";

fn records(records: serde_json::Value) -> String {
    json!({ "allOrNone": false, "records": records }).to_string()
}

#[tokio::test]
async fn a_collection_answers_for_each_record_in_its_order() {
    let world = World::new();
    let contact =
        |email: &str, last: &str| json!({ "attributes": { "type": "Contact" }, "Email": email, "LastName": last });
    let body = records(json!([contact("a@x.test", "A"), contact("b@x.test", ""), contact("c@x.test", "C")]));
    let path = format!("{COLLECTION}/Contact/Email");
    let results = world.send("salesforce", Method::PATCH, &path, &[], &body).await.unwrap();
    assert_eq!(results.status, StatusCode::OK);
    let results = results.json();
    assert_eq!((&results[0]["success"], &results[0]["created"]), (&json!(true), &json!(true)));
    let error = json!({ "statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"] });
    assert_eq!(results[1], json!({ "success": false, "errors": [error] }));
    assert_eq!(results[2]["success"], true);

    let ids = json!({ "ids": [results[2]["id"], "0030000"], "fields": ["LastName"] }).to_string();
    let read =
        world.send("salesforce", Method::POST, &format!("{COLLECTION}/Contact"), &[], &ids).await.unwrap().json();
    assert_eq!((&read[0]["LastName"], &read[1]), (&json!("C"), &json!(null)));
}

#[tokio::test]
async fn what_is_no_collection_is_refused_whole() {
    let world = World::new();
    let many: Vec<_> = (0..201).map(|_| json!({})).collect();
    for (body, code) in [
        ("{".to_owned(), "JSON_PARSER_ERROR"),
        (records(json!([])), "EXCEEDED_ID_LIMIT"),
        (records(json!(many)), "EXCEEDED_ID_LIMIT"),
        (json!({ "allOrNone": true, "records": [{}] }).to_string(), "FEATURE_NOT_ENABLED"),
    ] {
        let answer = world.send("salesforce", Method::POST, COLLECTION, &[], &body).await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.json()[0]["errorCode"]), (400, &json!(code)));
    }
}

#[tokio::test]
async fn a_contact_is_created_once_and_changed_by_its_id() {
    let world = World::new();
    let body = json!({ "Email": "a@x.test", "LastName": "A" }).to_string();
    let created = world.send("salesforce", Method::POST, CONTACT, &[], &body).await.unwrap();
    assert_eq!(created.status, StatusCode::CREATED);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let again = world.send("salesforce", Method::POST, CONTACT, &[], &body).await.unwrap().json();
    assert_eq!(again[0]["errorCode"], "DUPLICATE_VALUE");
    let path = format!("{CONTACT}/{id}");
    let changed = world.send("salesforce", Method::PATCH, &path, &[], r#"{"LastName":"B"}"#).await.unwrap();
    assert_eq!(changed.status, StatusCode::NO_CONTENT);
    let read = world.send("salesforce", Method::GET, &format!("{path}?fields=LastName"), &[], "").await.unwrap().json();
    assert_eq!((&read["LastName"], read.get("Email")), (&json!("B"), None));
}

#[tokio::test]
async fn the_dials_refuse_some_records_and_lose_one() {
    let world = World::new();
    let contacts: Vec<_> = (0..100)
        .map(|n| json!({ "attributes": { "type": "Contact" }, "Email": format!("{n}@x.test"), "LastName": "A" }))
        .collect();
    world.turn("salesforce", r#"{"partial":{"share":0.2}}"#);
    let path = format!("{COLLECTION}/Contact/Email");
    let results = world.send("salesforce", Method::PATCH, &path, &[], &records(json!(contacts))).await.unwrap().json();
    let locked = |result: &&serde_json::Value| result["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW";
    let count = results.as_array().unwrap().iter().filter(locked).count();
    assert!((10..30).contains(&count), "{count} of 100");
    world.turn("salesforce", r#"{"partial":{"share":0},"miscount":{"share":1}}"#);
    let results = world.send("salesforce", Method::PATCH, &path, &[], &records(json!(contacts))).await.unwrap().json();
    assert_eq!(results.as_array().unwrap().len(), 99);
}
