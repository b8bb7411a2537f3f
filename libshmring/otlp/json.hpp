// SPDX-License-Identifier: Apache-2.0
// OTLP's JSON straight from the wire: lowerCamelCase names, ids in hex, enums as numbers, 64-bit integers as strings.
//
// Meant for payloads that were validated. Anything else gives JSON all the same: what cannot be read is left out.
// Duplicate fields mean what they mean to a protobuf parser: the last scalar counts, messages are merged.
#pragma once

#include <string>

#include "libshmring/otlp/schema.hpp"
#include "libshmring/otlp/wire.hpp"
#include "shmring/signal.hpp"

namespace shmring::otlp {

// Appends one JSON object, on one line and without blanks.
void append_json(MessageType type, Bytes message, std::string& out);

// A LogRecord, Span or Metric.
inline void append_record_json(Signal signal, Bytes record, std::string& out) {
  append_json(record_type(signal), record, out);
}

inline void append_resource_json(Bytes resource, std::string& out) {
  append_json(MessageType::kResource, resource, out);
}

inline void append_scope_json(Bytes scope, std::string& out) {
  append_json(MessageType::kInstrumentationScope, scope, out);
}

// An Export*ServiceRequest: one line of an OTLP JSON file.
inline void append_request_json(Signal signal, Bytes request, std::string& out) {
  append_json(request_type(signal), request, out);
}

}  // namespace shmring::otlp
