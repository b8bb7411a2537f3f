// SPDX-License-Identifier: Apache-2.0
//! The record of bench/sample_records.hpp, as programs make it with the SDK.

use std::time::SystemTime;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::logs::SdkLogger;
use opentelemetry_sdk::Resource;

pub struct Request {
    pub body: String,
    pub customer: String,
    pub route: String,
    pub order: i64,
    pub trace: SpanContext,
}

pub fn requests() -> Vec<Request> {
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

pub fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("shop.orders").with_version("1.4.0").build()
}

pub fn resource() -> Resource {
    Resource::builder_empty().with_service_name("shop").build()
}

pub fn emit_log(logger: &SdkLogger, request: &Request) {
    let now = SystemTime::now();
    let mut record = logger.create_log_record();
    record.set_timestamp(now);
    record.set_observed_timestamp(now);
    record.set_severity_number(Severity::Info);
    record.set_body(AnyValue::from(request.body.clone()));
    record.add_attribute("order.id", request.order);
    record.add_attribute("customer.name", request.customer.clone());
    record.add_attribute("http.route", request.route.clone());
    let trace = &request.trace;
    record.set_trace_context(trace.trace_id(), trace.span_id(), Some(trace.trace_flags()));
    logger.emit(record);
}
