// SPDX-License-Identifier: Apache-2.0
// A scriptable gRPC server on 127.0.0.1 for tests, on libnghttp2: one thread per connection, and a callback that answers.
// It decodes nothing: a message is bytes. HTTP/2 in clear text; TLS stands before it (tls_front.hpp).
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/listener.hpp"

namespace shmring::testing {

struct GrpcRequest {
  std::map<std::string, std::string> headers;  // the pseudo headers, too
  std::string body;                            // frame header and message
  unsigned connection = 0;                     // counts from 1
  unsigned on_connection = 0;                  // requests of that connection before this one

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  /// Without the frame header.
  std::string message() const { return body.size() < 5 ? "" : body.substr(5); }
};

struct GrpcReply {
  enum class Then : std::uint8_t {
    kAnswer,
    kTrailersOnly,   // status in the headers, no body
    kNoTrailers,     // the stream ends behind the body
    kResetStream,    // headers and body, then RST_STREAM
    kRefuseStream,   // RST_STREAM REFUSED_STREAM
    kGoAway,         // GOAWAY that takes no stream
    kCloseSilently,  // FIN
  };
  Then then = Then::kAnswer;
  std::string http_status = "200";
  std::string message = {};
  std::string body = {};  // not empty: in place of the framed message
  std::string status = "0";
  std::vector<std::pair<std::string, std::string>> headers = {};   // beside content-type
  std::vector<std::pair<std::string, std::string>> trailers = {};  // beside grpc-status
};

class GrpcServer {
 public:
  /// Called on the connection's thread; may block (end it before the server ends).
  using Answer = std::function<GrpcReply(const GrpcRequest&)>;

  explicit GrpcServer(Answer answer)
      : answer_(std::move(answer)), listener_([this](int fd, unsigned number) { serve(fd, number); }) {}

  std::uint16_t port() const noexcept { return listener_.port(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
  unsigned connections() const noexcept { return listener_.connections(); }
  unsigned requests() const noexcept { return requests_; }

 private:
  struct Stream {
    GrpcRequest request;
    GrpcReply reply;
    std::string body;
    std::size_t sent = 0;
  };
  struct Connection {
    std::map<std::int32_t, Stream> streams;
    std::deque<std::int32_t> complete;
    nghttp2_session* session = nullptr;
  };

  void serve(int fd, unsigned number) {
    Connection connection;
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_server_new(&connection.session, callbacks, &connection);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(connection.session, NGHTTP2_FLAG_NONE, nullptr, 0);
    unsigned count = 0;
    char buffer[65536];
    while (flush(connection, fd)) {
      const ssize_t received = recv(fd, buffer, sizeof buffer, 0);
      if (received <= 0) break;
      if (nghttp2_session_mem_recv(connection.session, reinterpret_cast<const std::uint8_t*>(buffer),
                                   static_cast<std::size_t>(received)) < 0)
        break;
      bool is_open = true;
      for (; is_open && !connection.complete.empty(); connection.complete.pop_front())
        is_open = answer(connection, connection.complete.front(), number, count++);
      if (!is_open) break;
    }
    nghttp2_session_del(connection.session);
  }

  static bool flush(Connection& connection, int fd) {
    const std::uint8_t* bytes = nullptr;
    for (;;) {
      const ssize_t size = nghttp2_session_mem_send(connection.session, &bytes);
      if (size <= 0) break;
      if (!send_all(fd, {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)})) return false;
    }
    return nghttp2_session_want_read(connection.session) != 0;
  }

  /// False: the connection is to be closed.
  bool answer(Connection& connection, std::int32_t id, unsigned number, unsigned count) {
    using Then = GrpcReply::Then;
    Stream& stream = connection.streams[id];
    stream.request.connection = number;
    stream.request.on_connection = count;
    ++requests_;
    stream.reply = answer_(stream.request);
    nghttp2_session* const session = connection.session;
    switch (stream.reply.then) {
      case Then::kCloseSilently:
        return false;
      case Then::kRefuseStream:
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return true;
      case Then::kGoAway:
        nghttp2_session_terminate_session2(session, 0, NGHTTP2_NO_ERROR);
        return true;
      default:
        respond(session, id, stream);
        return true;
    }
  }

  static void respond(nghttp2_session* session, std::int32_t id, Stream& stream) {
    const GrpcReply& reply = stream.reply;
    std::vector<std::pair<std::string, std::string>> head{{":status", reply.http_status},
                                                          {"content-type", "application/grpc"}};
    head.insert(head.end(), reply.headers.begin(), reply.headers.end());
    if (reply.then == GrpcReply::Then::kTrailersOnly) {
      for (auto& field : trailers_of(reply)) head.push_back(std::move(field));
      submit(head, [&](const nghttp2_nv* fields, std::size_t size) {
        nghttp2_submit_response(session, id, fields, size, nullptr);
      });
      return;
    }
    stream.body = reply.body.empty() ? framed(reply.message) : reply.body;
    nghttp2_data_provider body{{.ptr = &stream}, read_body};
    submit(head, [&](const nghttp2_nv* fields, std::size_t size) {
      nghttp2_submit_response(session, id, fields, size, &body);
    });
  }

  static std::vector<std::pair<std::string, std::string>> trailers_of(const GrpcReply& reply) {
    auto out = reply.trailers;
    if (!reply.status.empty()) out.emplace_back("grpc-status", reply.status);
    return out;
  }

  static std::string framed(const std::string& message) {
    std::string out(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(message.size() >> shift & 0xFF);
    return out + message;
  }

  template <typename Submit>
  static void submit(const std::vector<std::pair<std::string, std::string>>& fields, Submit submit) {
    std::vector<nghttp2_nv> out;
    const auto bytes = [](const std::string& text) {
      return const_cast<std::uint8_t*>(
          reinterpret_cast<const std::uint8_t*>(text.data()));  // nghttp2 only reads
    };
    for (const auto& [name, value] : fields)
      out.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    submit(out.data(), out.size());
  }

  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    using Then = GrpcReply::Then;
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t bytes = std::min(size, stream.body.size() - stream.sent);
    std::memcpy(buffer, stream.body.data() + stream.sent, bytes);
    stream.sent += bytes;
    if (stream.sent < stream.body.size()) return static_cast<ssize_t>(bytes);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream.reply.then == Then::kNoTrailers) return static_cast<ssize_t>(bytes);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    if (stream.reply.then == Then::kResetStream) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
    } else {
      submit(trailers_of(stream.reply), [&](const nghttp2_nv* fields, std::size_t count) {
        nghttp2_submit_trailer(session, id, fields, count);
      });
    }
    return static_cast<ssize_t>(bytes);
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* self) {
    const auto text = [](const std::uint8_t* bytes, std::size_t size) {
      return std::string(reinterpret_cast<const char*>(bytes), size);
    };
    auto& stream = static_cast<Connection*>(self)->streams[frame->hd.stream_id];
    stream.request.headers[text(name, name_size)] = text(value, value_size);
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t size, void* self) {
    static_cast<Connection*>(self)->streams[id].request.body.append(reinterpret_cast<const char*>(bytes),
                                                                    size);
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    const bool is_of_request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (is_of_request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      static_cast<Connection*>(self)->complete.push_back(frame->hd.stream_id);
    return 0;
  }

  Answer answer_;
  std::atomic<unsigned> requests_{0};
  Listener listener_;  // goes first
};

}  // namespace shmring::testing
