// SPDX-License-Identifier: Apache-2.0
// Looks after each instruction: the trap flag of x86-64 raises SIGTRAP behind every one.
#pragma once

#include <signal.h>
#include <ucontext.h>

namespace shmring::test {

/// Runs `body` on this thread; `look` is called after each of its instructions, in a signal handler, which it may leave by
/// siglongjmp. REQUIRES: nobody else does this at the same time.
class TrapFlag {
 public:
  using Look = void (*)();

  TrapFlag() {
    struct sigaction action {};
    action.sa_sigaction = &on_trap;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGTRAP, &action, &before_);
  }
  ~TrapFlag() { ::sigaction(SIGTRAP, &before_, nullptr); }
  TrapFlag(const TrapFlag&) = delete;
  TrapFlag& operator=(const TrapFlag&) = delete;

  template <typename Body>
  void step_through(Body body, Look look) {
    look_ = look;
    asm volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" : : "i"(kTrapFlag) : "memory", "cc");
    body();
    look_ = nullptr;  // the trap behind this one ends it
  }

 private:
  static constexpr greg_t kTrapFlag = 0x100;

  static void on_trap(int, siginfo_t*, void* context) {
    if (look_ != nullptr) return look_();
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
  }

  static inline Look volatile look_ = nullptr;
  struct sigaction before_ {};
};

}  // namespace shmring::test
