//! The composition root: workspace → store → runtime → API, for the window, the server and the command line alike.

pub mod app;
pub mod cli;
#[cfg(feature = "desktop")]
pub mod desktop;
pub mod logging;

/// An event costs a seventh less CPU than with the C library's, and what is freed goes back (docs/performance.md).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
