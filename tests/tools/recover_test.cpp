// SPDX-License-Identifier: Apache-2.0
// shmring recover: what fsck would despair of still gives its records.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "libshmring/liveness.hpp"
#include "libshmring/ring_file.hpp"
#include "libshmring/robust_mutex.hpp"
#include "program.hpp"
#include "shmring/logger.hpp"
#include "shmring/ring.hpp"

namespace shmring::tools::test {
namespace {

/// A ring with two log records, and a copy of it that is no ring any more.
class Patient {
 public:
  Patient() {
    EXPECT_EQ(shmring({"emit", ring_.path()}, "one\ntwo\n").exit_code, 0);
    dump_ = shmring({"dump", ring_.path()}).out;
    std::filesystem::copy_file(ring_.path(), copy());
  }
  std::string copy() const { return ring_.file("copy"); }
  std::string file(const std::string& name) const { return ring_.file(name); }
  const std::string& dump() const { return dump_; }

  void overwrite(std::size_t offset, const std::string& bytes) const {
    std::fstream file(copy(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  TestRing ring_;
  std::string dump_;
};

TEST(Recover, GivesWhatDumpGivesOfASoundRing) {
  const Patient patient;
  const Ended ended = shmring({"recover", patient.copy()});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, patient.dump());
  EXPECT_NE(ended.err.find("2 records recovered, 0 of them doubtful; 0 are missing"), std::string::npos)
      << ended.err;
  EXPECT_EQ(lines(shmring({"recover", patient.copy(), "--format", "pretty"}).out).size(), 2U);
}

TEST(Recover, WorksWhereAttachingIsRefused) {
  {
    const Patient patient;  // everybody may read it
    std::filesystem::permissions(patient.copy(), std::filesystem::perms(0644));
    EXPECT_EQ(shmring({"dump", patient.copy()}).exit_code, 3);
    EXPECT_EQ(shmring({"recover", patient.copy()}).out, patient.dump());
  }
  {
    const Patient patient;  // another C library's
    patient.overwrite(offsetof(RingIdentity, abi_tag), "\x01\x02\x03\x04");
    EXPECT_EQ(shmring({"dump", patient.copy()}).exit_code, 3);
    const Ended ended = shmring({"recover", patient.copy()});
    EXPECT_EQ(ended.out, patient.dump());
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_NE(ended.err.find("ABI tag"), std::string::npos) << ended.err;
  }
  {
    const Patient patient;  // no header at all
    patient.overwrite(0, std::string(kHeaderBytes, '\0'));
    const Ended ended = shmring({"recover", patient.copy()});
    EXPECT_EQ(ended.out, patient.dump()) << ended.err;
    EXPECT_NE(ended.err.find("16 blocks of 16 KiB and 16 writer slots, found by search"), std::string::npos)
        << ended.err;
    EXPECT_EQ(
        shmring({"recover", patient.copy(), "--block-size", "16k", "--blocks", "16", "--writers", "16"}).out,
        patient.dump());
  }
}

TEST(Recover, SaysWhatATruncatedFileHasLost) {
  const Patient patient;
  std::filesystem::resize_file(patient.copy(),
                               std::filesystem::file_size(patient.copy()) - 15 * 16384 - 16384 + 64);
  const Ended ended = shmring({"recover", patient.copy()});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_NE(ended.err.find("truncated"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("0 records recovered, 0 of them doubtful; 2 are missing"), std::string::npos)
      << ended.err;
}

TEST(Recover, WritesToAFileAndNeverToTheRing) {
  const Patient patient;
  const std::string before = content(patient.copy());
  std::filesystem::permissions(patient.copy(), std::filesystem::perms(0400));
  const Ended ended = shmring({"recover", patient.copy(), "--output-file", patient.file("out.jsonl")});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(content(patient.file("out.jsonl")), patient.dump());
  std::filesystem::permissions(patient.copy(), std::filesystem::perms(0600));
  const Ended refused = shmring({"recover", patient.copy(), "--output-file", patient.copy()});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("the ring itself"), std::string::npos) << refused.err;
  EXPECT_EQ(shmring({"recover", patient.copy(), "--output-file", patient.file("no/such/folder")}).exit_code,
            2);
  EXPECT_EQ(content(patient.copy()), before);
}

TEST(Recover, RefusesWhatIsNoRing) {
  const Folder folder;
  const std::string path = folder / "text";
  std::ofstream(path) << std::string(100'000, 'x');
  const Ended ended = shmring({"recover", path});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_NE(ended.err.find("--block-size"), std::string::npos) << ended.err;
  EXPECT_EQ(shmring({"recover", folder / "nothing"}).exit_code, 3);
  EXPECT_EQ(shmring({"recover", path, "--block-size", "2MiB"}).exit_code, 2);
}

/// A ring whose slot 0 is held by a thread of which this machine knows nothing but what stands there.
class Foreigner {
 public:
  Foreigner() {
    EXPECT_EQ(shmring({"emit", ring_.path()}, "one\ntwo\n").exit_code, 0);
    WriterSlot& held = slot();
    *reinterpret_cast<std::uint32_t*>(held.mutex + kFutexWordOffset) = 5;
    held.tid.store(7);
    held.pid.store(5);
    held.pid_namespace.store(1);
    held.command[0].store(0x1B72656B726F77);  // "worker" and an escape
  }
  WriterSlot& slot(std::uint32_t index = 0) { return file_.slots()[index]; }
  SlotPhase phase() { return ClaimWord::unpack(slot().claim.load()).phase; }
  const std::string& path() const { return ring_.path(); }

 private:
  TestRing ring_;
  RingFile file_ = std::move(*RingFile::attach(ring_.path()));
};

TEST(RecoverFreeSlot, FreesOneWhoseHolderNobodyCanJudgeAndSaysWhoItWas) {
  Foreigner ring;
  ASSERT_EQ(liveness(ring.slot(), Ask::kWordAndProc), Liveness::kUnknown);
  const std::string who = "thread 7 of process 5 (worker\\x1b) in pid namespace 1";
  EXPECT_NE(shmring({"status", ring.path()}).out.find("slot 0: " + who), std::string::npos);
  const Ended ended = shmring({"recover", ring.path(), "--free-slot", "0"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("slot 0 is free; it was held by " + who), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("Nobody here can prove that this thread is gone"), std::string::npos) << ended.out;
  EXPECT_EQ(ring.phase(), SlotPhase::kVacant);
  EXPECT_EQ(shmring({"emit", ring.path(), "--body", "three"}).exit_code, 0);
  EXPECT_EQ(ring.phase(), SlotPhase::kHeld);
  EXPECT_EQ(lines(shmring({"dump", ring.path(), "--format", "pretty"}).out).size(), 3U);
}

TEST(RecoverFreeSlot, FreesOneWhoseHolderIsGone) {
  const TestRing ring;
  EXPECT_EQ(shmring({"emit", ring.path(), "--body", "one"}).exit_code, 0);
  const Ended ended = shmring({"recover", ring.path(), "--free-slot", "0"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out.find("Nobody here can prove"), std::string::npos) << ended.out;
}

TEST(RecoverFreeSlot, FreesOneWhoseClaimerOfAnotherNamespaceNeverGotToHoldIt) {
  Foreigner ring;
  ClaimWord claim = ClaimWord::unpack(ring.slot().claim.load());
  claim.phase = SlotPhase::kClaiming;
  claim.tid = 9;
  claim.namespace_tag = 1;
  ring.slot().claim.store(claim.pack());
  const Ended ended = shmring({"recover", ring.path(), "--free-slot", "0"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("thread 9, which was about to register"), std::string::npos) << ended.out;
  EXPECT_EQ(ring.phase(), SlotPhase::kVacant);
}

TEST(RecoverFreeSlot, LeavesALivingHolderItsSlot) {
  const TestRing ring;
  const auto mine = Ring::open(ring.path());
  ASSERT_TRUE(mine && mine->logger("test").emit(Severity::kInfo, "here"));
  const auto file = RingFile::attach(ring.path());
  const std::uint64_t claim = file->slots()[0].claim.load();
  const Ended ended = shmring({"recover", ring.path(), "--free-slot", "0"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_NE(ended.err.find("slot 0 was left as it is: its holder runs: thread " + std::to_string(::getpid())),
            std::string::npos)
      << ended.err;
  EXPECT_EQ(file->slots()[0].claim.load(), claim);
}

TEST(RecoverFreeSlot, RefusesVacantSlotsAndThoseThatDoNotExist) {
  Foreigner ring;
  const Ended vacant = shmring({"recover", ring.path(), "--free-slot", "3", "--free-slot", "0"});
  EXPECT_EQ(vacant.exit_code, 1);
  EXPECT_NE(vacant.err.find("slot 3 was left as it is: it is vacant"), std::string::npos) << vacant.err;
  EXPECT_EQ(ring.phase(), SlotPhase::kVacant) << "the other one was to be freed";
  Foreigner other;
  const Ended missing = shmring({"recover", other.path(), "--free-slot", "0", "--free-slot", "16"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.err.find("there is no slot 16: the ring has 16"), std::string::npos) << missing.err;
  EXPECT_EQ(other.phase(), SlotPhase::kHeld) << "nothing was to be changed";
}

TEST(RecoverFreeSlot, GoesWithNoOtherOption) {
  Foreigner ring;
  EXPECT_EQ(shmring({"recover", ring.path(), "--free-slot", "0", "--all"}).exit_code, 2);
  EXPECT_EQ(shmring({"recover", ring.path(), "--free-slot", "0", "--format", "pretty"}).exit_code, 2);
  EXPECT_EQ(shmring({"recover", ring.path(), "--free-slot", "0", "--output-file", "x"}).exit_code, 2);
  EXPECT_EQ(shmring({"recover", ring.path(), "--free-slot", "-1"}).exit_code, 2);
  EXPECT_EQ(ring.phase(), SlotPhase::kHeld);
}

TEST(Recover, GivesWhatWasExportedOnlyWhenAsked) {
  const Patient patient;
  {
    // As a flusher leaves an open block: all of it is exported.
    const auto ring = RingFile::attach(patient.copy());
    ASSERT_TRUE(ring);
    BlockDescriptor& d = ring->descriptors()[0];
    const CommittedWord committed{d.committed.load()};
    d.outcomes[0][0][0].store(OutcomeCell{.records = 2}.pack());
    d.exported.store(ExportedWord{.offset_bytes = committed.offset_bytes(), .count = 2}.pack());
  }
  EXPECT_EQ(shmring({"recover", patient.copy()}).out, "");
  EXPECT_EQ(shmring({"recover", patient.copy(), "--all"}).out, patient.dump());
}

}  // namespace
}  // namespace shmring::tools::test
