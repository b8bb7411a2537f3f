// SPDX-License-Identifier: Apache-2.0
// Shows records on standard output.

#include "flusher/console_exporter.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "flusher/console_text.hpp"

namespace shmring::flusher {

void ConsoleExporter::submit(std::shared_ptr<const Batch> batch, Done done) {
  text_.clear();
  if (!append_console_text(batch->signal, batch->request, text_)) {
    return done({.outcome = SendOutcome::kRejected, .reason = "the request cannot be read by libprotobuf"});
  }
  std::string_view rest = text_;
  while (!rest.empty()) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const bool has_begun = rest.size() < text_.size();
      return done({.outcome = SendOutcome::kRetryable,
                   .reason = fmt::format("cannot write to standard output: {}", std::strerror(errno)),
                   .may_have_arrived = has_begun});
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  done({.code = "written"});
}

}  // namespace shmring::flusher
