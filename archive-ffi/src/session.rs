//! Sessions: an archive on behalf of an actor.

use std::ffi::c_char;
use std::sync::Arc;

use archive_core::{Actor, Error, Session, User};

use crate::archive::{ArchiveObject, mk_archive};
use crate::argument::{optional_text, out};
use crate::error::{Fault, call, mk_error};
use crate::handle::{self, Kind, Object, number};
use crate::status::{MK_OK, mk_status};

/// An archive, used on behalf of an actor. Opaque.
pub struct mk_session(());

pub(crate) struct SessionObject(pub(crate) Session);

impl Object for SessionObject {
    type Handle = mk_session;
    const KIND: Kind = Kind::Session;
}

/// The session of a handle.
pub(crate) fn session(handle: *const mk_session) -> Result<Session, Fault> {
    Ok(handle::get::<SessionObject>(handle)?.0.clone())
}

/// The session of a handle, and the archive that it belongs to.
pub(crate) fn with_archive(handle: *const mk_session) -> Result<(Session, Option<u64>), Fault> {
    let (object, archive) = handle::get_with_parent::<SessionObject>(handle)?;
    Ok((object.0.clone(), archive))
}

/// Makes a session. `user` is NULL for the program itself, which sees and does everything; for a person it is JSON such as
/// `{"name":"anna","folders":[{"path":"anna","subfolders":true}]}`: the folders that they see.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_begin(
    new_session: *mut *mut mk_session,
    archive: *const mk_archive,
    user: *const c_char,
    user_length: usize,
    error: *mut mk_error,
) -> mk_status {
    call(error, || {
        // SAFETY: C passes a place for a pointer, and NULL or text of this length.
        let (place, user) = unsafe { (out(new_session)?, optional_text(user, user_length)?) };
        let actor = match user {
            None => Actor::System,
            Some(user) => Actor::User(serde_json::from_str::<User>(user).map_err(|error| Error::Misuse {
                what: format!("the user is not read: {error}"),
                expected: r#"give JSON such as {"name":"anna","folders":[{"path":"anna"}]}"#.to_owned(),
            })?),
        };
        let session = handle::get::<ArchiveObject>(archive)?.archive.session(actor);
        place.write(handle::put(Arc::new(SessionObject(session)), Some(number(archive)))?);
        Ok(MK_OK)
    })
}

/// Frees a session. Its searches and streams go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mk_session_free(session: *mut mk_session) -> mk_status {
    call(std::ptr::null(), || {
        drop(handle::take::<SessionObject>(session)?);
        Ok(MK_OK)
    })
}
