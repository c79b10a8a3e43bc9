//! Zones by name; docs/TEXT.md, T11.7. Names with several meanings are left out, except those of RFC 5322.

/// Minutes east of UTC.
type Minutes = i16;

/// One word.
const WORDS: [(&str, Minutes); 57] = [
    ("ut", 0),
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    // RFC 5322, section 4.3.
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    // America.
    ("nst", -210),
    ("ndt", -150),
    ("akst", -540),
    ("akdt", -480),
    ("hst", -600),
    ("brt", -180),
    ("brst", -120),
    // Europe and Africa.
    ("wet", 0),
    ("wez", 0),
    ("west", 60),
    ("wesz", 60),
    ("bst", 60),
    ("cet", 60),
    ("met", 60),
    ("mez", 60),
    ("cest", 120),
    ("mest", 120),
    ("mesz", 120),
    ("cetdst", 120),
    ("metdst", 120),
    ("eet", 120),
    ("oez", 120),
    ("eest", 180),
    ("oesz", 180),
    ("eetdst", 180),
    ("sast", 120),
    ("msk", 180),
    ("msd", 240),
    // Asia and Australia.
    ("idt", 180),
    ("pkt", 300),
    ("npt", 345),
    ("wib", 420),
    ("wita", 480),
    ("wit", 540),
    ("hkt", 480),
    ("sgt", 480),
    ("awst", 480),
    ("jst", 540),
    ("kst", 540),
    ("acst", 570),
    ("acdt", 630),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
];

/// Names before `standard time`; `daylight time` and `summer time` add an hour.
const REGIONS: [(&str, Minutes); 63] = [
    ("hawaiian", -600),
    ("hawaii aleutian", -600),
    ("alaskan", -540),
    ("alaska", -540),
    ("pacific", -480),
    ("mountain", -420),
    ("us mountain", -420),
    ("central", -360),
    ("central america", -360),
    ("canada central", -360),
    ("mexico", -360),
    ("eastern", -300),
    ("us eastern", -300),
    ("sa pacific", -300),
    ("atlantic", -240),
    ("sa western", -240),
    ("newfoundland", -210),
    ("e south america", -180),
    ("sa eastern", -180),
    ("argentina", -180),
    ("mid atlantic", -120),
    ("azores", -60),
    ("cape verde", -60),
    ("gmt", 0),
    ("greenwich", 0),
    ("british", 0),
    ("western european", 0),
    ("w europe", 60),
    ("west europe", 60),
    ("central europe", 60),
    ("central european", 60),
    ("romance", 60),
    ("w central africa", 60),
    ("e europe", 120),
    ("eastern european", 120),
    ("fle", 120),
    ("gtb", 120),
    ("egypt", 120),
    ("south africa", 120),
    ("israel", 120),
    ("jerusalem", 120),
    ("russian", 180),
    ("moscow", 180),
    ("arab", 180),
    ("arabic", 180),
    ("e africa", 180),
    ("iran", 210),
    ("arabian", 240),
    ("pakistan", 300),
    ("india", 330),
    ("nepal", 345),
    ("se asia", 420),
    ("china", 480),
    ("singapore", 480),
    ("taipei", 480),
    ("w australia", 480),
    ("tokyo", 540),
    ("japan", 540),
    ("korea", 540),
    ("cen australia", 570),
    ("e australia", 600),
    ("aus eastern", 600),
    ("new zealand", 720),
];

/// Whole names of several words.
const PHRASES: [(&str, Minutes); 10] = [
    ("greenwich mean time", 0),
    ("coordinated universal time", 0),
    ("central european time", 60),
    ("mitteleuropaische zeit", 60),
    ("mitteleuropaische normalzeit", 60),
    ("mitteleuropaische sommerzeit", 120),
    ("met dst", 120),
    ("cet dst", 120),
    ("eet dst", 180),
    ("wet dst", 60),
];

/// Words of the longest name.
pub(super) const MOST_WORDS: usize = 5;

/// Seconds east of UTC of a zone of one word, in any ASCII case.
pub(crate) fn of_word(name: &str) -> Option<i64> {
    WORDS.iter().find(|(word, _)| name.eq_ignore_ascii_case(word)).map(|(_, minutes)| seconds(*minutes))
}

/// Seconds east of UTC of a zone of several words, in lower case, with one blank between them.
pub(super) fn of_phrase(name: &str) -> Option<i64> {
    let of = |names: &[(&str, Minutes)], name: &str| names.iter().find(|(known, _)| *known == name).map(|(_, minutes)| *minutes);
    let saving = |kind| name.strip_suffix(kind).and_then(|region| of(&REGIONS, region));
    let standard = || saving(" standard time");
    let summer = || saving(" daylight time").or_else(|| saving(" summer time")).map(|minutes| minutes + 60);
    of(&PHRASES, name).or_else(standard).or_else(summer).map(seconds)
}

fn seconds(minutes: Minutes) -> i64 {
    i64::from(minutes) * 60
}
