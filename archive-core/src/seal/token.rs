//! Short texts that leave the archive and come back, such as cursors: sealed, so that they reveal nothing and cannot be
//! forged.

use super::derive::{NONCE_LEN, SecretKey};
use crate::error::Error;

/// `plain` as text that only `key` opens, with the same `context`.
pub(crate) fn seal_token(key: &SecretKey, use_of: &str, context: &[u8], plain: &[u8]) -> Result<String, Error> {
    let (cipher, _) = key.derive(&[], &[b"token ", use_of.as_bytes()])?;
    let mut bytes = plain.to_vec();
    let nonce = cipher.seal(&mut bytes, 0, context)?;
    Ok(nonce.iter().chain(&bytes).map(|byte| format!("{byte:02x}")).collect())
}

/// What [`seal_token`] sealed; `None` for anything else.
pub(crate) fn open_token(key: &SecretKey, use_of: &str, context: &[u8], token: &str) -> Result<Option<Vec<u8>>, Error> {
    let digits = token.as_bytes().chunks_exact(2);
    if !digits.remainder().is_empty() {
        return Ok(None);
    }
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let Some(bytes) = digits.map(byte).collect::<Option<Vec<u8>>>() else { return Ok(None) };
    let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE_LEN>() else { return Ok(None) };
    let (cipher, _) = key.derive(&[], &[b"token ", use_of.as_bytes()])?;
    let mut plain = sealed.to_vec();
    Ok(cipher.open(nonce, &mut plain, context).is_ok().then_some(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_with_its_context_alone() {
        let key = SecretKey::new([7; 32]);
        let token = seal_token(&key, "cursor", b"query", b"place").unwrap();
        let open = |key: &SecretKey, context: &[u8], token: &str| open_token(key, "cursor", context, token).unwrap();
        assert_eq!(open(&key, b"query", &token), Some(b"place".to_vec()));
        assert_eq!(open(&key, b"other", &token), None);
        assert_eq!(open(&SecretKey::new([8; 32]), b"query", &token), None);
        for broken in ["", "0", "zz", &token[2..], &format!("{token}00")] {
            assert_eq!(open(&key, b"query", broken), None, "{broken}");
        }
    }
}
