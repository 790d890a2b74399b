//! A browser's way in.

use axum::Json;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use crate::dto::session::SignInLink;
use crate::dto::words::duration_ms;
use crate::extract::{NoBody, Params};
use crate::problem::{Code, Problem};
use crate::sign_in::{COOKIE_LIVES, LINK_LIVES, cookie_name};
use crate::state::Api;

const USED: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Signalbox</title>\
    <h1>This link does not work any more</h1>\
    <p>A sign-in link is good once, for ten minutes. Run <code>signalbox status</code> for a new one.</p></html>";

/// Makes a one-time link that signs a browser in.
#[utoipa::path(post, path = "/api/v1/sign-in-links", tag = "session", responses((status = 201, body = SignInLink)))]
pub(super) async fn new_link(State(api): State<Api>, _: NoBody) -> Result<(StatusCode, Json<SignInLink>), Problem> {
    let options = api.options();
    if !options.serve_panel {
        return Err(Problem::new(
            Code::WrongState,
            "The panel is not served to browsers here: it is in the window. `signalbox serve` serves it.",
        ));
    }
    let link = options.sign_in.new_link(&format!("http://{}", options.listening));
    Ok((StatusCode::CREATED, Json(SignInLink { link, valid_ms: duration_ms(LINK_LIVES) })))
}

#[derive(Deserialize)]
pub(super) struct OpenParams {
    #[serde(default)]
    code: String,
}

/// Trades a one-time code for a cookie. Not part of the described API: only browsers come here.
pub(super) async fn open(State(api): State<Api>, Params(params): Params<OpenParams>) -> Response {
    let options = api.options();
    let Some(value) = options.sign_in.open(&params.code) else {
        return (StatusCode::UNAUTHORIZED, Html(USED)).into_response();
    };
    let cookie = format!(
        "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict",
        cookie_name(options.listening.port()),
        COOKIE_LIVES.as_secs()
    );
    let mut response = Redirect::to("/").into_response();
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
