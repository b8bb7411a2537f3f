// SPDX-License-Identifier: Apache-2.0
//! The OpenTelemetry SDK for Rust, batch and simple processors, with an exporter that only counts. The record is the one of
//! bench/sample_records.hpp, as programs make it; nothing of it is encoded here, which the SDK does in its export thread.

mod harness;
mod samples;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use harness::{Row, Subject};
use opentelemetry::logs::LoggerProvider;
use opentelemetry::trace::{Span, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder as LogConfig, BatchLogProcessor, LogBatch, LogExporter, SdkLogger, SdkLoggerProvider,
    SimpleLogProcessor,
};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder as SpanConfig, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SimpleSpanProcessor, SpanData,
    SpanExporter,
};
use samples::{requests, resource, scope, Request};

const BATCH: u64 = 8192;
const QUEUE: usize = 2 * BATCH as usize; // so that nothing is dropped between two drains; all else is the SDK's default

#[derive(Clone, Debug, Default)]
struct Counter(Arc<AtomicU64>);

impl Counter {
    fn add(&self, records: usize) -> OTelSdkResult {
        self.0.fetch_add(records as u64, Ordering::Relaxed); // relaxed: force_flush() comes between this and the reader
        Ok(())
    }
    fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed) // relaxed: as above
    }
}

impl LogExporter for Counter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.add(batch.iter().count())
    }
}

impl SpanExporter for Counter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.add(batch.len())
    }
}

struct Logs {
    requests: Vec<Request>,
    provider: SdkLoggerProvider,
    logger: SdkLogger,
    counter: Counter,
}

impl Logs {
    fn new(is_batching: bool) -> Box<Self> {
        let counter = Counter::default();
        let builder = SdkLoggerProvider::builder().with_resource(resource());
        let provider = if is_batching {
            let config = LogConfig::default().with_max_queue_size(QUEUE).build();
            builder.with_log_processor(BatchLogProcessor::builder(counter.clone()).with_batch_config(config).build())
        } else {
            builder.with_log_processor(SimpleLogProcessor::new(counter.clone()))
        }
        .build();
        let logger = provider.logger_with_scope(scope());
        Box::new(Logs { requests: requests(), provider, logger, counter })
    }
}

impl Subject for Logs {
    fn batch(&self) -> u64 {
        BATCH
    }
    fn push(&self, i: u64) {
        samples::emit_log(&self.logger, &self.requests[i as usize % self.requests.len()]);
    }
    fn drain(&self) -> u64 {
        self.provider.force_flush().map_or(0, |()| self.counter.take())
    }
}

struct Spans {
    requests: Vec<Request>,
    parents: Vec<Context>,
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    counter: Counter,
}

impl Spans {
    fn new(is_batching: bool) -> Box<Self> {
        let counter = Counter::default();
        let builder = SdkTracerProvider::builder().with_resource(resource());
        let provider = if is_batching {
            let config = SpanConfig::default().with_max_queue_size(QUEUE).build();
            builder.with_span_processor(BatchSpanProcessor::builder(counter.clone()).with_batch_config(config).build())
        } else {
            builder.with_span_processor(SimpleSpanProcessor::new(counter.clone()))
        }
        .build();
        let tracer = provider.tracer_with_scope(scope());
        let requests = requests();
        let parents = requests.iter().map(|r| Context::new().with_remote_span_context(r.trace.clone())).collect();
        Box::new(Spans { requests, parents, provider, tracer, counter })
    }
}

impl Subject for Spans {
    fn batch(&self) -> u64 {
        BATCH
    }
    fn push(&self, i: u64) {
        let at = i as usize % self.requests.len();
        let request = &self.requests[at];
        let builder = self.tracer.span_builder("POST /api/v1/orders/{id}").with_kind(SpanKind::Server);
        let mut span = self.tracer.build_with_context(builder, &self.parents[at]);
        span.set_attribute(KeyValue::new("order.id", request.order));
        span.set_attribute(KeyValue::new("customer.name", request.customer.clone()));
        span.set_attribute(KeyValue::new("http.route", request.route.clone()));
        span.set_attribute(KeyValue::new("server.address", "localhost"));
        span.end();
    }
    fn drain(&self) -> u64 {
        self.provider.force_flush().map_or(0, |()| self.counter.take())
    }
}

fn rows() -> Vec<Row> {
    let row = |name, label, record, subject: Box<dyn Subject>| Row { name, label, record, subject };
    let queued = "objects in the process, not encoded; all in the queue lost with it";
    let handed_on = "an object handed to an exporter that does nothing, not encoded";
    vec![
        row("otel_rust_batch_log", "OpenTelemetry Rust, BatchLogProcessor", queued, Logs::new(true)),
        row("otel_rust_simple_log", "OpenTelemetry Rust, SimpleLogProcessor", handed_on, Logs::new(false)),
        row("otel_rust_batch_span", "OpenTelemetry Rust, BatchSpanProcessor", queued, Spans::new(true)),
        row("otel_rust_simple_span", "OpenTelemetry Rust, SimpleSpanProcessor", handed_on, Spans::new(false)),
    ]
}

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(options) = harness::parse(&arguments) else {
        eprintln!("usage: shmring-bench-otel-rust [--filter TEXT] [--repetitions N] [--visit-ms N] [--stamped-ms N]");
        return 2.into();
    };
    match harness::run(&rows(), &options) {
        Ok(json) => println!("{json}"),
        Err(why) => {
            eprintln!("shmring-bench-otel-rust: {why}");
            return 1.into();
        }
    }
    0.into()
}
