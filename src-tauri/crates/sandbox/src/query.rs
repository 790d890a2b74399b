//! Query strings and form bodies.

use std::str::FromStr;

pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A number; `missing` where there is none, None where it is no number.
    pub fn number<N: FromStr>(&self, name: &str, missing: N) -> Option<N> {
        self.get(name).map_or(Some(missing), |text| text.parse().ok())
    }

    /// Comma-separated names.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        self.get(name).map(|text| text.split(',').map(|part| part.trim().to_owned()).collect())
    }
}
