//! Samples of one run, and the bars with which they are compared.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::table::{short, table, time};

/// All samples of a run: by name, one for each repetition.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<String, Vec<Value>>);

impl Samples {
    /// Adds a sample of `name`.
    pub fn add(&mut self, name: &str, sample: Value) {
        self.0.entry(name.to_owned()).or_default().push(sample);
    }

    /// The lowest value of a field (`/`-separated) among the samples of `name`.
    #[must_use]
    pub fn least(&self, name: &str, field: &str) -> Option<f64> {
        let pointer = format!("/{field}");
        let values = self.0.get(name)?.iter().filter_map(|sample| sample.pointer(&pointer)?.as_f64());
        values.min_by(f64::total_cmp)
    }

    /// A table of everything that took time.
    #[must_use]
    pub fn table(&self) -> String {
        let head = ["", "wall", "processor", "MB/s", "mails/s", "peak MiB", "disk bytes", "share of raw"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for name in self.0.keys() {
            let Some(wall) = self.least(name, "wall") else { continue };
            let get = |field: &str| self.least(name, field);
            let raw = get("raw");
            let disk = get("disk").or_else(|| self.disk(name)).or_else(|| get("bytes"));
            let text = |value: Option<f64>, text: fn(f64) -> String| value.map(text).unwrap_or_default();
            rows.push(vec![
                name.clone(),
                time(wall),
                text(get("cpu"), time),
                text(raw.map(|raw| raw / wall / 1e6), short),
                text(get("mails").map(|mails| mails / wall), short),
                text(get("peak").map(|peak| peak / f64::from(1 << 20)), short),
                text(disk, |bytes| format!("{bytes:.0}")),
                text(disk.zip(raw).map(|(disk, raw)| disk / raw), |share| format!("{share:.4}")),
            ]);
        }
        table(&rows)
    }

    /// A table of latencies.
    #[must_use]
    pub fn latencies(&self) -> String {
        let mut rows = vec![["", "n", "p50", "p95", "worst"].map(str::to_owned).to_vec()];
        for (name, samples) in &self.0 {
            for field in ["", "ours/", "bare/"] {
                let get = |quantile: &str| self.least(name, &format!("{field}{quantile}")).map(time);
                let count = samples.first().and_then(|sample| sample.pointer(&format!("/{field}n")));
                if let (Some(n), Some(p50), Some(p95), Some(worst)) = (count, get("p50"), get("p95"), get("worst")) {
                    rows.push(vec![format!("{name} {}", field.trim_end_matches('/')), n.to_string(), p50, p95, worst]);
                }
            }
        }
        table(&rows)
    }

    /// Bytes on disk by component, as shares of the mails.
    #[must_use]
    pub fn components(&self) -> String {
        let parts = ["containers", "records", "catalog", "index", "other"];
        let mut rows = vec![["", "containers", "records", "catalog", "index", "other", "of raw bytes"].map(str::to_owned).to_vec()];
        for name in self.0.keys() {
            let (Some(raw), Some(_)) = (self.least(name, "raw"), self.disk(name)) else { continue };
            let mut row = vec![name.clone()];
            row.extend(parts.iter().map(|part| format!("{:.4}", self.least(name, &format!("disk/{part}")).unwrap_or(0.0) / raw)));
            row.push(format!("{raw:.0}"));
            rows.push(row);
        }
        table(&rows)
    }

    fn disk(&self, name: &str) -> Option<f64> {
        self.content(name)?;
        let parts = ["containers", "records", "catalog", "index", "other"];
        Some(parts.iter().filter_map(|part| self.least(name, &format!("disk/{part}"))).sum())
    }

    /// Bytes of containers and records.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<f64> {
        Some(self.least(name, "disk/containers")? + self.least(name, "disk/records")?)
    }

    /// All samples.
    #[must_use]
    pub fn json(&self) -> Value {
        json!(self.0)
    }
}

/// The direction of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// At least this.
    AtLeast,
    /// At most this.
    AtMost,
}

/// A bar and what was measured.
#[derive(Debug)]
pub struct Bar {
    /// What is measured, and compared with what.
    pub name: &'static str,
    /// The value, if it was measured.
    pub value: Option<f64>,
    /// What is wanted.
    pub wants: Wants,
    /// The limit that must be met.
    pub floor: f64,
    /// The goal.
    pub target: f64,
}

impl Bar {
    fn verdict(&self) -> &'static str {
        let reaches = |value: f64, bar: f64| match self.wants {
            Wants::AtLeast => value >= bar,
            Wants::AtMost => value <= bar,
        };
        match self.value {
            None => "not measured",
            Some(value) if reaches(value, self.target) => "target",
            Some(value) if reaches(value, self.floor) => "floor",
            Some(_) => "MISSED",
        }
    }
}

/// All bars that can be judged by these samples.
#[must_use]
pub fn bars(samples: &Samples) -> Vec<Bar> {
    let least = |name: &str, field: &str| samples.least(name, field);
    let ratio = |above: Option<f64>, below: Option<f64>| above.zip(below).map(|(above, below)| above / below);
    let raw = least("list import", "raw");
    let speed = |name: &str| ratio(least(name, "raw"), least(name, "wall")).map(|bytes| bytes / 1e6);
    let peaks = ["list import", "list import, no index", "many 1000000", "large import"].map(|name| least(name, "peak"));
    let peak = peaks.into_iter().flatten().max_by(f64::total_cmp).map(|bytes| bytes / f64::from(1 << 20));
    // Speed in processor time: zstd compresses the same bytes.
    let floor = ratio(ratio(least("list zstd -3", "cpu"), least("list zstd -3", "raw")), ratio(least("list import, no index", "cpu"), raw));
    let per_mail = |name: &str| ratio(least(name, "wall"), least(name, "mails"));
    let ms = |name: &str, field: &str| least(name, field).map(|seconds| seconds * 1e3);
    let at_least = |name, value, floor, target| Bar { name, value, wants: Wants::AtLeast, floor, target };
    let at_most = |name, value, floor, target| Bar { name, value, wants: Wants::AtMost, floor, target };
    vec![
        at_least("import without index, processor time: speed against zstd -3", floor, 0.45, 0.65),
        at_least(
            "import with index, wall: speed against mu index",
            ratio(least("list mu", "wall"), least("list import", "wall")),
            15.0,
            40.0,
        ),
        at_least("import with index, MB/s", speed("list import"), 40.0, 90.0),
        at_most("content + records, share of raw", ratio(samples.content("list import"), raw), 0.28, 0.255),
        at_most(
            "content + records, attachments, against borg",
            ratio(samples.content("attach import, no index"), least("attach borg", "disk")),
            0.85,
            0.65,
        ),
        at_most("catalog, share of raw", ratio(least("list import", "disk/catalog"), raw), 0.04, 0.025),
        at_most("index, share of raw", ratio(least("list import", "disk/index"), raw), 0.22, 0.16),
        at_most(
            "durable commit of one mail, p50, against append + fdatasync",
            ratio(least("commits, 1 thread, no index", "ours/p50"), least("commits, 1 thread, no index", "bare/p50")),
            2.0,
            1.3,
        ),
        at_most("the same with index", ratio(least("commits, 1 thread", "ours/p50"), least("commits, 1 thread", "bare/p50")), 2.0, 1.3),
        at_least(
            "commits from 8 threads against one, receipts a second",
            ratio(least("commits, 1 thread, no index", "wall"), least("commits, 8 threads, no index", "wall")),
            3.0,
            6.0,
        ),
        at_most("peak memory of imports, MiB", peak, 384.0, 128.0),
        at_most(
            "second import, wall, against the first",
            ratio(least("list import, again", "wall"), least("list import", "wall")),
            0.35,
            0.15,
        ),
        at_most("cost of a mail at 1,000,000 against 100,000", ratio(per_mail("many 1000000"), per_mail("many 100000")), 1.3, 1.1),
        at_most("read one mail by id, p95, ms", ms("list read", "p95"), 3.0, 1.0),
        at_most("mailkeep show --raw, ms", ms("mailkeep show", "wall"), 40.0, 15.0),
        at_most("open 1,000,000 mails, ms", ms("many open", "wall"), 300.0, 60.0),
        at_least("export all as mbox, MB/s", speed("list export"), 120.0, 300.0),
        at_least("verify everything, MB/s", speed("list verify"), 250.0, 600.0),
        at_most("mailkeep search WORD, ms", ms("mailkeep search", "wall"), 30.0, 8.0),
        at_most("list the newest 50 of a folder of 100,000, p50, ms", ms("many newest", "p50"), 5.0, 0.5),
        at_most("word: total and newest 50, p95, ms", ms("list search", "p95"), 1.0, 0.1),
        at_most("receipt to searchable while importing, worst, s", least("list receipt to searchable", "worst"), 2.0, 0.1),
    ]
}

/// The bars as a table.
#[must_use]
pub fn bar_table(bars: &[Bar]) -> String {
    let mut rows = vec![["bar", "measured", "floor", "target", ""].map(str::to_owned).to_vec()];
    for bar in bars {
        let sign = if bar.wants == Wants::AtLeast { ">=" } else { "<=" };
        rows.push(vec![
            bar.name.to_owned(),
            bar.value.map(short).unwrap_or_default(),
            format!("{sign} {}", bar.floor),
            format!("{sign} {}", bar.target),
            bar.verdict().to_owned(),
        ]);
    }
    table(&rows)
}
