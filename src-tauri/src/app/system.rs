//! The real chance and the one crypto provider.

use aws_lc_rs::rand::{SecureRandom, SystemRandom as Source};
use signalbox_model::Random;

/// The operating system's generator.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // The generator cannot fail once seeded; without chance there would be no token and no id, so stop there.
        if Source::new().fill(bytes).is_err() {
            tracing::error!("the operating system gives no random numbers");
            std::process::abort();
        }
    }
}

/// rustls refuses to guess when a build contains two providers, so it is chosen here, before the first handshake.
pub fn install_crypto() {
    // `Err` means that it is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Every listener at its bounds, and what the rest of the program needs: the usual limit of 1,024 would be reached first.
const DESCRIPTORS: u64 = 16_384;

/// Takes as many as the system allows; with fewer, listeners refuse connections earlier.
pub fn raise_descriptors() {
    match rlimit::increase_nofile_limit(DESCRIPTORS) {
        Ok(limit) if limit < DESCRIPTORS => tracing::debug!(limit, "the system allows few open files"),
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, "the limit of open files stays as it was"),
    }
}
