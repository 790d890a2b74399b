//! The word that was probably meant.

/// The nearest of `known` within a third of its letters (at least one), by edit distance with transpositions.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Distances are quadratic in length; nobody mistypes a key of 64 letters.
    if word.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// What serde said about an unknown field: the field, and the ones there are.
///
/// serde has no type for it; its message is "unknown field `x`, expected one of `a`, `b`", after the path to the field
/// where the reader knows it.
pub(crate) fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = message.split_once("unknown field ")?.1.split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unknown_field_and_its_alternatives_are_read_from_serdes_message() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Two {
            #[serde(rename = "rate")]
            _rate: Option<u32>,
            #[serde(rename = "reason")]
            _reason: Option<u32>,
        }
        let error = serde_json::from_str::<Two>(r#"{"raet":1}"#).unwrap_err().to_string();
        let (field, known) = unknown_field(&error).unwrap();
        assert_eq!((field, known.as_slice()), ("raet", ["rate", "reason"].as_slice()));
        assert_eq!(nearest(field, known), Some("rate".to_owned()));
        assert_eq!(nearest("colour", ["rate", "reason"]), None);
        assert_eq!(unknown_field("raet: unknown field `raet`, there are no fields"), Some(("raet", vec![])));
        assert!(unknown_field("missing field `rate`").is_none());
    }
}
