//! The API's token: made once per workspace, kept in `.signalbox/token`, readable by its owner only.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use signalbox_model::Random;

/// 256 bits in base64url.
const LENGTH: usize = 43;

pub fn load_or_make(private_dir: &Path, random: &dyn Random) -> anyhow::Result<String> {
    let path = private_dir.join("token");
    if let Ok(text) = fs::read_to_string(&path) {
        let token = text.trim();
        if token.len() == LENGTH && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Ok(token.to_owned());
        }
        tracing::warn!("the token file is damaged; a new token is made and open panels have to sign in again");
    }
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let written = options.open(&path).and_then(|mut file| file.write_all(token.as_bytes()));
    written.with_context(|| format!("the token cannot be written to {}", path.display()))?;
    Ok(token)
}
