//! What the process itself uses.

use std::time::Duration;

use parking_lot::Mutex;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessFigures {
    /// Of one core, since the last measurement; 200 is two cores busy.
    pub cpu_percent: f64,
    pub rss_bytes: u64,
    pub uptime: Duration,
}

#[derive(Default)]
pub(super) struct ProcessMeter {
    state: Mutex<Meter>,
}

#[derive(Default)]
struct Meter {
    system: Option<System>,
    cpu_percent: f64,
    rss_bytes: u64,
}

impl ProcessMeter {
    pub fn measure(&self) {
        let pid = Pid::from_u32(std::process::id());
        let mut state = self.state.lock();
        if state.system.is_none() {
            // Where the platform does not tell, the figures stay at zero.
            state.system = System::new().ok();
        }
        let Some(system) = state.system.as_mut() else { return };
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, kind);
        if let Some((cpu, memory)) = system.process(pid).map(|process| (process.cpu_usage(), process.memory())) {
            state.cpu_percent = f64::from(cpu);
            state.rss_bytes = memory;
        }
    }

    pub fn figures(&self, uptime: Duration) -> ProcessFigures {
        let state = self.state.lock();
        ProcessFigures { cpu_percent: state.cpu_percent, rss_bytes: state.rss_bytes, uptime }
    }
}
