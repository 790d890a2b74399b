//! From the text of one file to the words of the workspace.

pub(crate) mod auth;
mod batch;
pub(crate) mod destination;
mod expression;
pub(crate) mod files;
mod gates;
pub(crate) mod hmac;
pub(crate) mod intake;
pub(crate) mod integration;
mod jwks;
mod jwt;
pub(crate) mod names;
pub(crate) mod position;
mod record;
pub(crate) mod report;
mod retry;
mod source;
mod step;
pub(crate) mod suggest;
pub(crate) mod system;
pub(crate) mod value;
mod verify;

use toml::de::DeTable;

use report::Report;

/// The parsed file, or none where its syntax is wrong; then every place where it is wrong is in the report.
pub(crate) fn parse<'a>(report: &Report<'a>) -> Option<DeTable<'a>> {
    let (table, errors) = DeTable::parse_recoverable(report.text);
    for error in &errors {
        let span = error.span().unwrap_or(report.text.len()..report.text.len());
        report.error(span, "toml-syntax", format!("this is not TOML: {}", error.message()));
    }
    errors.is_empty().then(|| table.into_inner())
}
