//! The composition root: workspace → store → runtime → API, for the window, the server and the command line alike.

pub mod app;
pub mod cli;
#[cfg(feature = "desktop")]
pub mod desktop;
pub mod logging;

/// Faster than the C library's by a tenth of the CPU an event costs, and it gives back what is freed.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
