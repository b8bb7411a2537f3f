// SPDX-License-Identifier: Apache-2.0
//! The OpenTelemetry SDK for Rust with its batch processor and its OTLP/HTTP exporter: emits the sample log record so many times and
//! prints how many, seconds, CPU seconds of the process, CPU seconds of the thread that emits. For shmring-throughput-bench.

mod samples;

use std::time::Instant;

use opentelemetry::logs::LoggerProvider;
use opentelemetry_otlp::{LogExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::logs::{BatchConfigBuilder, BatchLogProcessor, SdkLogger, SdkLoggerProvider};

// Emitted between two flushes, and twice as much room, so that nothing is dropped; all else is the SDK's default.
const BURST: u64 = 8192;
const QUEUE: usize = 2 * BURST as usize;

fn seconds_of(clock: libc::clockid_t) -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is ours, and the clock is one of the two below.
    unsafe { libc::clock_gettime(clock, &mut now) };
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// CPU seconds of emitting.
fn emit(provider: &SdkLoggerProvider, logger: &SdkLogger, requests: &[samples::Request], records: u64) -> f64 {
    let mut cpu = 0.0;
    let mut emitted = 0;
    while emitted < records {
        let before = seconds_of(libc::CLOCK_THREAD_CPUTIME_ID);
        let end = records.min(emitted + BURST);
        for i in emitted..end {
            samples::emit_log(logger, &requests[i as usize % requests.len()]);
        }
        emitted = end;
        cpu += seconds_of(libc::CLOCK_THREAD_CPUTIME_ID) - before;
        provider.force_flush().expect("what was emitted is exported");
    }
    cpu
}

fn main() {
    let records: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("usage: PROGRAM RECORDS");
    let exporter = LogExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build().expect("an exporter");
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let provider = SdkLoggerProvider::builder()
        .with_resource(samples::resource())
        .with_log_processor(BatchLogProcessor::builder(exporter).with_batch_config(config).build())
        .build();
    let logger = provider.logger_with_scope(samples::scope());
    let requests = samples::requests();
    emit(&provider, &logger, &requests, BURST); // connects
    let begin = Instant::now();
    let cpu_before = seconds_of(libc::CLOCK_PROCESS_CPUTIME_ID);
    let emitting = emit(&provider, &logger, &requests, records);
    let cpu = seconds_of(libc::CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
    println!("{records} {:.6} {cpu:.6} {emitting:.6}", begin.elapsed().as_secs_f64());
}
