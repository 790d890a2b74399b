use http::{Method, StatusCode};
use serde_json::json;

use crate::client::{World, ada};

const UPSERT: &str = "/crm/v3/objects/contacts/batch/upsert";

#[tokio::test]
async fn an_upsert_creates_once_and_then_changes() {
    let world = World::new();
    let first = world.upsert(ada()).await;
    assert_eq!(first.status, StatusCode::OK);
    let body = first.json();
    assert_eq!((&body["status"], &body["results"][0]["new"]), (&json!("COMPLETE"), &json!(true)));
    assert_eq!(body.get("numErrors"), None);

    let again = world.upsert(ada()).await.json();
    assert_eq!(again["results"][0]["new"], false);
    assert_eq!(again["results"][0]["id"], body["results"][0]["id"]);
    assert_eq!(again["results"][0]["properties"]["version"], "3", "every property is text");
    assert_eq!(world.received("hubspot").records, 1);
}

#[tokio::test]
async fn a_batch_with_one_bad_input_does_the_others_and_answers_207() {
    let world = World::new();
    let input = |id: &str, properties| json!({ "id": id, "idProperty": "email", "properties": properties });
    let body = json!({ "inputs": [
        input("a@x.test", json!({ "email": "a@x.test" })),
        input("no-email", json!({ "email": "no-email" })),
        input("b@x.test", json!({ "firstname": "B" })),
        input("c@x.test", json!({ "email": "c@x.test", "shoe_size": 43 })),
    ]});
    let answer = world.send("hubspot", Method::POST, UPSERT, &[], &body.to_string()).await.unwrap();
    assert_eq!(answer.status, StatusCode::MULTI_STATUS);
    let body = answer.json();
    assert_eq!((&body["status"], &body["numErrors"]), (&json!("COMPLETE"), &json!(3)));
    assert_eq!(body["results"].as_array().unwrap().len(), 1);
    for (error, (id, code)) in body["errors"].as_array().unwrap().iter().zip([
        ("no-email", "INVALID_EMAIL"),
        ("b@x.test", "REQUIRED_FIELD"),
        ("c@x.test", "PROPERTY_DOESNT_EXIST"),
    ]) {
        assert_eq!(error["category"], "VALIDATION_ERROR");
        assert_eq!(error["context"]["ids"], json!([id]));
        assert!(error["message"].as_str().unwrap().contains(code), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole() {
    let world = World::new();
    let twice = json!({ "id": "a@x.test", "idProperty": "email", "properties": { "email": "a@x.test" } });
    let many: Vec<_> = (0..101).map(|n| json!({ "id": n.to_string(), "properties": {} })).collect();
    for body in [
        "{".to_owned(),
        "[]".to_owned(),
        json!({ "inputs": [] }).to_string(),
        json!({ "inputs": [twice, twice] }).to_string(),
        json!({ "inputs": many }).to_string(),
    ] {
        let answer = world.send("hubspot", Method::POST, UPSERT, &[], &body).await.unwrap();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.json()["category"], "VALIDATION_ERROR");
    }
    assert_eq!(world.received("hubspot").records, 0);
}

#[tokio::test]
async fn without_a_good_token_there_is_401_in_hubspots_shape() {
    let world = World::new();
    for headers in [&[("stranger", "1")][..], &[("authorization", "Bearer wrong")]] {
        let answer = world.send("hubspot", Method::POST, UPSERT, headers, "{}").await.unwrap();
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let body = answer.json();
        assert_eq!(body["status"], "error");
        assert!(body["category"].as_str().unwrap().ends_with("_AUTHENTICATION"), "{body}");
        assert_eq!(body["correlationId"].as_str().unwrap().len(), 36);
    }
}

#[tokio::test]
async fn a_refresh_token_gives_an_access_token_that_works_and_sees_no_daily_limit() {
    let world = World::new();
    let form = |refresh: &str| {
        let client = world.secret("hubspot-client-secret");
        format!("grant_type=refresh_token&client_id=app&client_secret={client}&refresh_token={refresh}")
    };
    let ask = |body: String| {
        let world = &world;
        async move { world.send("hubspot", Method::POST, "/oauth/v1/token", &[("stranger", "1")], &body).await.unwrap() }
    };
    let refused = ask(form("revoked")).await;
    assert_eq!((refused.status, &refused.json()["status"]), (StatusCode::BAD_REQUEST, &json!("BAD_REFRESH_TOKEN")));

    let token = ask(form(&world.secret("hubspot-refresh-token"))).await.json();
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("bearer"), &json!(1_800)));
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let path = "/crm/v3/objects/contacts";
    let answer = world.send("hubspot", Method::GET, path, &[("authorization", &bearer)], "").await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("x-hubspot-ratelimit-daily"), None);
    let own = world.send("hubspot", Method::GET, path, &[], "").await.unwrap();
    assert_eq!(own.header("x-hubspot-ratelimit-daily"), Some("625000"));
}

#[tokio::test]
async fn the_window_of_ten_seconds_counts_down_and_then_answers_429() {
    let world = World::new();
    let path = "/crm/v3/objects/contacts";
    let first = world.send("hubspot", Method::GET, path, &[], "").await.unwrap();
    assert_eq!(first.header("x-hubspot-ratelimit-interval-milliseconds"), Some("10000"));
    let max: usize = first.header("x-hubspot-ratelimit-max").unwrap().parse().unwrap();
    assert_eq!(first.header("x-hubspot-ratelimit-remaining"), Some((max - 1).to_string().as_str()));
    for _ in 1..max {
        assert_eq!(world.send("hubspot", Method::GET, path, &[], "").await.unwrap().status, StatusCode::OK);
    }
    let over = world.send("hubspot", Method::GET, path, &[], "").await.unwrap();
    assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(over.header("x-hubspot-ratelimit-remaining"), Some("0"));
    assert!((1..=10).contains(&over.header("retry-after").unwrap().parse::<u64>().unwrap()));
    let body = over.json();
    assert_eq!((&body["errorType"], &body["policyName"]), (&json!("RATE_LIMIT"), &json!("TEN_SECONDLY_ROLLING")));
}

#[tokio::test]
async fn contacts_are_read_by_email_by_id_and_in_batches() {
    let world = World::new();
    let id = world.upsert(ada()).await.json()["results"][0]["id"].as_str().unwrap().to_owned();
    let get = |path: String| {
        let world = &world;
        async move { world.send("hubspot", Method::GET, &path, &[], "").await.unwrap() }
    };
    let base = "/crm/v3/objects/contacts";
    let by_email = get(format!("{base}/ADA%40x.test?idProperty=email&properties=phone,company")).await.json();
    assert_eq!(by_email["id"], id.as_str());
    assert_eq!(by_email["properties"]["company"], "Northwind");
    assert_eq!(by_email["properties"].get("firstname"), None, "only what was asked for");
    assert_eq!(get(format!("{base}/{id}")).await.json()["properties"]["firstname"], "Ada");
    assert_eq!(get(format!("{base}/nobody@x.test?idProperty=email")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(format!("{base}/Ada?idProperty=firstname")).await.status, StatusCode::BAD_REQUEST);

    let body = json!({ "idProperty": "email", "properties": ["email"],
        "inputs": [{ "id": "ada@x.test" }, { "id": "nobody@x.test" }] });
    let read =
        world.send("hubspot", Method::POST, &format!("{base}/batch/read"), &[], &body.to_string()).await.unwrap();
    assert_eq!(read.status, StatusCode::MULTI_STATUS);
    let read = read.json();
    assert_eq!(read["results"][0]["id"], id.as_str());
    assert_eq!(read["errors"][0]["context"]["ids"], json!(["nobody@x.test"]));
}

#[tokio::test]
async fn a_list_is_paged_to_its_end() {
    let world = World::new();
    for name in ["a", "b", "c", "d", "e"] {
        world.upsert(json!({ "email": format!("{name}@x.test") })).await;
    }
    let (mut emails, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/crm/v3/objects/contacts?limit=2{after}");
        let page = world.send("hubspot", Method::GET, &path, &[], "").await.unwrap().json();
        let results = page["results"].as_array().unwrap().clone();
        assert!(results.len() <= 2);
        emails.extend(results.iter().map(|it| it["properties"]["email"].as_str().unwrap().to_owned()));
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(emails, ["a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test"]);
    for wrong in ["limit=0", "limit=101", "limit=x", "after=x"] {
        let path = format!("/crm/v3/objects/contacts?{wrong}");
        assert_eq!(world.send("hubspot", Method::GET, &path, &[], "").await.unwrap().status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn the_dials_refuse_some_inputs_and_lose_one() {
    let world = World::new();
    let inputs: Vec<_> = (0..100)
        .map(|n| {
            let email = format!("{n}@x.test");
            json!({ "id": email, "idProperty": "email", "properties": { "email": email }, "objectWriteTraceId": n.to_string() })
        })
        .collect();
    let body = json!({ "inputs": inputs }).to_string();
    world.turn("hubspot", r#"{"partial":{"share":0.1}}"#);
    let answer = world.send("hubspot", Method::POST, UPSERT, &[], &body).await.unwrap();
    assert_eq!(answer.status, StatusCode::MULTI_STATUS);
    let answer = answer.json();
    let (results, errors) = (answer["results"].as_array().unwrap(), answer["errors"].as_array().unwrap());
    assert!((3..20).contains(&errors.len()) && results.len() + errors.len() == 100, "{} errors", errors.len());
    assert_eq!(
        (&errors[0]["category"], errors[0]["context"]["objectWriteTraceId"].is_array()),
        (&json!("INTERNAL_ERROR"), true)
    );
    world.turn("hubspot", r#"{"partial":{"share":0},"miscount":{"share":1}}"#);
    let answer = world.send("hubspot", Method::POST, UPSERT, &[], &body).await.unwrap().json();
    assert_eq!(answer["results"].as_array().unwrap().len(), 99);
    assert_eq!(answer["results"][0]["objectWriteTraceId"], "99", "in another order");
}
