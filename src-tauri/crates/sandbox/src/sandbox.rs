//! The simulated systems together: started, addressed by name, shut down.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use signalbox_model::Clock;
use signalbox_net::Client;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::crm::Crm;
use crate::dials::Dials;
use crate::faults::{self, Faults, FaultsError, FaultsPatch};
use crate::front::{self, Excuse, Front};
use crate::hubspot::HubSpot;
use crate::port::Port;
use crate::received::{Arrivals, Received};
use crate::salesforce::{Salesforce, Sender, Sent};
use crate::secrets::Secrets;
use crate::workspace::{self, WorkspaceError};

const SALESFORCE: &str = "salesforce";
const HUBSPOT: &str = "hubspot";
const CRM: &str = "crm";
/// Where the case study's source listens on the ingress.
const HOOK: &str = "/hooks/salesforce";

#[derive(Clone, Debug, PartialEq)]
pub struct SandboxConfig {
    /// The same seed gives the same contacts, changes, faults and credentials.
    pub seed: u64,
    /// Events per second that the simulated Salesforce sends: 0.1 to 100.
    pub rate_per_second: f64,
    pub ports: Ports,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { seed: 7, rate_per_second: 2.0, ports: Ports::default() }
    }
}

/// The port of each system on 127.0.0.1; 0 takes any free one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    pub salesforce: u16,
    pub hubspot: u16,
    pub crm: u16,
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error(
        "the simulated system '{system}' cannot listen on 127.0.0.1:{port}: {source}; take another port, or 0 for any"
    )]
    Listen { system: &'static str, port: u16, source: io::Error },
    #[error("the sandbox's rate is wrong: {0}")]
    Rate(#[from] FaultsError),
    #[error("the sandbox needs a running tokio runtime to start")]
    NoRuntime,
}

/// Stops when it is dropped; [`Sandbox::shutdown`] also waits until everything has stopped.
pub struct Sandbox {
    systems: [System; 3],
    sender: Arc<Sender>,
    secrets: Secrets,
    stop: CancellationToken,
    tasks: TaskTracker,
}

struct System {
    name: &'static str,
    port: Arc<Port>,
    front: Arc<Front>,
    records: Box<dyn Fn() -> (usize, String) + Send + Sync>,
}

impl System {
    fn patch(&self, patch: &FaultsPatch) -> Result<Faults, FaultsError> {
        self.front.dials.patch(self.name, patch, |down| {
            if down {
                self.port.go_down();
                return Ok(());
            }
            let address = self.port.address();
            self.port.come_back().map_err(|error| FaultsError::Mend {
                system: self.name,
                address,
                cause: error.to_string(),
            })
        })
    }
}

impl Sandbox {
    /// Binds the three listeners and serves them. Nothing is sent before [`Sandbox::send_to`].
    ///
    /// `client` sends the events. It must know of no own listeners: the ingress is one of this program's own, and a
    /// client that guards against loops would refuse it.
    pub fn start(config: SandboxConfig, clock: Arc<dyn Clock>, client: Arc<Client>) -> Result<Self, SandboxError> {
        let runtime = Handle::try_current().map_err(|_| SandboxError::NoRuntime)?;
        let rate = faults::per_second(config.rate_per_second)?;
        let seed = config.seed;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        // All ports before the first task, so that a port that is taken leaves nothing running.
        let open = |system, port| {
            let opened = Port::open(port, runtime.clone());
            opened.map(Arc::new).map_err(|source| SandboxError::Listen { system, port, source })
        };
        let salesforce_port = open(SALESFORCE, config.ports.salesforce)?;
        let hubspot_port = open(HUBSPOT, config.ports.hubspot)?;
        let crm_port = open(CRM, config.ports.crm)?;

        let serve = |name: &'static str, port: Arc<Port>, dials, excuse: Option<Excuse>, router: Router, records| {
            let front = Arc::new(Front { clock: clock.clone(), dials, arrivals: Arrivals::default(), excuse });
            let router = router.layer(from_fn_with_state(front.clone(), front::pass));
            tasks.spawn(port.clone().serve(router, stop.clone(), tasks.clone()));
            System { name, port, front, records }
        };

        let dials = Arc::new(Dials::new(SALESFORCE, seed, Faults::sender(rate).with_batches()));
        let url = url_of(&salesforce_port);
        let org = Arc::new(Salesforce::new(seed, clock.clone(), dials.clone(), url));
        let told = org.clone();
        let records = Box::new(move || told.records());
        let salesforce = serve(SALESFORCE, salesforce_port, dials, None, org.router(), records);

        let dials = Arc::new(Dials::new(HUBSPOT, seed, Faults::receiver().with_batches()));
        let account = Arc::new(HubSpot::new(seed, clock.clone(), dials.clone()));
        let (told, excused) = (account.clone(), account.clone());
        let records = Box::new(move || told.records());
        let excuse: Excuse = Arc::new(move |fault| excused.excuse(fault));
        let hubspot = serve(HUBSPOT, hubspot_port, dials, Some(excuse), account.router(), records);

        let dials = Arc::new(Dials::new(CRM, seed, Faults::receiver()));
        let store = Arc::new(Crm::new(seed, dials.clone()));
        let told = store.clone();
        let records = Box::new(move || told.records());
        let crm = serve(CRM, crm_port, dials, Some(Arc::new(Crm::excuse)), store.router(), records);

        let sender = Arc::new(Sender::new(org, client));
        tasks.spawn(sender.clone().run(stop.clone()));
        Ok(Self { systems: [salesforce, hubspot, crm], sender, secrets: Secrets::new(seed), stop, tasks })
    }

    /// `http://127.0.0.1:port` by the system's name.
    pub fn urls(&self) -> BTreeMap<String, String> {
        self.systems.iter().map(|system| (system.name.to_owned(), url_of(&system.port))).collect()
    }

    /// The values of the secrets that the case study names, and those of the token routes.
    pub fn secrets(&self) -> BTreeMap<String, String> {
        self.secrets.all()
    }

    /// Fills `dir` with the case study where it has neither integrations nor systems, and points the systems that
    /// follow the sandbox at its ports. Other edits stay.
    pub fn write_workspace(&self, dir: &Path) -> Result<(), WorkspaceError> {
        workspace::write(dir, &self.urls())
    }

    /// Sends the org's changes to this ingress (`http://host:port`) from now on. May be called again after a move.
    pub fn send_to(&self, ingress_url: String) {
        self.sender.aim(format!("{}{HOOK}", ingress_url.trim_end_matches('/')));
    }

    /// What became of the events that the simulated Salesforce sent.
    pub fn sent(&self) -> Sent {
        self.sender.sent()
    }

    fn system(&self, name: &str) -> Option<&System> {
        self.systems.iter().find(|system| system.name == name)
    }

    /// Where the dials of a system stand; None where there is no such system.
    pub fn faults(&self, system: &str) -> Option<Faults> {
        self.system(system).map(|system| system.front.dials.faults())
    }

    /// Turns the dials that `patch` names, and answers where all of them stand then. All or nothing.
    pub fn set_faults(&self, system: &str, patch: FaultsPatch) -> Result<Faults, FaultsError> {
        let known = self.system(system).ok_or_else(|| FaultsError::UnknownSystem(system.chars().take(80).collect()))?;
        known.patch(&patch)
    }

    /// The newest `limit` requests that a system received, and what it holds; None where there is no such system.
    pub fn received(&self, system: &str, limit: usize) -> Option<Received> {
        let system = self.system(system)?;
        let (items, total) = system.front.arrivals.newest(limit);
        let (records, records_hash) = (system.records)();
        Some(Received { items, total, records, records_hash })
    }

    /// Closes the listeners and every connection, stops sending, and waits for all of it.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn url_of(port: &Port) -> String {
    format!("http://{}", port.address())
}
