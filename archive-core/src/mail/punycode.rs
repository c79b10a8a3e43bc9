//! Punycode (RFC 3492), for labels of internationalised domains.
//!
//! Takes quadratic time, so callers bound the length.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE_POINT: u32 = 0x80;

/// The text that `input` (without `xn--`, lower case) stands for; none where it is no Punycode (RFC 3492 section 6.2).
pub(super) fn decode(input: &str) -> Option<String> {
    let (basic, extended) = match input.rsplit_once('-') {
        Some(("", _)) | None => ("", input),
        Some(split) => split,
    };
    if !basic.is_ascii() {
        return None;
    }
    let mut out: Vec<char> = basic.chars().collect();
    let mut digits = extended.bytes();
    let (mut code_point, mut index, mut bias) = (FIRST_CODE_POINT, 0u32, FIRST_BIAS);
    while digits.len() > 0 {
        let before = index;
        let mut weight = 1u32;
        for k in 1.. {
            let digit = digit_value(digits.next()?)?;
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = threshold(k, bias);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        let length = u32::try_from(out.len()).ok()?.checked_add(1)?;
        bias = adapt(index - before, length, before == 0);
        code_point = code_point.checked_add(index / length)?;
        index %= length;
        out.insert(usize::try_from(index).ok()?, char::from_u32(code_point)?);
        index += 1;
    }
    Some(out.into_iter().collect())
}

/// `input` as Punycode (RFC 3492 section 6.3); none where numbers overflow.
pub(super) fn encode(input: &str) -> Option<String> {
    let mut out: String = input.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let total = u32::try_from(input.chars().count()).ok()?;
    let (mut code_point, mut delta, mut bias, mut handled) = (FIRST_CODE_POINT, 0u32, FIRST_BIAS, basic);
    while handled < total {
        let next = input.chars().map(u32::from).filter(|c| *c >= code_point).min()?;
        delta = delta.checked_add((next - code_point).checked_mul(handled.checked_add(1)?)?)?;
        code_point = next;
        for c in input.chars().map(u32::from) {
            if c < code_point {
                delta = delta.checked_add(1)?;
            }
            if c == code_point {
                push_delta(delta, bias, &mut out);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code_point += 1;
    }
    Some(out)
}

fn push_delta(delta: u32, bias: u32, out: &mut String) {
    let mut left = delta;
    for k in 1.. {
        let threshold = threshold(k, bias);
        if left < threshold {
            break;
        }
        out.push(digit(threshold + (left - threshold) % (BASE - threshold)));
        left = (left - threshold) / (BASE - threshold);
    }
    out.push(digit(left));
}

/// The threshold of the `k`th digit, counted from 1.
fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_mul(BASE).saturating_sub(bias).clamp(T_MIN, T_MAX)
}

fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

fn digit_value(byte: u8) -> Option<u32> {
    match byte {
        b'a'..=b'z' => Some(u32::from(byte - b'a')),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 26),
        _ => None,
    }
}

fn digit(value: u32) -> char {
    let byte = u8::try_from(value).unwrap_or(0);
    char::from(if byte < 26 { b'a' + byte } else { b'0' + (byte - 26).min(9) })
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn samples_of_rfc_3492_section_7_1() {
        for (text, encoded) in [
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
            ("ひとつ屋根の下2", "2-u9tlzr9756bt3uc0v"),
            ("bücher", "bcher-kva"),
            ("", ""),
        ] {
            assert_eq!(encode(text).as_deref(), Some(encoded));
            assert_eq!(decode(encoded).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_punycode_is_refused() {
        for wrong in ["kva!", "99999999", "ü-a", "-kva"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_encoded_is_decoded(text in "\\PC{0,63}") {
            let text = text.to_lowercase();
            proptest::prop_assert_eq!(decode(&encode(&text).unwrap()), Some(text));
        }

        #[test]
        fn nothing_panics(text in ".{0,63}") {
            let _ = decode(&text);
        }
    }
}
