//! From the engine's and the ledger's types to the API's.

pub(crate) mod batch;
pub(crate) mod delivery;
pub(crate) mod detail;
pub(crate) mod gate;
pub(crate) mod ledger;
pub(crate) mod problems;
pub(crate) mod replay;
pub(crate) mod split;
pub(crate) mod test_event;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How much of a body is shown with an attempt, bytes.
pub(crate) const BODY_SHOWN: usize = 64 << 10;

/// A body as JSON can carry it.
pub(crate) struct ShownBody {
    pub(crate) text: Option<String>,
    pub(crate) base64: Option<String>,
    pub(crate) truncated: bool,
}

/// At most `most` bytes: as text where they are UTF-8, else in base64.
pub(crate) fn body(bytes: &[u8], most: usize) -> ShownBody {
    let shown = bytes.get(..most).unwrap_or(bytes);
    let truncated = shown.len() < bytes.len();
    let text = match std::str::from_utf8(shown) {
        Ok(text) => Some(text),
        // The cut may have gone through a character.
        Err(error) if truncated && error.error_len().is_none() => {
            shown.get(..error.valid_up_to()).and_then(|whole| std::str::from_utf8(whole).ok())
        }
        Err(_) => None,
    };
    let base64 = text.is_none().then(|| STANDARD.encode(shown));
    ShownBody { text: text.map(str::to_owned), base64, truncated }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_through_a_character_is_still_text_and_nonsense_is_base64() {
        let cut = body("aé".as_bytes(), 2);
        assert_eq!((cut.text.as_deref(), cut.truncated), (Some("a"), true));
        let whole = body("aé".as_bytes(), 3);
        assert_eq!((whole.text.as_deref(), whole.truncated), (Some("aé"), false));
        let binary = body(b"\xff\x00", 10);
        assert_eq!((binary.text, binary.base64.as_deref()), (None, Some("/wA=")));
        assert_eq!(body(b"a\xc3", 10).text, None, "not cut by us");
    }
}
