//! The simulated systems over real connections.

mod client;
mod crm;
mod dials;
mod hubspot;
mod salesforce;
mod sender;
