//! The composition root: workspace → store → runtime → API, for the window, the server and the command line alike.

pub mod app;
pub mod cli;
#[cfg(feature = "desktop")]
pub mod desktop;
pub mod logging;
