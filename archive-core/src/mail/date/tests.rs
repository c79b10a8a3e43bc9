//! Dates as they are found in mails, and texts that are not dates.

use proptest::prelude::*;

use super::*;

fn is(text: &str, utc: &str) {
    let expected: jiff::Timestamp = utc.parse().unwrap();
    let found = date(text).map(|seconds| jiff::Timestamp::from_second(seconds).unwrap());
    assert_eq!(found, Some(expected), "{text}");
}

/// In UTC, at this time of 28 October 2004.
fn at(text: &str, time: &str) {
    is(text, &format!("2004-10-28T{time}Z"));
}

#[test]
fn t11_6_dates_of_rfc_5322() {
    is("Mon, 2 Dec 2002 11:48:05 +0100", "2002-12-02T10:48:05Z");
    is("2 Dec 2002 11:48 -0000", "2002-12-02T11:48:00Z");
    is("Mon, 2 Dec 2002 11:48:05 -0830", "2002-12-02T20:18:05Z");
    is("Sat, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59Z");
}

#[test]
fn t11_6_obsolete_forms() {
    is("2 Dec 02 11:48:05 EST", "2002-12-02T16:48:05Z");
    is("2 Dec 50 11:48:05 cst", "1950-12-02T17:48:05Z");
    is("2 Dec 102 11:48:05 z", "2002-12-02T11:48:05Z");
    is("Mon (a \\) (b)) , 2 (x) Dec(y)2002 11 : 48 (z) : 05 (PST) pDT (rest", "2002-12-02T18:48:05Z");
    is("2 Dec 2002 11:48:05 K", "2002-12-02T11:48:05Z");
}

#[test]
fn t11_6_what_is_often_written_instead() {
    is("Thursday, 12 June 2025 10:00:00 GMT+0200", "2025-06-12T08:00:00Z");
    is("12-Jun-2025 10.00.00.123 +02:00", "2025-06-12T08:00:00Z");
    is("2 Dec 2002 11:48:05", "2002-12-02T11:48:05Z");
    is("Mon Dec  2 11:48:05 2002", "2002-12-02T11:48:05Z");
    is("December 2, 11:48:05 EST 2002", "2002-12-02T16:48:05Z");
    is("Mon Dec 2 11:48:05 2002 -0100", "2002-12-02T12:48:05Z");
    is("Mon Dec 2 11:48:05 -0100 2002", "2002-12-02T12:48:05Z");
    at("Thu, 28 Oct 2004 17:00:38 +0200\tX", "15:00:38");
    at("Thu, 28 Oct 2004 17:00:38 +0200 +0200", "15:00:38");
}

#[test]
fn t11_7_halves_of_the_day() {
    is("15 Dec 00 11:13:27 PM", "2000-12-15T23:13:27Z");
    at("Thu, 28 Oct 2004 05:00:38 PM +0200", "15:00:38");
    at("Thu, 28 Oct 2004 5:00 p.m. EDT", "21:00:00");
    at("Thu, 28 Oct 2004 12:00:00am", "00:00:00");
    at("Thu, 28 Oct 2004 12:30 P. M.", "12:30:00");
    at("Thu, 28 Oct 2004 05:00:38 +0000 PM", "17:00:38");
    at("Thu, 28 Oct 2004 17:00:38 +0200 PM", "15:00:38");
    at("Thu Oct 28 05:00:38 PM EDT 2004", "21:00:38");
    at("28 Oct 2004 00:30 PM", "00:30:00");
}

#[test]
fn t11_6_year_first() {
    at("2004-10-28 17:00:38", "17:00:38");
    at("2004-10-28T17:00:38+02:00", "15:00:38");
    at("2004-10-28T17:00:38.123Z", "17:00:38");
    at("2004-10-28T17:00:38,5-04", "21:00:38");
    at("2004/10/28 17:00:38 JST", "08:00:38");
    at("20041028T170038Z", "17:00:38");
    at("20041028 17:00:38", "17:00:38");
    at("2004. október 28. 17:00", "17:00:00");
    at("Thu, 2004 Oct 28 17:00", "17:00:00");
    at("2004-10-28", "00:00:00");
    at("2004/10/28 Thu 17:00:38 GMT", "17:00:38");
}

#[test]
fn t11_6_month_first() {
    at("Thursday, October 28, 2004 5:00 PM", "17:00:00");
    is("Sept 28 2004 17:00:38", "2004-09-28T17:00:38Z");
    at("Oct. 28th, 2004 at 17:00:38 GMT", "17:00:38");
    at("Oct 28 2004", "00:00:00");
}

#[test]
fn t11_6_numbers_are_read_where_they_can_be_meant_in_one_way_alone() {
    at("28/10/2004 17:00", "17:00:00");
    at("10/28/2004 5:00 PM", "17:00:00");
    at("28-10-2004 17:00:38", "17:00:38");
    at("Thu, 28.10.2004 17:00 MESZ", "15:00:00");
    at("28. 10. 2004", "00:00:00");
    is("03.04.04 17:00", "2004-04-03T17:00:00Z");
    at("10/28/04 5:00 PM", "17:00:00");
    is("28/10/99 17:00", "1999-10-28T17:00:00Z");
    is("4/4/2004 17:00", "2004-04-04T17:00:00Z");
    for text in ["3/4/2004 17:00", "28/10/04 17:00", "4/4/04", "28/10/104", "13/13/2004", "28/10-2004", "04-10-28 17:00"] {
        assert_eq!(date(text), None, "{text}");
    }
}

#[test]
fn t11_4_languages() {
    for text in [
        "Do, 28 Okt 2004 17:00:38 +0200",
        "Donnerstag, 28. Oktober 2004 17:00:38 MESZ",
        "Donnerstag, den 28. Oktober 2004 um 17:00:38 Uhr MESZ",
        "jeu., 28 oct. 2004 17:00:38 +0200",
        "jeudi 28 octobre 2004 à 17h00:38 CEST",
        "jue, 28 de octubre de 2004 17:00:38 +0200",
        "gio, 28 ott 2004 17:00:38 +0200",
        "giovedì 28 ottobre 2004 alle ore 17:00:38 +0200",
        "Qui, 28 Out 2004 17:00:38 +0200",
        "quinta-feira, 28 de outubro de 2004 17:00:38 +0200",
        "do 28 okt 2004 17:00:38 +0200",
        "Czw, 28 Paź 2004 17:00:38 +0200",
        "czwartek, 28 października 2004 17:00:38 +0200",
        "Čt, 28 říj 2004 17:00:38 +0200",
        "28. října 2004 17:00:38 +0200",
        "tor, 28 okt 2004 kl. 17.00.38 +0200",
        "torsdag den 28. oktober 2004 17:00:38 +0200",
        "to 28. lokakuuta 2004 klo 17.00.38 +0200",
        "Чт, 28 окт 2004 18:00:38 +0300",
        "28 октября 2004 г. 17:00:38 +0200",
        "Πεμ, 28 Οκτ 2004 17:00:38 +0200",
        "28 Eki 2004 17:00:38 +0200",
        "mar. 28 oct. 2004 17:00:38 +0200",
    ] {
        at(text, "15:00:38");
    }
    for (name, month) in [
        ("Jänner", 1),
        ("janvier", 1),
        ("Enero", 1),
        ("gennaio", 1),
        ("styczeń", 1),
        ("ledna", 1),
        ("tammikuuta", 1),
        ("января", 1),
        ("févr.", 2),
        ("Feber", 2),
        ("fev", 2),
        ("luty", 2),
        ("února", 2),
        ("helmikuu", 2),
        ("MÄR", 3),
        ("März", 3),
        ("Mrz", 3),
        ("mars", 3),
        ("mrt", 3),
        ("maart", 3),
        ("marzo", 3),
        ("března", 3),
        ("maaliskuu", 3),
        ("avr", 4),
        ("abr", 4),
        ("kwietnia", 4),
        ("dubna", 4),
        ("Mai", 5),
        ("mei", 5),
        ("maggio", 5),
        ("maj", 5),
        ("květen", 5),
        ("juin", 6),
        ("giu", 6),
        ("czerwca", 6),
        ("června", 6),
        ("juil.", 7),
        ("července", 7),
        ("lug", 7),
        ("lip", 7),
        ("août", 8),
        ("ago", 8),
        ("sierpnia", 8),
        ("srp", 8),
        ("set", 9),
        ("września", 9),
        ("září", 9),
        ("szept.", 9),
        ("out", 10),
        ("lis", 11),
        ("marraskuu", 11),
        ("listopadu", 11),
        ("Dez", 12),
        ("dic", 12),
        ("des", 12),
        ("grudnia", 12),
        ("prosince", 12),
        ("déc", 12),
        ("joulukuuta", 12),
    ] {
        is(&format!("28 {name} 2004 17:00:38"), &format!("2004-{month:02}-28T17:00:38Z"));
    }
}

#[test]
fn t11_8_zones() {
    for (zone, time) in [
        ("MEZ", "16:00:38"),
        ("MESZ", "15:00:38"),
        ("CET", "16:00:38"),
        ("CEST", "15:00:38"),
        ("MET DST", "15:00:38"),
        ("bst", "16:00:38"),
        ("JST", "08:00:38"),
        ("WET", "17:00:38"),
        ("WEST", "16:00:38"),
        ("EET", "15:00:38"),
        ("EEST", "14:00:38"),
        ("MSK", "14:00:38"),
        ("\"W. Europe Daylight Time\"", "15:00:38"),
        ("W. Europe Standard Time", "16:00:38"),
        ("Mitteleuropäische Sommerzeit", "15:00:38"),
        ("Eastern Daylight Time", "21:00:38"),
        ("Central European Summer Time", "15:00:38"),
        ("GMT Daylight Time", "16:00:38"),
        ("GMT Standard Time", "17:00:38"),
        ("British Summer Time", "16:00:38"),
        ("Mid-Atlantic Standard Time", "19:00:38"),
        ("+02", "15:00:38"),
        ("+2:00", "15:00:38"),
        ("+2", "15:00:38"),
        ("+200", "15:00:38"),
        ("GMT +2", "15:00:38"),
        ("UT+0200", "15:00:38"),
        ("--0400", "21:00:38"),
        ("\u{2212}0400", "21:00:38"),
        ("XYZ +0200", "15:00:38"),
        ("EST-0500", "22:00:38"),
        ("+2359", "-"),
        ("+9999", "17:00:38"),
        ("+2460", "17:00:38"),
        ("+0260", "17:00:38"),
        ("-24:00", "17:00:38"),
        ("+02000", "17:00:38"),
        ("UTC", "17:00:38"),
        ("Nowhere", "17:00:38"),
        ("", "17:00:38"),
        ("(MESZ)", "17:00:38"),
        ("- 0400", "17:00:38"),
    ] {
        match time {
            "-" => is(&format!("28 Oct 2004 17:00:38 {zone}"), "2004-10-27T17:01:38Z"),
            time => at(&format!("28 Oct 2004 17:00:38 {zone}"), time),
        }
    }
}

#[test]
fn t11_2_marks_comments_and_quotes_are_no_part_of_a_date() {
    at("28 (a (b) \\) Mar 2003) O\u{301}CT (x)2004 17:00:38 (MESZ) +0200", "15:00:38");
    at("\"28 Oct 2004\" '17:00:38' \u{2212}0100", "18:00:38");
    at("\u{ff12}\u{ff18} Oct 2004 17:00:38", "17:00:38");
    at("28 PA\u{17b}DZIERNIKA 2004", "00:00:00");
    assert_eq!(date("28 Oct 2004) 17:00:38"), None);
}

#[test]
fn t11_3_words_and_numbers_are_whole() {
    at("28 de oct. of 2004, a las 17:00:38", "17:00:38");
    at("28. oct/2004 - 17:00:38", "17:00:38");
    for text in ["028 Oct 2004 17:00:38", "28 de2 Oct 2004", "28 Oct 02004"] {
        assert_eq!(date(text), None, "{text}");
    }
}

#[test]
fn t11_7_midnight() {
    is("Thu, 28 Oct 2004 24:00:00 +0000", "2004-10-29T00:00:00Z");
    is("31 Dec 2004 24:00 -0100", "2005-01-01T01:00:00Z");
    at("Thu, 28 Oct 2004", "00:00:00");
    at("28 Oct 2004 (no time)", "00:00:00");
    at("28Oct2004 17:00:38", "17:00:38");
    at("28/Oct/2004:17:00:38 +0000", "17:00:38");
    at("28-Oct-04   Time: 17:00:38", "17:00:38");
    at("'Thu, 28 Oct 2004 17:00:38 +0000'", "17:00:38");
}

#[test]
fn t11_5_what_is_no_date() {
    for text in [
        "",
        "yesterday",
        "RANDOM_Wed, 2 Dec 2002 11:48:05 +0000",
        "30 Feb 2002 11:48:05 +0000",
        "Fri, 31 Feb 2004 10:00:00 +0000",
        "2 Foo 2002 11:48:05 +0000",
        "2 Dec 2002 24:00:01 +0000",
        "2 Dec 2002 25:00:00 +0000",
        "2 Dec 2002 11:60:00 +0000",
        "2 Dec 2002 11:48:61 +0000",
        "2 Dec 12002 11:48:05 +0000",
        "Thu, 28 Oct 20041 17:00:38 +0200",
        "2 Dec 1899 11:48:05 +0000",
        "2 Dec 2 11:48:05 +0000",
        "2 Dec 2002 +0200",
        "2 Dec 2002 -0200",
        "2 Dec 2002 later",
        "2 Dec 2002 much later 11:48",
        "Mon Dec 2 11:48:05",
        "(2 Dec 2002 11:48:05",
        "31 Dec 9999 23:59:59 -2359",
        "2004-13-01 10:00",
        "2004-10",
        "one two three four 28 Oct 2004",
        "1099000000",
    ] {
        assert_eq!(date(text), None, "{text}");
    }
}

#[test]
fn t11_1_received_fields_have_their_date_behind_the_last_semicolon() {
    let expected = date("28 Oct 2004 17:00:38 -0400");
    assert!(expected.is_some());
    for text in [
        "from a by b with SMTP; Thu, 28 Oct 2004 17:00:38 -0400",
        "; Thu Oct 28 17:00:38 2004 -0400",
        "from a (b; c) by d; id 1;\tThu, 28 Oct 2004 17:00:38 -0400 (EDT)",
    ] {
        assert_eq!(received(text), expected, "{text}");
    }
    for text in ["from a by b", "28 Oct 2004 17:00:38 -0400", "28 Oct 2004 17:00:38 -0400; id 7", ""] {
        assert_eq!(received(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in ".{0,200}") {
        date(&text);
    }

    #[test]
    fn whatever_resembles_a_date_is_read(text in "([A-Za-z]{0,4}[,.]?[ (\\\\)]?)?[0-9]{0,6}[ -][a-zA-Z]{2,5}[ -][0-9]{1,6} [0-9:. ]{0,12}[ +()A-Z:0-9-]{0,12}") {
        date(&text);
    }

    #[test]
    fn dates_are_found_as_written(at in -2_208_988_800i64..253_000_000_000, hours in -23i64..24, minutes in 0i64..60) {
        let zone = if hours < 0 { hours * 3600 - minutes * 60 } else { hours * 3600 + minutes * 60 };
        let local = jiff::Timestamp::from_second(at + zone).unwrap();
        prop_assume!(at + zone >= -2_208_988_800);
        let sign = if zone < 0 { '-' } else { '+' };
        let zone = format!("{sign}{:02}{minutes:02}", hours.abs());
        for form in ["%a, %d %b %Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%A, %B %d, %Y %I:%M:%S %p", "%a %b %e %H:%M:%S %Y"] {
            let written = format!("{} {zone}", local.strftime(form));
            prop_assert_eq!(date(&written), Some(at), "{}", written);
        }
    }
}
