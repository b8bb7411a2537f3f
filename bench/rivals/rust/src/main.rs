// SPDX-License-Identifier: Apache-2.0
//! The OpenTelemetry SDK for Rust, batch and simple processors, with an exporter that only counts. The record is the one of
//! bench/sample_records.hpp, as programs make it; nothing of it is encoded here, which the SDK does in its export thread.

mod harness;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::SystemTime;

use harness::{Row, Subject};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{
    Span, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder as LogConfig, BatchLogProcessor, LogBatch, LogExporter, SdkLogger, SdkLoggerProvider,
    SimpleLogProcessor,
};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder as SpanConfig, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SimpleSpanProcessor, SpanData,
    SpanExporter,
};
use opentelemetry_sdk::Resource;

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

struct Request {
    body: String,
    customer: String,
    route: String,
    order: i64,
    trace: SpanContext,
}

fn requests() -> Vec<Request> {
    let customers = ["Ada Lovelace", "Grace Hopper", "Donald Knuth", "Ken Thompson"];
    let routes = ["/api/v1/orders/{id}", "/api/v2/orders/{id}"];
    let bodies = [
        "order placed; payment authorised, waiting for the warehouse now.",
        "order refused: the card has expired, the customer is informed.  ",
    ];
    let request = |i: u8| Request {
        body: bodies[usize::from(i) % 2].into(),
        customer: customers[usize::from(i) % 4].into(),
        route: routes[usize::from(i) / 2 % 2].into(),
        order: 1_000_000_000 + i64::from(i),
        trace: SpanContext::new(
            TraceId::from_bytes([0x40 + i; 16]),
            SpanId::from_bytes([0x80 + i; 8]),
            TraceFlags::SAMPLED,
            true,
            TraceState::default(),
        ),
    };
    (0..64).map(request).collect()
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("shop.orders").with_version("1.4.0").build()
}

fn resource() -> Resource {
    Resource::builder_empty().with_service_name("shop").build()
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
        let request = &self.requests[i as usize % self.requests.len()];
        let now = SystemTime::now();
        let mut record = self.logger.create_log_record();
        record.set_timestamp(now);
        record.set_observed_timestamp(now);
        record.set_severity_number(Severity::Info);
        record.set_body(AnyValue::from(request.body.clone()));
        record.add_attribute("order.id", request.order);
        record.add_attribute("customer.name", request.customer.clone());
        record.add_attribute("http.route", request.route.clone());
        let trace = &request.trace;
        record.set_trace_context(trace.trace_id(), trace.span_id(), Some(trace.trace_flags()));
        self.logger.emit(record);
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
