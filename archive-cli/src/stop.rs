//! Ctrl-C, SIGTERM and SIGHUP: once means "at the next safe point", twice "at once".

use std::io::Write;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use archive_core::Error;

use crate::failure::Failure;

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
static HAS_SAFE_POINTS: AtomicBool = AtomicBool::new(false);

fn flag() -> &'static Arc<AtomicBool> {
    STOP.get_or_init(Arc::default)
}

/// Listens from now on. A command that does not request the flag ends at the first signal: the archive is then as after
/// a crash, which is safe.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if flag().swap(true, Ordering::SeqCst) || !HAS_SAFE_POINTS.load(Ordering::SeqCst) {
            std::process::exit(130);
        }
        // A closed terminal is ignored.
        let _unread = writeln!(std::io::stderr(), "stopping; again to stop at once");
    })
    .map_err(|error| Error::NoThread(error.to_string()))?;
    // A file that reaches the size limit of the process is then an error, like a full disk.
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
    Ok(())
}

/// The flag that the first signal sets. From now on that signal does nothing else.
pub fn at_safe_points() -> Arc<AtomicBool> {
    HAS_SAFE_POINTS.store(true, Ordering::SeqCst);
    Arc::clone(flag())
}
