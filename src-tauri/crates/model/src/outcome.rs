//! What an answer means: status and body to a kind of failure.

use crate::FailureKind;

/// Words by which vendors say "quota" in a 403: Salesforce `REQUEST_LIMIT_EXCEEDED`, Google `rateLimitExceeded` and
/// `quotaExceeded`, HubSpot `RATE_LIMIT`.
const QUOTA_WORDS: [&[u8]; 4] = [b"REQUEST_LIMIT_EXCEEDED", b"rateLimitExceeded", b"quotaExceeded", b"RATE_LIMIT"];

/// Only the start of a body is searched for a quota error.
const SEARCHED: usize = 4096;

/// `None` for a 2xx: the destination's `confirm` decides then.
pub fn classify(status: u16, has_retry_after: bool, body: &[u8]) -> Option<FailureKind> {
    Some(match status {
        200..=299 => return None,
        401 => FailureKind::Auth,
        403 if says_quota(body) => FailureKind::Rate,
        403 => FailureKind::Auth,
        408 => FailureKind::Server,
        423 | 425 | 429 => FailureKind::Rate,
        503 if has_retry_after => FailureKind::Rate,
        500..=599 => FailureKind::Server,
        _ => FailureKind::Rejected,
    })
}

fn says_quota(body: &[u8]) -> bool {
    let start = &body[..body.len().min(SEARCHED)];
    QUOTA_WORDS.iter().any(|word| start.windows(word.len()).any(|part| part == *word))
}

/// The reason phrase of RFC 9110 §15 and RFC 6585, for sentences that people read.
pub const fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        207 => "Multi-Status",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        425 => "Too Early",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        507 => "Insufficient Storage",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_the_kind_that_the_design_names() {
        let kinds = [
            (200, None),
            (204, None),
            (301, Some(FailureKind::Rejected)),
            (400, Some(FailureKind::Rejected)),
            (401, Some(FailureKind::Auth)),
            (403, Some(FailureKind::Auth)),
            (404, Some(FailureKind::Rejected)),
            (408, Some(FailureKind::Server)),
            (423, Some(FailureKind::Rate)),
            (425, Some(FailureKind::Rate)),
            (429, Some(FailureKind::Rate)),
            (500, Some(FailureKind::Server)),
            (503, Some(FailureKind::Server)),
        ];
        for (status, kind) in kinds {
            assert_eq!(classify(status, false, b""), kind, "{status}");
        }
        assert_eq!(classify(503, true, b""), Some(FailureKind::Rate));
        assert_eq!(classify(403, false, br#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#), Some(FailureKind::Rate));
    }
}
