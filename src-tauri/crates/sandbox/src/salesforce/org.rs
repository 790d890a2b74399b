//! The org's contacts and how they change: a seeded story without end.

use std::collections::VecDeque;

use signalbox_model::Timestamp;

use super::contact::{Contact, contact_id};
use crate::prng::Prng;
use crate::records::{self, Fields, email_key};
use crate::secrets::hex;

/// Contacts that the story is about.
pub(crate) const CAST: usize = 30;
/// A contact is picked among those that rested longest, so any twenty picks in a row are of twenty contacts.
const RESTED: usize = 10;
/// How often the contact that changed last changes once more at once, so that the order within a contact matters.
const AGAIN: f64 = 0.2;
/// Ids count up from here.
const FIRST_NUMBER: usize = 238;
/// Contacts in the org, with those that came over REST.
const MAX_CONTACTS: usize = 2_000;
/// Changes over REST that wait to be told.
const MAX_OUTBOX: usize = 1_000;

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
    /// Changes that came over REST and are still to be told.
    outbox: VecDeque<Event>,
}

/// Why the org does not take a contact over REST.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Contacts,
    /// Nothing sends the events that are waiting: paused, or no ingress.
    Outbox,
}

/// What Apex sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The `webhook-id`: stays the same over retries.
    pub id: String,
    pub body: String,
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
                    id: contact_id(FIRST_NUMBER + number),
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
        Self {
            contacts,
            rested: (0..CAST).collect(),
            last: None,
            prng,
            seed,
            started,
            events: 0,
            outbox: VecDeque::new(),
        }
    }

    /// What is to be told next: what came over REST, else the next change of the story.
    pub fn next(&mut self, now: Timestamp) -> Option<Event> {
        if let Some(event) = self.outbox.pop_front() {
            return Some(event);
        }
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
        self.changed(index, now)
    }

    /// Counts a change of a contact and makes its event.
    fn changed(&mut self, index: usize, now: Timestamp) -> Option<Event> {
        let contact = self.contacts.get_mut(index)?;
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

    pub fn find_by_email(&self, email: &str) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.version > 0 && contact.email.eq_ignore_ascii_case(email))
    }

    /// Keeps a contact that came over REST under its email, and puts its event in line. Answers its id.
    pub fn save(&mut self, contact: Contact, now: Timestamp) -> Result<String, Full> {
        if self.outbox.len() >= MAX_OUTBOX {
            return Err(Full::Outbox);
        }
        // One of the cast that the story has not come to yet is the same person.
        let known = self.contacts.iter().position(|known| known.email.eq_ignore_ascii_case(&contact.email));
        let index = known.unwrap_or(self.contacts.len());
        let (id, version) = match self.contacts.get(index) {
            Some(known) => (known.id.clone(), known.version),
            None if index >= MAX_CONTACTS => return Err(Full::Contacts),
            None => (contact_id(FIRST_NUMBER + index), 0),
        };
        let contact = Contact { id: id.clone(), version, ..contact };
        match self.contacts.get_mut(index) {
            Some(known) => *known = contact,
            None => self.contacts.push(contact),
        }
        let event = self.changed(index, now);
        self.outbox.extend(event);
        Ok(id)
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

    use serde_json::Value;

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
    fn what_came_over_rest_is_told_first_and_bounded() {
        let now = Timestamp::from_secs(1);
        let mut org = Org::new(7, now);
        let someone = org.contacts[3].clone();
        assert_eq!(org.save(someone.clone(), now), Ok(someone.id.clone()), "one of the cast is the same person");
        let event: Value = serde_json::from_str(&org.next(now).unwrap().body).unwrap();
        assert_eq!((&event["type"], &event["data"]["Id"]), (&"contact.created".into(), &someone.id.into()));
        for number in 0..MAX_OUTBOX {
            let email = format!("{}@x.test", number % 7);
            org.save(Contact { email, ..org.contacts[0].clone() }, now).unwrap();
        }
        assert_eq!(org.save(org.contacts[0].clone(), now), Err(Full::Outbox));
        assert_eq!(org.contacts.len(), CAST + 7);
    }
}
