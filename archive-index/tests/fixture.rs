//! The search oracles O1 to O31 of the specification, on its fixture F1 to F16.

use archive_index::{Columns, DocNo, Field, Index, MemPages, Options, SortKeys, Value, ValueKind, parse};
use std::sync::Arc;

type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// From name, from address, to, subject, body, attachment as "name: content".
const FIXTURE: [Row; 16] = [
    ("ZDNet News", "newsletter@zdnet.example", "me@company.tld", "ZDNet Daily Update", "Neue Nachrichten aus der IT.", ""),
    ("ZDNet News", "newsletter@zdnet.example", "me@company.tld", "Download-Tipp der Woche", "MailStore zum Ausprobieren.", ""),
    ("Redaktion", "redaktion@zdnet.example", "me@company.tld", "Archivierung", "MailStore im Vergleich.", ""),
    ("", "versand@example.com", "meineadresse@company.tld", "Ihre Lieferung", "Beleg anbei.", "beleg.txt: Rechnung Nr. 4711"),
    ("", "versand@example.com", "meineadresse@company.tld", "Mahnung", "Bitte zahlen.", "offen.txt: Rechnung Nr. 4712 ist offen"),
    ("", "bob@example.org", "bewerbung@example.com", "Initiativ", "Anbei mein Lebenslauf.", ""),
    ("", "eve@example.org", "bewerbung@example.com", "Bewerbung als Entwicklerin", "Anbei mein Lebenslauf.", ""),
    ("", "vorname.nachname@example.net", "team@company.tld", "Autoreparatur", "Das Auto ist fertig.", ""),
    ("", "robot@company.tld", "max@sub.example.com", "Status", "Automatisch erzeugt.", ""),
    ("", "alice@company.tld", "team@company.tld", "Gruss 1", "Herr Meier kommt.", ""),
    ("", "alice@company.tld", "team@company.tld", "Gruss 2", "Frau Meyer kommt.", ""),
    ("", "alice@company.tld", "team@company.tld", "Gruss 3", "Herr Maier am Meer.", ""),
    ("", "alice@company.tld", "team@company.tld", "System 1", "Wir nutzen Microsoft Windows.", ""),
    ("", "alice@company.tld", "team@company.tld", "System 2", "Microsoft Works und Windows 95.", ""),
    ("", "john@mailstore.com", "michael@mailstore.com", "Nachrichten", "Die Rechnung kommt.", ""),
    ("", "michael@mailstore.com", "john@mailstore.com", "Re: Frage", "Kurze Antwort.", "rechnung_2020-01.pdf: "),
];

fn index() -> Index {
    let index = Index::open(Arc::new(MemPages::new()), Options::default()).unwrap();
    for (number, (name, from, to, subject, body, attachment)) in FIXTURE.into_iter().enumerate() {
        let mut values = vec![
            Value { field: Field::From, kind: ValueKind::DisplayName, text: name },
            Value { field: Field::From, kind: ValueKind::Address, text: from },
            Value { field: Field::To, kind: ValueKind::Address, text: to },
            Value { field: Field::Subject, kind: ValueKind::Text, text: subject },
            Value { field: Field::Body, kind: ValueKind::Text, text: body },
        ];
        if number == 14 {
            values.push(Value { field: Field::Cc, kind: ValueKind::Address, text: "lisa@mailstore.com" });
            values.push(Value { field: Field::Bcc, kind: ValueKind::Address, text: "customers@mailstore.com" });
        }
        if let Some((file, content)) = attachment.split_once(": ") {
            values.push(Value { field: Field::Attachment, kind: ValueKind::Text, text: file });
            values.push(Value { field: Field::AttachmentContent, kind: ValueKind::Text, text: content });
        }
        // Numbers as in the specification: F1 is 1.
        index.add(DocNo(number as u32 + 1), &values, &[], &Columns::default(), &SortKeys::default()).unwrap();
    }
    index
}

const ORACLES: [(&str, &[u32]); 31] = [
    ("Auto*", &[8, 9]),
    ("Auto", &[8]),
    ("*example.com", &[4, 5, 6, 7, 9]),
    ("vorname.nachname*", &[8]),
    ("Me?er", &[10, 11]),
    ("\"Microsoft Windows\"", &[13]),
    ("Microsoft Windows", &[13, 14]),
    ("subject:Nachrichten", &[15]),
    ("Nachrichten", &[1, 15]),
    ("from:john@mailstore.com", &[15]),
    ("to:michael@mailstore.com", &[15]),
    ("cc:lisa@mailstore.com", &[15]),
    ("to:lisa@mailstore.com", &[]),
    ("bcc:customers@mailstore.com", &[15]),
    ("bcontent:Rechnung", &[15]),
    ("acontent:Rechnung", &[4, 5]),
    ("Rechnung", &[4, 5, 15, 16]),
    ("ZDNet -Download-Tipp", &[1, 3]),
    ("ZDNET -\"Daily Update\"", &[2, 3]),
    ("from:ZDNET bcontent:MailStore", &[2, 3]),
    ("from:versand@example.com acontent:Rechnung", &[4, 5]),
    ("to:bewerbung@example.com -Bewerbung", &[6]),
    ("to:bewerbung@example.com", &[6, 7]),
    ("from:versand@example.com to:meineadresse@company.tld acontent:Rechnung -subject:Mahnung", &[4]),
    ("vorname", &[8]),
    ("nachname", &[8]),
    ("zdnet", &[1, 2, 3]),
    ("ZDNET", &[1, 2, 3]),
    ("-from:zdnet subject:Archivierung", &[]),
    ("2020", &[16]),
    ("ZDNet -*@zdnet.example", &[]),
];

#[test]
fn oracles_hold_in_memory_and_after_a_flush() {
    let index = index();
    for round in ["memory", "segment"] {
        let snapshot = index.snapshot();
        for (query, expected) in ORACLES {
            let found: Vec<u32> = snapshot.search(&parse(query).unwrap().without_filters().unwrap()).unwrap().iter().collect();
            assert_eq!(found, expected, "{query} ({round})");
        }
        index.flush(b"").unwrap();
    }
}

#[test]
fn o28_wildcards_at_the_edge_are_refused() {
    for query in ["?eier", "Meie?"] {
        assert!(parse(query).unwrap_err().to_string().contains('*'), "{query}");
    }
}
