//! The properties of a contact that the simulated account knows, and the dial that renames one of them.

use serde_json::{Value, json};

/// `version` is a custom property of the case study; the others are HubSpot's own.
const KNOWN: [&str; 9] =
    ["email", "firstname", "lastname", "phone", "company", "version", "jobtitle", "website", "lifecyclestage"];

const RENAMED: (&str, &str) = ("firstname", "first_name");

/// The name under which a property is kept, from the name that a caller uses.
pub(crate) fn kept(name: &str, renamed: bool) -> Option<&'static str> {
    match (renamed, name) {
        (true, "first_name") => Some(RENAMED.0),
        (true, "firstname") => None,
        _ => KNOWN.into_iter().find(|known| *known == name),
    }
}

/// The name that a caller sees.
pub(crate) fn shown(kept: &str, renamed: bool) -> &str {
    if renamed && kept == RENAMED.0 { RENAMED.1 } else { kept }
}

/// One entry of HubSpot's list of property errors.
pub(crate) fn problem(name: &str, error: &str, message: &str) -> Value {
    json!({ "isValid": false, "message": message, "error": error, "name": name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dial_renames_one_property_and_no_other() {
        assert_eq!(kept("firstname", false), Some("firstname"));
        assert_eq!(kept("first_name", false), None);
        assert_eq!(kept("firstname", true), None);
        assert_eq!(kept("first_name", true), Some("firstname"));
        assert_eq!(shown("firstname", true), "first_name");
        for name in KNOWN.into_iter().filter(|name| *name != "firstname") {
            assert_eq!((kept(name, true), shown(name, true)), (Some(name), name));
        }
    }
}
