//! The org's contacts and how they change: a seeded story without end.

use std::collections::VecDeque;

use serde_json::{Value, json};
use signalbox_model::Timestamp;

use crate::prng::Prng;
use crate::records::{self, Fields, email_key};
use crate::secrets::hex;

/// Contacts that the story is about.
pub(crate) const CAST: usize = 30;
/// A contact is picked among those that rested longest, so any twenty picks in a row are of twenty contacts.
const RESTED: usize = 10;
/// How often the contact that changed last changes once more at once, so that the order within a contact matters.
const AGAIN: f64 = 0.2;
/// Contacts in the org, with those that came over REST.
const MAX_CONTACTS: usize = 2_000;

const FIRST: [&str; CAST] = [
    "Ada", "Amir", "Anneke", "Bao", "Carla", "Chidi", "Dagny", "Elif", "Emeka", "Farida", "Goran", "Hana", "Ines",
    "Jonas", "Kaito", "Lena", "Mateo", "Mira", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Sven", "Tala", "Uma",
    "Viktor", "Wanda", "Ximena", "Yusuf",
];
const LAST: [&str; CAST] = [
    "Abadi",
    "Berger",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Gupta",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Quispe",
    "Rossi",
    "Sato",
    "Tanaka",
    "Urban",
    "Vargas",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zhang",
    "Ahlberg",
    "Brandt",
    "Costa",
    "Dimitrov",
];
const COMPANIES: [&str; 10] = [
    "Northwind",
    "Blue Harbor",
    "Copper Lane",
    "Eastfield",
    "Granite Works",
    "Lantern",
    "Meridian",
    "Orchard",
    "Pinecrest",
    "Silver Birch",
];

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

pub(crate) struct Org {
    contacts: Vec<Contact>,
    /// The cast, longest rested first.
    rested: VecDeque<usize>,
    /// The contact that changed last, where it may change once more.
    last: Option<usize>,
    prng: Prng,
    seed: u64,
    started: Timestamp,
    events: u64,
}

/// What Apex sends.
#[derive(Debug)]
pub(crate) struct Event {
    /// The `webhook-id`: stays the same over retries.
    pub id: String,
    pub body: String,
}

impl Contact {
    /// The date as Salesforce writes it: with an offset instead of `Z`.
    pub fn modified_date(&self) -> String {
        self.modified.to_rfc3339().replace('Z', "+0000")
    }

    fn event(&self, id: &str) -> Value {
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
    fn fields(&self) -> Fields {
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
fn contact_id(number: usize) -> String {
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

fn phone(prng: &mut Prng) -> String {
    // 555-01xx is set aside for fiction.
    format!("+1 {} 555 01{:02}", 200 + prng.below(700), prng.below(100))
}

fn shuffled(prng: &mut Prng, names: [&'static str; CAST]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    for at in (1..names.len()).rev() {
        names.swap(at, prng.below(at + 1));
    }
    names
}

impl Org {
    pub fn new(seed: u64, started: Timestamp) -> Self {
        let mut prng = Prng::new(seed, "salesforce contacts");
        let people = shuffled(&mut prng, FIRST).into_iter().zip(shuffled(&mut prng, LAST)).collect::<Vec<_>>();
        let contacts = people
            .into_iter()
            .enumerate()
            .map(|(number, (first, last))| {
                let company = prng.pick(&COMPANIES);
                Contact {
                    id: contact_id(238 + number),
                    email: format!("{first}.{last}@{}.test", company.replace(' ', "")),
                    first_name: first.into(),
                    last_name: last.into(),
                    phone: phone(&mut prng),
                    company: company.into(),
                    version: 0,
                    modified: started,
                }
            })
            .collect();
        Self { contacts, rested: (0..CAST).collect(), last: None, prng, seed, started, events: 0 }
    }

    /// The next change of a contact, as the event that Apex would send.
    pub fn next(&mut self, now: Timestamp) -> Option<Event> {
        let again = self.prng.unit() < AGAIN;
        let index = match self.last.take() {
            Some(last) if again => last,
            _ => {
                let index = self.rested.remove(self.prng.below(RESTED.min(self.rested.len())))?;
                self.rested.push_back(index);
                self.last = Some(index);
                index
            }
        };
        let contact = self.contacts.get_mut(index)?;
        if contact.version > 0 {
            contact.phone = phone(&mut self.prng);
            if self.prng.below(4) == 0 {
                contact.company = self.prng.pick(&COMPANIES).into();
            }
            if self.prng.below(12) == 0 {
                contact.last_name = self.prng.pick(&LAST).into();
            }
        }
        contact.version += 1;
        contact.modified = now;
        self.events += 1;
        // The start is part of the id: after a restart the story begins anew and must not look like repeats.
        let name = format!("{} {} {}", self.seed, self.started.as_micros(), self.events);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
        let id = format!("msg_{}", hex(digest.as_ref().get(..16).unwrap_or_default()));
        let body = contact.event(&id).to_string();
        Some(Event { id, body })
    }

    pub fn find(&self, id: &str) -> Option<&Contact> {
        // 15 characters name the same record as 18.
        let same = |contact: &&Contact| contact.version > 0 && (contact.id == id || contact.id.get(..15) == Some(id));
        self.contacts.iter().find(same)
    }

    pub fn find_by_email(&mut self, email: &str) -> Option<&mut Contact> {
        self.contacts.iter_mut().find(|contact| contact.version > 0 && contact.email.eq_ignore_ascii_case(email))
    }

    /// A contact that came over REST; None where the org is full.
    pub fn create(&mut self, contact: Contact) -> Option<String> {
        if self.contacts.len() >= MAX_CONTACTS {
            return None;
        }
        let id = contact_id(238 + self.contacts.len());
        self.contacts.push(Contact { id: id.clone(), ..contact });
        Some(id)
    }

    pub fn records(&self) -> (usize, String) {
        let there: Vec<(String, Fields)> = self
            .contacts
            .iter()
            .filter(|contact| contact.version > 0)
            .map(|contact| (email_key(&contact.email), contact.fields()))
            .collect();
        (there.len(), records::hash(there.iter().map(|(email, fields)| (email.as_str(), fields))))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn story(seed: u64, events: usize) -> Vec<Value> {
        let mut org = Org::new(seed, Timestamp::from_secs(1_000));
        let next = |_| serde_json::from_str(&org.next(Timestamp::from_secs(2_000)).unwrap().body).unwrap();
        (0..events).map(next).collect()
    }

    #[test]
    fn one_seed_tells_one_story() {
        assert_eq!(story(7, 200), story(7, 200));
        assert_ne!(story(7, 200), story(8, 200));
    }

    #[test]
    fn a_restart_with_the_same_seed_sends_no_repeats() {
        let first = Org::new(7, Timestamp::from_secs(1)).next(Timestamp::from_secs(3)).unwrap();
        let again = Org::new(7, Timestamp::from_secs(2)).next(Timestamp::from_secs(3)).unwrap();
        assert_ne!(first.id, again.id);
    }

    #[test]
    fn a_contact_is_created_once_and_its_versions_have_no_gaps() {
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        for event in story(7, 500) {
            let version = versions.entry(event["data"]["Id"].as_str().unwrap().to_owned()).or_default();
            *version += 1;
            assert_eq!(event["data"]["Version__c"], *version);
            let kind = if *version == 1 { "contact.created" } else { "contact.changed" };
            assert_eq!(event["type"], kind);
        }
        assert_eq!(versions.len(), CAST, "every contact has its part");
    }

    #[test]
    fn a_broken_system_gets_ten_different_contacts_within_ten_seconds() {
        // Two events per second; a dead letter takes 4.4 s at most, and all of it has to fit into 15 s.
        for seed in 0..50 {
            let events = story(seed, 200);
            for window in events.windows(20) {
                let contacts: BTreeSet<&str> = window.iter().filter_map(|event| event["data"]["Id"].as_str()).collect();
                assert!(contacts.len() >= 10, "seed {seed}: {} contacts", contacts.len());
            }
        }
    }

    #[test]
    fn emails_are_unique_whatever_the_seed() {
        for seed in 0..50 {
            let org = Org::new(seed, Timestamp::default());
            let emails: BTreeSet<String> = org.contacts.iter().map(|contact| email_key(&contact.email)).collect();
            assert_eq!(emails.len(), CAST, "seed {seed}");
            assert!(emails.iter().all(|email| records::is_email(email)), "{emails:?}");
        }
    }

    #[test]
    fn an_id_has_the_check_letters_of_salesforce() {
        // Pairs as published in guides to the two forms.
        assert_eq!(check_letters("0010i0000046cD3"), "AAI");
        assert_eq!(check_letters("0019000000B98de"), "AAB");
        assert_eq!(contact_id(72), "0035g000000001AAAQ");
    }

    #[test]
    fn dates_are_written_as_salesforce_writes_them() {
        let event = &story(7, 1)[0];
        assert_eq!(event["data"]["LastModifiedDate"], "1970-01-01T00:33:20.000+0000");
    }
}
