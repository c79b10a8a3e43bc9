//! Wall time, processor time and peak memory.

use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use serde_json::{Value, json};

use crate::Result;

/// A running measurement of this process, or of the processes it waits for.
pub struct Meter {
    who: UsageWho,
    start: Instant,
    before: Duration,
    faults: i64,
}

impl Meter {
    /// Measures this process, all threads.
    pub fn own() -> Result<Self> {
        Self::of(UsageWho::RUSAGE_SELF)
    }

    /// Measures the processes that this one starts and waits for.
    pub fn children() -> Result<Self> {
        Self::of(UsageWho::RUSAGE_CHILDREN)
    }

    fn of(who: UsageWho) -> Result<Self> {
        let usage = getrusage(who)?;
        Ok(Self { who, start: Instant::now(), before: processor(&usage), faults: faults(&usage) })
    }

    /// Seconds since the beginning, seconds of processor time and page faults in them, and the highest memory so far in bytes.
    pub fn read(&self) -> Result<Value> {
        let wall = self.start.elapsed();
        let usage = getrusage(self.who)?;
        let cpu = processor(&usage).saturating_sub(self.before);
        let faults = faults(&usage) - self.faults;
        Ok(json!({ "wall": wall.as_secs_f64(), "cpu": cpu.as_secs_f64(), "faults": faults, "peak": usage.max_rss() * 1024 }))
    }
}

fn faults(usage: &Usage) -> i64 {
    usage.minor_page_faults() + usage.major_page_faults()
}

fn processor(usage: &Usage) -> Duration {
    let of = |seconds: i64, micros: i64| Duration::new(seconds.unsigned_abs(), u32::try_from(micros * 1000).unwrap_or(0));
    let (user, system) = (usage.user_time(), usage.system_time());
    of(user.tv_sec(), user.tv_usec()) + of(system.tv_sec(), system.tv_usec())
}

/// Forgets the peak so far (proc(5), `clear_refs`).
pub fn forget_peak() -> Result<()> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

/// The most memory that this process had since then, in MiB.
pub fn peak_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    Ok(kib.ok_or("no VmHWM in /proc/self/status")? / 1024)
}

/// The median, the 95th percentile and the worst of `times`, in seconds.
#[must_use]
pub fn quantiles(mut times: Vec<Duration>) -> Value {
    times.sort_unstable();
    let at = |share: f64| {
        let at = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(at).map_or(0.0, Duration::as_secs_f64)
    };
    json!({ "n": times.len(), "p50": at(0.5), "p95": at(0.95), "worst": at(1.0) })
}
