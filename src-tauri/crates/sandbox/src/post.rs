//! One signed POST to the ingress through Signalbox's own client.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use signalbox_net::{Client, Outbound};

/// As Standard Webhooks advises senders: 15 to 30 s.
const TIMEOUT: Duration = Duration::from_secs(15);
const ANSWER_CAP: usize = 16 << 10;

pub(crate) enum Posted {
    /// With the seconds of Retry-After; a date there is not needed, since Signalbox sends none.
    Answered {
        status: u16,
        retry_after: Option<Duration>,
    },
    Failed(String),
}

pub(crate) async fn post(client: &Client, url: &str, headers: Vec<(&'static str, String)>, body: String) -> Posted {
    let headers: HeaderMap = headers
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)))
        .collect();
    let outbound = Outbound {
        method: Method::POST,
        url: url.to_owned(),
        headers,
        body: body.into(),
        allow_private: true,
        timeout: TIMEOUT,
        response_cap: ANSWER_CAP,
    };
    match client.send(outbound).await {
        Ok(answer) => {
            let seconds =
                answer.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Posted::Answered { status: answer.status, retry_after: seconds.map(Duration::from_secs) }
        }
        Err(error) => Posted::Failed(error.to_string()),
    }
}
