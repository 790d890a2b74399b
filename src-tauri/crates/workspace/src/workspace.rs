//! The checked workspace: what the rest of the product works with. Everything in it is valid and compiled.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use signalbox_model::SecretName;
use signalbox_model::auth::Auth;
use signalbox_model::limits::{BreakerSettings, Concurrency, Limits, QuotaSettings};
use signalbox_model::retry::RetryPolicy;
use signalbox_model::verify::Verify;
use signalbox_transform::{Format, Program, Schema, Template};

use crate::batch::{Batch, Condition};
use crate::problem::Problem;

pub struct Workspace {
    /// Absolute, without symbolic links.
    pub dir: PathBuf,
    /// The folder's name.
    pub name: String,
    pub systems: BTreeMap<String, Arc<System>>,
    /// Those that can run. After a reload an integration whose file has become wrong is here in its last good version.
    pub integrations: BTreeMap<String, Arc<Integration>>,
    /// Integrations that cannot run, and why. None of them is in `integrations`.
    pub broken: BTreeMap<String, Vec<Problem>>,
    /// The webhook paths of those, as far as their files still say them.
    pub broken_paths: BTreeMap<String, String>,
    /// Everything that is wrong, warnings too, in the order of files and lines.
    pub problems: Vec<Problem>,
    /// `problems` by integration.
    pub(crate) said_of: BTreeMap<String, Vec<Problem>>,
}

impl Workspace {
    /// No system and no integration, not even a broken one.
    pub fn is_empty(&self) -> bool {
        self.systems.is_empty() && self.integrations.is_empty() && self.broken.is_empty() && self.problems.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// What is wrong in the files of one integration, warnings too, whether it runs or not.
    pub fn problems_of(&self, integration: &str) -> &[Problem] {
        self.said_of.get(integration).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is wrong in a system's file, warnings too. The system may be missing from `systems` for it.
    pub fn problems_of_system(&self, system: &str) -> impl Iterator<Item = &Problem> {
        let file = format!("systems/{system}.toml");
        self.problems.iter().filter(move |problem| problem.file == file)
    }

    /// Every secret that a system or an integration names.
    pub fn secrets(&self) -> Vec<SecretName> {
        let outgoing = self.systems.values().flat_map(|system| system.auth.secrets());
        let incoming = self.integrations.values().flat_map(|integration| match &integration.source {
            Source::Webhook(webhook) => webhook.verify.secrets.iter(),
        });
        let mut names: Vec<SecretName> = outgoing.chain(incoming).cloned().collect();
        names.sort();
        names.dedup();
        names
    }
}

/// An outside system: `systems/<name>.toml`.
#[derive(Clone, Debug)]
pub struct System {
    pub name: String,
    pub title: String,
    /// `http` or `https`, without user, query and fragment. A destination's path is appended to its path.
    pub base_url: url::Url,
    pub auth: Auth,
    /// One deadline for connect, send and the whole answer; 10 s unless set, 1 ms to 10 min.
    pub timeout: Duration,
    /// Loopback and private addresses may be reached, and by plain http.
    pub allow_private: bool,
    /// `None`: switched off.
    pub breaker: Option<BreakerSettings>,
    pub limits: Limits,
    /// `None`: the vendor's quota headers are not looked at.
    pub quota: Option<QuotaSettings>,
    /// Base URLs that are used, in this order, while the ones before them fail. The same rules as for `base_url`.
    pub failover: Vec<url::Url>,
    /// How long a failed base URL is left alone before one delivery tries it again; 1 min unless set, 1 s to 1 d.
    pub fail_back: Duration,
    /// Changes with every setting, and not with comments or white space.
    pub version: String,
}

/// One source → steps → destinations: `integrations/<name>.toml`.
pub struct Integration {
    pub name: String,
    pub title: String,
    pub source: Source,
    pub steps: Vec<Step>,
    pub destinations: Vec<Destination>,
    /// 12 hexadecimal digits over the settings and the files that they name. Comments and white space of the TOML
    /// file, and systems, do not change it.
    pub version: String,
    /// Path and text of every file that makes this version, its own first; kept so that an old trace can be recomputed.
    pub files: Vec<(String, String)>,
}

impl Integration {
    /// On the ingress listener.
    pub fn webhook_path(&self) -> &str {
        match &self.source {
            Source::Webhook(webhook) => &webhook.path,
        }
    }
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}

pub enum Source {
    Webhook(WebhookSource),
}

impl Source {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
        }
    }
}

pub struct WebhookSource {
    /// On the ingress listener, exactly as the request line says it.
    pub path: String,
    pub verify: Verify,
    pub format: Format,
    /// jq over `{ headers, query, body }` that makes an array; header names are lower case. Each element becomes an
    /// event of its own.
    pub split: Option<Program>,
    /// jq over the same, where `body` is the element of a split request.
    pub event_type: Option<Program>,
    /// jq over the same. Deliveries of one key keep their order.
    pub key: Option<Program>,
    pub dedupe: Dedupe,
    pub on_conflict: OnConflict,
    /// The full URL that the vendor calls; HubSpot and Twilio sign it.
    pub public_url: Option<String>,
    /// Who is told, when asking by `OPTIONS`, that it may send here; lower case. `*`: everyone.
    pub allowed_origins: Vec<String>,
    /// In bytes; 1 MiB unless set, 1 B to 64 MiB.
    pub max_body: u64,
}

pub struct Dedupe {
    pub id: DedupeId,
    /// How long an id is remembered; 7 d unless set, 1 s to 365 d.
    pub window: Duration,
}

/// What tells one event from another.
pub enum DedupeId {
    /// The header of the scheme itself: see [`signalbox_model::verify::Scheme::id_header`].
    Scheme,
    /// What the format itself names: source and id of a CloudEvent, the Id of a Salesforce notification.
    Format,
    /// jq over `{ headers, query, body }`.
    Expression(Program),
    /// Nothing: every request is a new event.
    None,
}

/// What to do with other bytes under an id that was seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Accept, deliver and flag it: vendors send the same id again with newer data.
    #[default]
    Deliver,
    /// Accept and flag it, and wait for a person.
    Hold,
}

pub enum Step {
    /// `file` is the schema's path in the workspace.
    Validate {
        schema: Schema,
        file: String,
    },
    /// What the program answers with `false` or `null` goes no further.
    Filter {
        jq: Program,
    },
    Map {
        jq: Program,
    },
}

impl Step {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Validate { .. } => "validate",
            Self::Filter { .. } => "filter",
            Self::Map { .. } => "map",
        }
    }
}

pub struct Destination {
    /// Unique in its integration.
    pub name: String,
    /// The name of a system of this workspace.
    pub system: String,
    pub method: String,
    /// Begins with `/`.
    pub path: Template,
    /// Names as written, no name twice.
    pub headers: Vec<(String, Template)>,
    /// jq over the value that the steps made; none: the value as it is.
    pub body: Option<Program>,
    /// Several deliveries in one request.
    pub batch: Option<Batch>,
    /// What a record must still be for the write to happen; never with `batch`.
    pub condition: Option<Condition>,
    /// jq over `{ status, headers, body }`; none: a 2xx confirms. Never with `batch`.
    pub confirm: Option<Program>,
    /// How a dry run reads the record that a request would change; none: it does not.
    pub read: Option<ReadRecord>,
    pub retry: RetryPolicy,
    pub on_dead: OnDead,
    /// Requests at one time; 8 unless set.
    pub concurrency: Concurrency,
    pub idempotency: Idempotency,
}

/// A GET for the record that a request would change.
pub struct ReadRecord {
    /// Rendered over the JSON body that would be sent; none: the path of the request itself (PUT and PATCH only).
    pub path: Option<Template>,
    /// jq over `{ status, headers, body }` that makes of the answer what can be compared with the body that would be sent;
    /// none: the answer's body.
    pub body: Option<Program>,
}

/// What a dead letter does to later deliveries of its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDead {
    /// They wait behind it.
    #[default]
    Park,
    /// They go on.
    Pass,
}

/// The header that lets the receiver recognise a repeated request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub header: String,
    /// As a structured-field string, in double quotes (draft-ietf-httpapi-idempotency-key-header-07 §2.1). Most
    /// vendors expect it without.
    pub quoted: bool,
}

impl Default for Idempotency {
    fn default() -> Self {
        Self { header: "Idempotency-Key".to_owned(), quoted: false }
    }
}
