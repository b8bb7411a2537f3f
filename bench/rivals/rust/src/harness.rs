// SPDX-License-Identifier: Apache-2.0
//! bench/harness for Rust: the same command line, the same way of measuring, the same JSON; one producer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const UNCOUNTED: usize = 2; // batches at the begin of a visit

pub trait Subject {
    /// Operations between two drains.
    fn batch(&self) -> u64;
    fn push(&self, i: u64);
    /// How many were found since the last call.
    fn drain(&self) -> u64;
}

pub struct Row {
    pub name: &'static str,
    pub label: &'static str,
    pub record: &'static str,
    pub subject: Box<dyn Subject>,
}

#[derive(Default)]
struct Measured {
    ns: Vec<f64>,
    latencies: Vec<u64>,
}

pub struct Options {
    filter: String,
    repetitions: usize,
    visit: Duration,
    stamped: Duration,
}

pub fn parse(arguments: &[String]) -> Option<Options> {
    let ms = |text: &str| text.parse().ok().map(Duration::from_millis);
    let mut options = Options {
        filter: String::new(),
        repetitions: 5,
        visit: Duration::from_millis(10),
        stamped: Duration::from_millis(10),
    };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        match name.as_str() {
            "--filter" => options.filter = value.clone(),
            "--repetitions" => options.repetitions = value.parse().ok()?,
            "--visit-ms" => options.visit = ms(value)?,
            "--stamped-ms" => options.stamped = ms(value)?,
            _ => return None,
        }
    }
    Some(options)
}

/// The median batch's nanoseconds of an operation. `run` does the operations from `first` on; it is told whether they count.
fn visit(subject: &dyn Subject, at_least: Duration, mut run: impl FnMut(u64, bool)) -> Result<f64, String> {
    let mut of_batches = Vec::new();
    let mut elapsed = Duration::ZERO;
    for number in 0.. {
        let begin = Instant::now();
        run(number as u64 * subject.batch(), number >= UNCOUNTED);
        let took = begin.elapsed();
        if subject.drain() != subject.batch() {
            return Err("records were refused or lost".into());
        }
        if number < UNCOUNTED {
            continue;
        }
        of_batches.push(took.as_nanos() as f64 / subject.batch() as f64);
        elapsed += took;
        if elapsed >= at_least {
            break;
        }
    }
    of_batches.sort_by(f64::total_cmp);
    Ok(of_batches[of_batches.len() / 2])
}

fn visit_once(row: &Row, options: &Options, measured: &mut Measured) -> Result<(), String> {
    let subject = row.subject.as_ref();
    measured.ns.push(visit(subject, options.visit, |first, _| {
        for i in first..first + subject.batch() {
            subject.push(i);
        }
    })?);
    if options.stamped.is_zero() {
        return Ok(());
    }
    visit(subject, options.stamped, |first, is_counted| {
        for i in first..first + subject.batch() {
            let before = Instant::now();
            subject.push(i);
            let took = before.elapsed().as_nanos() as u64;
            if is_counted {
                measured.latencies.push(took);
            }
        }
    })?;
    Ok(())
}

/// [[nanoseconds at most, how often], ...], as fine as the harness's: 32 buckets to each doubling.
fn histogram(latencies: &[u64]) -> String {
    let largest = latencies.iter().copied().max().unwrap_or(0);
    let mut counts = BTreeMap::new();
    for &value in latencies {
        let shift = (64 - value.leading_zeros()).saturating_sub(6);
        let upper = (((value >> shift) + 1) << shift) - 1;
        *counts.entry(upper.min(largest)).or_insert(0u64) += 1;
    }
    let buckets: Vec<String> = counts.iter().map(|(upper, count)| format!("[{upper}, {count}]")).collect();
    format!("[{}]", buckets.join(", "))
}

/// Rows' texts hold nothing that JSON would want escaped.
fn to_json(row: &Row, measured: &Measured) -> String {
    let ns: Vec<String> = measured.ns.iter().map(|ns| format!("{ns:.3}")).collect();
    format!(
        r#"{{"name": "{}", "label": "{}", "record": "{}", "group": "rival", "producers": 1, "ns": [{}], "latency": {}}}"#,
        row.name,
        row.label,
        row.record,
        ns.join(", "),
        histogram(&measured.latencies)
    )
}

/// Rows in turn, again and again.
pub fn run(rows: &[Row], options: &Options) -> Result<String, String> {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.name.contains(&options.filter)).collect();
    let mut measured: Vec<Measured> = rows.iter().map(|_| Measured::default()).collect();
    for _ in 0..options.repetitions {
        for (row, measured) in rows.iter().zip(&mut measured) {
            visit_once(row, options, measured).map_err(|why| format!("{}: {why}", row.name))?;
        }
    }
    let texts: Vec<String> = rows.iter().zip(&measured).map(|(row, measured)| to_json(row, measured)).collect();
    Ok(format!("{{\"rows\": [{}]}}", texts.join(", ")))
}
