// What /proc and control groups say of the memory, and what a shortage is called.
#include "loading/host_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "loading/memory_verdict.hpp"
#include "support/temporary_folder.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

class HostMemoryTest : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    const auto file = folder_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  HostMemory read() const { return read_host_memory(folder_.path()); }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(HostMemoryTest, KnowsNothingWithoutProc) {
  EXPECT_EQ(read().limit_bytes(), 0U);
  EXPECT_EQ(read().own_bytes, 0U);
}

TEST_F(HostMemoryTest, ReadsTheMachineAndItself) {
  write("proc/meminfo",
        "MemTotal:       25165824 kB\nMemFree: 1 kB\nMemAvailable:   20971520 kB\n");
  write("proc/self/status", "VmRSS:\t 90000 kB\nRssAnon:\t    2048 kB\n");
  const HostMemory memory = read();
  EXPECT_EQ(memory.limit_bytes(), 24 * kGiB);
  EXPECT_EQ(memory.limit_name(), "the memory of the machine");
  EXPECT_EQ(memory.free_bytes, 20 * kGiB);
  EXPECT_EQ(memory.own_bytes, 2048U * 1024);
  EXPECT_EQ(memory.resident_bytes, 90000U * 1024);
}

TEST_F(HostMemoryTest, TakesTheTighterOfMachineAndContainer) {
  write("proc/meminfo", "MemTotal:       25165824 kB\n");
  write("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", "2147483648\n");
  EXPECT_EQ(read().limit_bytes(), 2 * kGiB);
  EXPECT_EQ(read().limit_name(), "the limit of its container");
  write("sys/fs/cgroup/memory.max", "137438953472\n");
  EXPECT_EQ(read().limit_bytes(), 24 * kGiB);
  EXPECT_EQ(read().limit_name(), "the memory of the machine");
}

TEST(MemoryShortage, SaysWhatIsNeededWhatThereIsAndWhatWouldFit) {
  const MemoryShortage shortage{
      "cpu",
      855 * kGiB,
      kGiB / 2,
      23 * kGiB,
      "the memory of the machine",
      {"[models.m] context_length = 4096 (needs 20.00 GiB)", "[models.m] slots = 1 (needs 9 GiB)"}};
  EXPECT_EQ(
      shortage.text(),
      "the plan needs 855.00 GiB on \"cpu\", 512.00 MiB of them for the process itself, 23.00 "
      "GiB are available: the memory of the machine\n"
      "  each of these is enough:\n"
      "    [models.m] context_length = 4096 (needs 20.00 GiB)\n"
      "    [models.m] slots = 1 (needs 9 GiB)\n"
      "  \"overcommit = true\" in [runtime] loads it all the same; `vernal plan` has the rows");
}

TEST(MemoryShortage, SaysThatNoSettingHelps) {
  const MemoryShortage shortage{"cuda:0", 20 * kGiB, 0, 16 * kGiB, "its memory", {}};
  EXPECT_THAT(shortage.text(), ::testing::HasSubstr("a smaller model file, or more memory"));
  EXPECT_THAT(shortage.summary(), ::testing::Not(::testing::HasSubstr("itself")));
}

}  // namespace
}  // namespace vernal
