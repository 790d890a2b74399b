//! The ids of Salesforce organizations, of 15 or 18 characters.

use std::fmt;

const KEY_PREFIX: &str = "00D";
const SHORT: usize = 15;
const LONG: usize = 18;
/// Each of the last three characters says which of five are upper case.
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 15 characters that count, whose case matters; the 18-character form adds three that make it safe where case gets
/// lost. Both name the same organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationId(String);

impl OrganizationId {
    /// `None`: it is not `00D` and 12 or 15 more letters and digits, or the last three of 18 do not fit the others.
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.starts_with(KEY_PREFIX) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let short = text.get(..SHORT).filter(|_| good && matches!(text.len(), SHORT | LONG))?;
        let suffix = text.get(SHORT..).unwrap_or_default();
        let right = suffix.is_empty() || suffix.eq_ignore_ascii_case(&Self::suffix_of(short));
        right.then(|| Self(short.to_owned()))
    }

    fn suffix_of(short: &str) -> String {
        let bits = |five: &[u8]| {
            let upper = five.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase());
            upper.fold(0_usize, |bits, (place, _)| bits | 1 << place)
        };
        short.as_bytes().chunks(5).filter_map(|five| DIGITS.get(bits(five))).map(|byte| char::from(*byte)).collect()
    }
}

/// The 18-character form.
impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, Self::suffix_of(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_organization_and_case_counts_in_the_short_one() {
        // Salesforce's own example of the two forms of one id.
        let long = OrganizationId::parse("00D58000000JMGaEAO").unwrap();
        assert_eq!(long, OrganizationId::parse("00D58000000JMGa").unwrap());
        assert_eq!(long.to_string(), "00D58000000JMGaEAO");
        assert_eq!(OrganizationId::parse("00D58000000JMGaeao").unwrap(), long);
        assert_ne!(OrganizationId::parse("00D58000000jMGa").unwrap(), long);
    }

    #[test]
    fn a_wrong_length_prefix_character_or_check_is_no_id() {
        for wrong in [
            "",
            "00D",
            "00D58000000JMG",
            "00D58000000JMGaEA",
            "00D58000000JMGaEAP",
            "00158000000JMGa",
            "00D58000000JM-a",
            "00D58000000JMGä",
        ] {
            assert_eq!(OrganizationId::parse(wrong), None, "{wrong:?}");
        }
    }
}
