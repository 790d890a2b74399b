//! The URL as the sender may have called it, for the schemes that sign it.

use http::{HeaderMap, header};
use signalbox_model::verify::Scheme;

use super::trial::Trial;
use super::{Change, Finding};
use crate::verify::Incoming;

const LONGEST_HOST: usize = 255;

pub(super) fn look(trial: &mut Trial<'_>) -> Option<Finding> {
    let request = trial.patient.request;
    if !matches!(trial.patient.verify.scheme, Scheme::Hubspot | Scheme::Twilio) {
        return None;
    }
    let configured = request.public_url.map(without_query);
    for url in candidates(&request) {
        if Some(url.as_str()) == configured || !trial.passes(&Incoming { public_url: Some(&url), ..request }) {
            continue;
        }
        let was = match configured {
            Some(configured) => format!("and 'public_url' says {configured}"),
            None => "and this source has no 'public_url'".to_owned(),
        };
        return Some(Finding {
            change: Change::Url,
            text: format!("The signature is right for the URL {url}, {was}."),
            fix: format!("Set public_url = \"{url}\" in [source], or correct the URL at the vendor."),
            sure: true,
        });
    }
    if configured.is_none() {
        trial.hints.push(Finding {
            change: Change::Url,
            text: "The vendor signs the URL that it calls, and this source has no 'public_url'.".to_owned(),
            fix: "Set public_url in [source] to the whole URL that is entered at the vendor.".to_owned(),
            sure: false,
        });
    }
    None
}

/// Without query: it is the request's own.
fn candidates(request: &Incoming<'_>) -> Vec<String> {
    let path = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/").to_owned()
    };
    let seen = without_query(request.url_seen);
    let configured = request.public_url.map(without_query);
    let mut paths = vec![path(seen)];
    paths.extend(configured.map(path));
    let mut hosts: Vec<String> = [seen, configured.unwrap_or(seen)].iter().filter_map(|url| host_of(url)).collect();
    for name in ["x-forwarded-host", "x-original-host", header::HOST.as_str()] {
        hosts.extend(host_header(request.headers, name));
    }
    for host in hosts.clone() {
        let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        hosts.extend(bare.map(|(name, _)| name.to_owned()));
    }
    let mut urls = Vec::new();
    for host in &hosts {
        for path in &paths {
            let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
            for path in [path, &other] {
                for scheme in ["https", "http"] {
                    let url = format!("{scheme}://{host}{path}");
                    if !urls.contains(&url) {
                        urls.push(url);
                    }
                }
            }
        }
    }
    urls
}

fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(url, _)| url)
}

fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().filter(|host| !host.is_empty()).map(str::to_owned)
}

/// The first host that a header names, if it can stand in a URL.
fn host_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let host = headers.get(name)?.to_str().ok()?.split(',').next()?.trim();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    (!host.is_empty() && host.len() <= LONGEST_HOST && host.bytes().all(good)).then(|| host.to_owned())
}
