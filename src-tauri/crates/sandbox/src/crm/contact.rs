//! The CRM's contact: a closed schema. A field that is not known, missing or of a wrong type is an error by name.

use serde_json::{Map, Value};

use crate::records::{Fields, MAX_FIELD, email_key, field_text, is_email};

pub(crate) struct Stored {
    pub fields: Fields,
    pub etag: String,
}

impl Stored {
    pub fn shown(&self, renamed: bool) -> Value {
        let field = |(name, value): (&String, &String)| {
            let name =
                SCHEMA.iter().find(|field| field.kept == name).map_or(name.as_str(), |field| field.name(renamed));
            let number = (name == "version").then(|| value.parse::<u64>().ok()).flatten();
            (name.to_owned(), number.map_or_else(|| Value::from(value.as_str()), Value::from))
        };
        Value::Object(self.fields.iter().map(field).collect())
    }
}

/// One thing that is wrong with one field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub field: String,
    pub detail: &'static str,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Text,
    Email,
    WholeNumber,
}

struct Field {
    kept: &'static str,
    kind: Kind,
    required: bool,
}

const fn field(kept: &'static str, kind: Kind, required: bool) -> Field {
    Field { kept, kind, required }
}

const SCHEMA: [Field; 6] = [
    field("email", Kind::Email, true),
    field("firstname", Kind::Text, true),
    field("lastname", Kind::Text, true),
    field("phone", Kind::Text, false),
    field("company", Kind::Text, false),
    field("version", Kind::WholeNumber, false),
];

impl Field {
    /// What callers have to call it: the dial renames `firstname`.
    fn name(&self, renamed: bool) -> &'static str {
        if renamed && self.kept == "firstname" { "first_name" } else { self.kept }
    }

    fn wrong(&self, value: &Value) -> Option<&'static str> {
        let text = || value.as_str();
        match self.kind {
            Kind::Text if text().is_none_or(|text| text.is_empty() || text.chars().count() > MAX_FIELD) => {
                Some("must be text of 1 to 1000 characters")
            }
            Kind::Email if !text().is_some_and(is_email) => Some("must be an email address"),
            Kind::WholeNumber if value.as_u64().is_none() => Some("must be a whole number from 0"),
            _ => None,
        }
    }
}

/// The contact in `body` under the names that are kept, or everything that is wrong with it.
pub(crate) fn checked(body: &[u8], email: &str, renamed: bool) -> Result<Fields, Vec<Wrong>> {
    let whole = |detail| vec![Wrong { field: "body".into(), detail }];
    let object: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| whole("must be one JSON object that is a contact"))?;
    let mut wrong: Vec<Wrong> = object
        .keys()
        .filter(|name| !SCHEMA.iter().any(|field| field.name(renamed) == name.as_str()))
        .map(|name| Wrong { field: name.chars().take(80).collect(), detail: "is not a field of a contact" })
        .collect();
    let mut fields = Fields::new();
    for field in &SCHEMA {
        let name = field.name(renamed);
        let Some(value) = object.get(name) else {
            if field.required {
                wrong.push(Wrong { field: name.into(), detail: "is missing" });
            }
            continue;
        };
        // Null says that an optional field is empty, as leaving it out does.
        if value.is_null() && !field.required {
            continue;
        }
        match (field.wrong(value), field_text(value)) {
            (None, Some(text)) => {
                let text = if field.kind == Kind::Email { email_key(&text) } else { text };
                if field.kind == Kind::Email && text != email {
                    wrong.push(Wrong { field: name.into(), detail: "is not the email in the path" });
                }
                fields.insert(field.kept.into(), text);
            }
            (detail, _) => wrong.push(Wrong { field: name.into(), detail: detail.unwrap_or("has a wrong type") }),
        }
    }
    if wrong.is_empty() { Ok(fields) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &str, renamed: bool) -> Vec<(String, &'static str)> {
        let wrong = checked(body.as_bytes(), "a@x.test", renamed).err().unwrap_or_default();
        wrong.into_iter().map(|wrong| (wrong.field, wrong.detail)).collect()
    }

    #[test]
    fn a_contact_that_fits_is_kept_by_field() {
        let body = br#"{"email":"A@x.test","firstname":"Ada","lastname":"B","version":7}"#;
        let fields = checked(body, "a@x.test", false).unwrap();
        assert_eq!(fields["email"], "a@x.test");
        assert_eq!(fields["version"], "7");
        let shown = Stored { fields, etag: String::new() }.shown(false);
        assert_eq!(shown, serde_json::json!({"email":"a@x.test","firstname":"Ada","lastname":"B","version":7}));
    }

    #[test]
    fn every_wrong_field_is_named() {
        assert_eq!(
            wrong(r#"{"email":"a@x.test","firstname":7,"nickname":"x"}"#, false),
            [
                ("nickname".to_owned(), "is not a field of a contact"),
                ("firstname".to_owned(), "must be text of 1 to 1000 characters"),
                ("lastname".to_owned(), "is missing"),
            ]
        );
        assert_eq!(wrong("[]", false), [("body".to_owned(), "must be one JSON object that is a contact")]);
        assert_eq!(wrong("{", false), wrong("[]", false));
        let other = r#"{"email":"b@x.test","firstname":"A","lastname":"B"}"#;
        assert_eq!(wrong(other, false), [("email".to_owned(), "is not the email in the path")]);
        let empty = r#"{"email":"a@x.test","firstname":"A","lastname":"B","phone":null}"#;
        assert_eq!(wrong(empty, false), [], "null is an empty field");
        let fraction = r#"{"email":"a@x.test","firstname":"A","lastname":"B","version":1.5}"#;
        assert_eq!(wrong(fraction, false), [("version".to_owned(), "must be a whole number from 0")]);
    }

    #[test]
    fn a_renamed_field_refuses_its_old_name_and_takes_the_new_one() {
        let old = r#"{"email":"a@x.test","firstname":"Ada","lastname":"B"}"#;
        assert_eq!(
            wrong(old, true),
            [("firstname".to_owned(), "is not a field of a contact"), ("first_name".to_owned(), "is missing")]
        );
        let new = old.replace("firstname", "first_name");
        assert_eq!(
            checked(new.as_bytes(), "a@x.test", true).unwrap(),
            checked(old.as_bytes(), "a@x.test", false).unwrap(),
            "the same content under either name"
        );
    }
}
