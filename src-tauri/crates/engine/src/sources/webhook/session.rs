//! Salesforce puts a session's id into every outbound message: it is masked before anything of the message is kept.

use bytes::Bytes;

use signalbox_net::auth::MASK;

const NAME: &[u8] = b"SessionId";

/// The text of every element of that name, with any prefix, is replaced. Works on bytes, since a refused body may be
/// anything.
pub fn without_session(body: &Bytes) -> Bytes {
    let mut out = Vec::with_capacity(body.len());
    let mut rest: &[u8] = body;
    while let Some(at) = rest.windows(NAME.len()).position(|part| part == NAME) {
        let (before, after) = rest.split_at(at + NAME.len());
        out.extend_from_slice(before);
        rest = after;
        if !opens_tag(before) {
            continue;
        }
        // Up to the end of the start tag as it is; then the text, up to the next tag.
        let end = rest.iter().position(|byte| *byte == b'>').map_or(rest.len(), |end| end + 1);
        let (tag, text) = rest.split_at(end);
        out.extend_from_slice(tag);
        if tag.ends_with(b"/>") {
            rest = text;
            continue;
        }
        out.extend_from_slice(MASK.as_bytes());
        // Markup inside, such as CDATA, is hidden too.
        let close = text.windows(2).position(|part| part == b"</").unwrap_or(text.len());
        rest = text.get(close..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Bytes::from(out)
}

/// Whether what stands before ends in `<SessionId` or `<prefix:SessionId`.
fn opens_tag(before: &[u8]) -> bool {
    let named = before.len().saturating_sub(NAME.len());
    let ahead = before.get(..named).unwrap_or_default();
    let start = ahead.iter().rposition(|byte| *byte == b'<');
    start.is_some_and(|start| {
        let prefix = ahead.get(start + 1..).unwrap_or_default();
        !prefix.starts_with(b"/") && (prefix.is_empty() || prefix.ends_with(b":"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(body: &str) -> String {
        String::from_utf8(without_session(&Bytes::copy_from_slice(body.as_bytes())).to_vec()).unwrap()
    }

    #[test]
    fn the_session_is_masked_wherever_it_stands_and_the_rest_stays() {
        assert_eq!(
            masked("<a><SessionId>s3cret</SessionId><Id>1</Id></a>"),
            format!("<a><SessionId>{MASK}</SessionId><Id>1</Id></a>")
        );
        assert_eq!(masked("<x:SessionId a='1'>s3cret"), format!("<x:SessionId a='1'>{MASK}"));
        assert_eq!(masked("<SessionId><![CDATA[s3<cret]]></SessionId>"), format!("<SessionId>{MASK}</SessionId>"));
        for untouched in ["", "SessionId=1", "<SessionId/><b>1</b>", "<NoSessionId>1</NoSessionId>", "</SessionId>x"] {
            assert_eq!(masked(untouched), untouched);
        }
    }
}
