//! The filter language.

use signalbox_model::filter::Filter;

/// What is shown of a filter is a filter again, and the same one.
pub(crate) fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(filter) = Filter::parse(text) else { return };
    let shown = filter.to_string();
    let again = Filter::parse(&shown).unwrap_or_else(|error| panic!("{text:?} shows as {shown:?}: {error}"));
    assert_eq!(again, filter, "{text:?} shows as {shown:?}");
}
