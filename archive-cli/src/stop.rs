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

/// Listens from now on. A command that asks for no flag ends at the first signal: an archive is then as after a crash, which is safe.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if flag().swap(true, Ordering::SeqCst) || !HAS_SAFE_POINTS.load(Ordering::SeqCst) {
            std::process::exit(130);
        }
        // A terminal that went away does not want to know.
        let _unread = writeln!(std::io::stderr(), "stopping; again to stop at once");
    })
    .map_err(|error| Error::NoThread(error.to_string()))?;
    // A file as large as the process may make is then an error, as a full disk is.
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
    Ok(())
}

/// The flag that the first signal sets. From now on that signal does no more than this.
pub fn at_safe_points() -> Arc<AtomicBool> {
    HAS_SAFE_POINTS.store(true, Ordering::SeqCst);
    Arc::clone(flag())
}
