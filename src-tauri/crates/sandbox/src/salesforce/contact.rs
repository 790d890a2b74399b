//! A contact of the org: its id, its dates and its event as Salesforce writes them.

use serde_json::{Value, json};
use signalbox_model::Timestamp;

use crate::records::{Fields, email_key};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub id: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone: String,
    pub company: String,
    /// 0 where the contact does not exist yet; each change adds one.
    pub version: u64,
    pub modified: Timestamp,
}

impl Contact {
    /// Someone of whom only the email is known.
    pub fn new(email: String, modified: Timestamp) -> Self {
        let text = String::new;
        let (id, first_name, last_name, phone, company) = (text(), text(), text(), text(), text());
        Self { id, email, first_name, last_name, phone, company, version: 0, modified }
    }

    /// The date as Salesforce writes it: with an offset instead of `Z`.
    pub fn modified_date(&self) -> String {
        self.modified.to_rfc3339().replace('Z', "+0000")
    }

    pub fn event(&self, id: &str) -> Value {
        let kind = if self.version == 1 { "contact.created" } else { "contact.changed" };
        json!({
            "type": kind, "id": id,
            "data": {
                "Id": self.id, "Email": self.email, "FirstName": self.first_name, "LastName": self.last_name,
                "Phone": self.phone, "Company": self.company, "Version__c": self.version,
                "LastModifiedDate": self.modified_date(),
            },
        })
    }

    /// The shape that HubSpot and the CRM hold when the case study has run.
    pub fn fields(&self) -> Fields {
        [
            ("email", email_key(&self.email)),
            ("firstname", self.first_name.clone()),
            ("lastname", self.last_name.clone()),
            ("phone", self.phone.clone()),
            ("company", self.company.clone()),
            ("version", self.version.to_string()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

/// The id of the contact with this number, in the form of 18 characters.
pub(crate) fn contact_id(number: usize) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = number;
    let mut tail = Vec::new();
    for _ in 0..5 {
        tail.push(DIGITS.get(rest % DIGITS.len()).map_or('0', |digit| char::from(*digit)));
        rest /= DIGITS.len();
    }
    let mut id: String = "0035g00000".chars().chain(tail.into_iter().rev()).collect();
    id.push_str(&check_letters(&id));
    id
}

/// Three letters that keep ids apart where case is lost: each says which of five characters are capitals
/// (Salesforce, "ID field type").
fn check_letters(id: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let capital = |bits: usize, (at, byte): (usize, &u8)| bits | (usize::from(byte.is_ascii_uppercase()) << at);
    let letter = |five: &[u8]| LETTERS.get(five.iter().enumerate().fold(0, capital)).map_or('A', |it| char::from(*it));
    id.as_bytes().chunks(5).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_the_check_letters_of_salesforce() {
        // Pairs as published in guides to the two forms.
        assert_eq!(check_letters("0010i0000046cD3"), "AAI");
        assert_eq!(check_letters("0019000000B98de"), "AAB");
        assert_eq!(contact_id(72), "0035g000000001AAAQ");
    }

    #[test]
    fn dates_are_written_as_salesforce_writes_them() {
        let contact = Contact::new("a@x.test".into(), Timestamp::from_secs(2_000));
        assert_eq!(contact.event("msg_1")["data"]["LastModifiedDate"], "1970-01-01T00:33:20.000+0000");
    }
}
