//! Attachments: archives a mail that has one, lists its parts, and streams the decoded attachment to a digest, in little memory whatever its size.
//!
//! `cargo run -p examples --example attachments -- FOLDER`

use std::error::Error;
use std::path::Path;

use archive_core::Actor;

const MAIL: &str = "From: ada@example.org\nSubject: Report\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
                    --b\nContent-Type: text/plain\n\nSee the attachment.\n\
                    --b\nContent-Type: text/csv; name=\"report.csv\"\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\n\
                    bW9udGgsc3VtCmphbnVhcnksNDIK\n--b--\n";

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: attachments FOLDER")?;
    let archive = examples::open_or_create(Path::new(&dir))?;
    let session = archive.session(Actor::System);
    let id = session.import_one(MAIL.as_bytes(), &"anna/inbox".parse()?)?.id();
    for part in session.parts(id)?.parts.iter().filter(|part| part.is_attachment) {
        let name = part.name.as_deref().unwrap_or("without a name");
        let mut bytes = 0;
        session.read_part(id, part.number, 0, &mut |piece| {
            bytes += piece.len();
            Ok(())
        })?;
        println!("part {}: {name}, {}, {bytes} bytes", part.number, part.media);
    }
    Ok(archive.close()?)
}
