//! A workspace: a folder of TOML files, schemas and `.jq` programs, read into a checked [`Workspace`].
//!
//! Every problem of every file is said at once, with its line and column ([`Problem`]). A broken file stops its own
//! integration only, and not even that one while it is running. The crate also holds what surrounds the files: secrets,
//! the watcher for edits, `init` with its examples, and the private folder `.signalbox/` with lock and runtime file.

mod batch;
mod edit;
mod folder;
mod init;
mod load;
mod lock;
mod private_dir;
mod problem;
mod read;
mod runtime_file;
pub mod secrets;
mod version;
mod watch;
pub mod workspace;

pub use batch::{Batch, BatchShape, Condition, MOST_HUBSPOT_RECORDS, MOST_RECORDS};
pub use edit::{ChangedFiles, IntegrationFiles, SaveError, Tried, integration_files, save_files, try_files};
pub use init::{ExampleFile, InitError, example_names, init, write_new_files};
pub use load::{integration_from_files, load, reload};
pub use lock::{Lock, LockError};
pub use private_dir::{PrivateDirError, make_private_dir, private_dir};
pub use problem::{LoadError, Problem, Severity};
pub use runtime_file::{RuntimeFile, RuntimeFileError};
pub use secrets::{EnvThenKeyring, Keyring, KeyringError, MapSecrets, SecretError, SecretPlace, Secrets};
pub use watch::{Watcher, watch};
pub use workspace::{
    Dedupe, DedupeId, Destination, Idempotency, Integration, OnConflict, OnDead, ReadRecord, Source, Step, System,
    WebhookSource, Workspace,
};
