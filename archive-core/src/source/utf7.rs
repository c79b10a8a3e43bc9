//! Names of mailboxes in the modified UTF-7 of RFC 3501, 5.1.3, as IMAP servers name their files.

use std::borrow::Cow;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Characters that Courier also encodes in names of Maildir++, since file systems or the naming rule give them a
/// meaning.
pub(super) const COURIER: &str = "./:~";

/// The decoded name. It stays as it is if encoding the result would not give the same name, either by the rule or with
/// the characters of `also` encoded too. A name with controls stays encoded.
pub(super) fn decoded<'t>(text: &'t str, also: &str) -> Cow<'t, str> {
    let plain = if text.contains('&') { decode(text) } else { None };
    let plain = plain.filter(|plain| (encode(plain, "") == text || encode(plain, also) == text) && !plain.chars().any(char::is_control));
    plain.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (coded, after) = shifted.split_once('-')?;
        rest = after;
        if coded.is_empty() {
            out.push('&');
            continue;
        }
        let (mut bits, mut held, mut units) = (0u32, 0, Vec::new());
        for sign in coded.bytes() {
            let value = DIGITS.iter().position(|&digit| digit == sign)?;
            bits = (bits << 6 | value as u32) & 0x3F_FFFF;
            held += 6;
            if held >= 16 {
                held -= 16;
                units.push((bits >> held) as u16);
            }
        }
        out.push_str(&String::from_utf16(&units).ok()?);
    }
    out.push_str(rest);
    Some(out)
}

fn encode(text: &str, also: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut bits, mut held, mut is_shifted) = (0u32, 0, false);
    let digit = |value: u32| char::from(DIGITS.get(value as usize & 63).copied().unwrap_or(b'A'));
    for sign in text.chars() {
        if matches!(sign, ' '..='~') && !also.contains(sign) {
            if is_shifted {
                if held > 0 {
                    out.push(digit(bits << (6 - held)));
                }
                out.push('-');
                (bits, held, is_shifted) = (0, 0, false);
            }
            out.push(sign);
            if sign == '&' {
                out.push('-');
            }
            continue;
        }
        if !is_shifted {
            out.push('&');
            is_shifted = true;
        }
        for unit in sign.encode_utf16(&mut [0; 2]) {
            bits = (bits << 16 | u32::from(*unit)) & 0x3F_FFFF;
            held += 16;
            while held >= 6 {
                held -= 6;
                out.push(digit(bits >> held));
            }
        }
    }
    if is_shifted {
        if held > 0 {
            out.push(digit(bits << (6 - held)));
        }
        out.push('-');
    }
    out
}
