//! Ctrl-C, SIGTERM and SIGHUP: once means "at the next safe point", twice "at once".

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use archive_core::{Error, Progress};

use crate::failure::Failure;

static PROGRESS: OnceLock<Progress> = OnceLock::new();
static HAS_SAFE_POINTS: AtomicBool = AtomicBool::new(false);

fn progress() -> &'static Progress {
    PROGRESS.get_or_init(Progress::new)
}

/// Listens from now on. A command that does not ask for [`at_safe_points`] ends at the first signal: the archive is then as after
/// a crash, which is safe.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if progress().is_cancelled() || !HAS_SAFE_POINTS.load(Ordering::SeqCst) {
            std::process::exit(130);
        }
        progress().cancel();
        // A closed terminal is ignored.
        let _unread = writeln!(std::io::stderr(), "stopping; again to stop at once");
    })
    .map_err(|error| Error::NoThread { source: std::io::Error::other(error).into() })?;
    // A file that reaches the size limit of the process is then an error, like a full disk.
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
    Ok(())
}

/// What the first signal cancels. From now on that signal does nothing else.
pub fn at_safe_points() -> Progress {
    HAS_SAFE_POINTS.store(true, Ordering::SeqCst);
    progress().clone()
}
