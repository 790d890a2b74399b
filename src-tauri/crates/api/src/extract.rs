//! Reading requests strictly: JSON bodies, queries and ids, each with an error for a person.

use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::header;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::problem::{Code, Problem};
use crate::suggest::{nearest, unknown_field};

/// Largest body that a route takes, bytes: an edited payload of 1 MiB with its JSON escapes.
pub(crate) const MAX_BODY: usize = 2 << 20;
/// Rows of a page, unless asked otherwise.
const PAGE: u32 = 50;
/// The most rows of a page.
const PAGE_MAX: u32 = signalbox_store::read::PAGE_MAX;

/// A JSON body without unknown or repeated keys.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let is_json = is_json(&request);
        let bytes = read(request).await?;
        if !is_json {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "This route takes JSON: send the body with 'Content-Type: application/json'.",
            ));
        }
        parse(&bytes).map(Self)
    }
}

/// For routes that need nothing but their path: no body, or `{}`.
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        let bytes = read(request).await?;
        if !bytes.is_empty() {
            let Nothing {} = parse(&bytes)?;
        }
        Ok(Self)
    }
}

fn is_json(request: &Request) -> bool {
    let Some(Ok(value)) = request.headers().get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

async fn read(request: Request) -> Result<bytes::Bytes, Problem> {
    match Limited::new(request.into_body(), MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(Problem::new(
            Code::PayloadTooLarge,
            format!(
                "The body is over the limit of {MAX_BODY} bytes. Select by filter rather than by a long list of ids."
            ),
        )),
        Err(error) => Err(Problem::new(Code::BadRequest, format!("The body broke off: {error}."))),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // A list of the fields' values would be taken for them, in their order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(Problem::new(Code::InvalidBody, "The body is a list; this route takes a JSON object."));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        if let Some((field, known)) = unknown_field(&text) {
            return unknown(field, &known, "body");
        }
        Problem::new(Code::InvalidBody, format!("The body is not what this route takes: {text}."))
    })
}

fn unknown(field: &str, known: &[&str], place: &str) -> Problem {
    let field: String = field.chars().take(80).collect();
    let takes = if known.is_empty() { "no keys".to_owned() } else { known.join(", ") };
    Problem::new(
        Code::UnknownKey,
        format!("The {place} has the key '{field}', which does not exist; it takes {takes}."),
    )
    .suggest(nearest(&field, known.iter().copied()))
}

/// A query without unknown or repeated keys.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(value)| Self(value)).map_err(|rejection| {
            let text = rejection.body_text();
            let said = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, said)| said);
            match unknown_field(said) {
                Some((field, known)) => unknown(field, &known, "query"),
                None => Problem::new(Code::InvalidParameter, format!("The query is wrong: {said}.")),
            }
        })
    }
}

/// For routes whose query takes nothing.
pub(crate) struct NoParams;

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        let Params(Nothing {}) = Params::from_request_parts(parts, state).await?;
        Ok(Self)
    }
}

/// An id in the path. What is not an id cannot be found.
pub(crate) struct Id<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T>
where
    T::Err: std::fmt::Display,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Name(text) = Name::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|error: T::Err| Problem::new(Code::NotFound, format!("{error}.")))
    }
}

/// A name in the path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => Err(Problem::new(Code::NotFound, "The path is not readable as UTF-8.")),
        }
    }
}

/// Two names in the path: an integration, and one of its destinations.
pub(crate) struct NameOf(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for NameOf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((of, name))) => Ok(Self(of, name)),
            Err(_) => Err(Problem::new(Code::NotFound, "The path is not readable as UTF-8.")),
        }
    }
}

/// `limit`: 1 to 500, 50 unless set.
pub(crate) fn page_limit(limit: Option<&str>) -> Result<u32, Problem> {
    let Some(text) = limit else { return Ok(PAGE) };
    match text.parse::<u32>() {
        Ok(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        _ => {
            let text: String = text.chars().take(40).collect();
            Err(Problem::new(Code::InvalidParameter, format!("limit must be 1 to {PAGE_MAX}, not '{text}'.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Replay {
        rate: Option<f64>,
        #[serde(rename = "reason")]
        _reason: Option<String>,
    }

    async fn json(content_type: &str, body: impl Into<Body>) -> Result<Replay, Problem> {
        let request = Request::post("/").header("content-type", content_type).body(body.into()).unwrap();
        Json::from_request(request, &()).await.map(|Json(value)| value)
    }

    #[tokio::test]
    async fn a_body_is_read_strictly() {
        assert_eq!(json("application/json; charset=utf-8", r#"{"rate":5}"#).await.unwrap().rate, Some(5.0));
        let cases = [
            ("text/plain", r#"{"rate":5}"#, Code::UnsupportedMediaType),
            ("application/json", r#"{"rete":5}"#, Code::UnknownKey),
            ("application/json", r#"{"rate":5,"rate":6}"#, Code::InvalidBody),
            ("application/json", r#"{"rate":"5"}"#, Code::InvalidBody),
            ("application/json", "", Code::InvalidBody),
            ("application/json", r#"{"rate":5"#, Code::InvalidBody),
            ("application/json", "[]", Code::InvalidBody),
            ("application/json", r#" [5.0, "a reason"]"#, Code::InvalidBody),
        ];
        for (content_type, body, code) in cases {
            assert_eq!(json(content_type, body).await.unwrap_err().code, code, "{content_type} {body}");
        }
        let problem = json("application/json", r#"{"rete":5}"#).await.unwrap_err();
        assert_eq!(problem.suggestion.as_deref(), Some("rate"));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        let large = vec![b' '; MAX_BODY + 1];
        assert_eq!(json("application/json", large).await.unwrap_err().code, Code::PayloadTooLarge);
    }

    #[tokio::test]
    async fn a_deeply_nested_body_is_refused_without_harm() {
        let deep = format!(r#"{{"reason":{}"#, "[".repeat(1_000_000));
        assert_eq!(json("application/json", deep).await.unwrap_err().code, Code::InvalidBody);
    }

    #[tokio::test]
    async fn a_route_without_a_body_takes_nothing_or_an_empty_object() {
        let ask = |body: &'static str| NoBody::from_request(Request::post("/").body(Body::from(body)).unwrap(), &());
        assert!(ask("").await.is_ok());
        assert!(ask("{}").await.is_ok());
        assert_eq!(ask(r#"{"now":true}"#).await.err().unwrap().code, Code::UnknownKey);
    }

    #[tokio::test]
    async fn a_query_is_read_strictly() {
        let ask = async |query: &str| {
            let mut parts = Request::get(format!("/?{query}")).body(()).unwrap().into_parts().0;
            Params::<Replay>::from_request_parts(&mut parts, &()).await
        };
        assert!(ask("rate=5").await.is_ok());
        let problem = ask("reazon=x").await.err().unwrap();
        assert_eq!((problem.code, problem.suggestion.as_deref()), (Code::UnknownKey, Some("reason")));
        assert_eq!(ask("rate=5&rate=6").await.err().unwrap().code, Code::InvalidParameter);
    }

    #[tokio::test]
    async fn a_query_that_takes_nothing_refuses_what_it_is_given() {
        let ask = async |path: &str| {
            let mut parts = Request::get(path).body(()).unwrap().into_parts().0;
            NoParams::from_request_parts(&mut parts, &()).await
        };
        assert!(ask("/").await.is_ok() && ask("/?").await.is_ok());
        assert_eq!(ask("/?limit=5").await.err().unwrap().code, Code::UnknownKey);
    }

    #[test]
    fn a_page_has_1_to_500_rows() {
        assert_eq!(page_limit(None).unwrap(), 50);
        assert_eq!(page_limit(Some("500")).unwrap(), 500);
        for wrong in ["0", "501", "-1", "", "ten", "99999999999999999999"] {
            assert!(page_limit(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
