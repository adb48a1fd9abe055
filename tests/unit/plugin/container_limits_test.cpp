// Hierarchies of control groups as machines and containers show them, made of files.
#include "vernal/container_limits.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr const char* kVersion2 =
    "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
constexpr const char* kVersion1 =
    "31 23 0:28 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
constexpr const char* kNoLimitOfVersion1 = "9223372036854771712\n";

class ContainerLimitsTest : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    const auto file = folder_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void process(const std::string& mounts, const std::string& groups) const {
    write("proc/self/mountinfo", mounts);
    write("proc/self/cgroup", groups);
  }
  ContainerLimits read() const { return read_container_limits(folder_.path()); }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(ContainerLimitsTest, FindsNoneWithoutControlGroups) {
  const ContainerLimits limits = read();
  EXPECT_EQ(limits.memory_bytes, std::nullopt);
  EXPECT_EQ(limits.cpus, std::nullopt);
  EXPECT_EQ(limits.limit_threads(8), 8);
}

TEST_F(ContainerLimitsTest, ReadsVersion2OfTheProcessOwnGroup) {
  process(kVersion2, "0::/app.slice/vernal.service\n");
  write("sys/fs/cgroup/app.slice/vernal.service/memory.max", "4294967296\n");
  write("sys/fs/cgroup/app.slice/vernal.service/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/app.slice/memory.max", "max\n");
  write("sys/fs/cgroup/app.slice/cpu.max", "max 100000\n");
  const ContainerLimits limits = read();
  EXPECT_EQ(limits.memory_bytes, 4 * kGiB);
  EXPECT_EQ(limits.cpus, 1.5);
}

TEST_F(ContainerLimitsTest, TakesTheLeastOfAllGroupsAbove) {
  process(kVersion2, "0::/a/b/c\n");
  write("sys/fs/cgroup/a/b/c/memory.max", "8589934592\n");
  write("sys/fs/cgroup/a/b/memory.max", "2147483648\n");
  write("sys/fs/cgroup/a/memory.max", "4294967296\n");
  write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  const ContainerLimits limits = read();
  EXPECT_EQ(limits.memory_bytes, 2 * kGiB);
  EXPECT_EQ(limits.cpus, 2.5);
}

TEST_F(ContainerLimitsTest, ReadsVersion2OfAContainerWithANamespaceOfItsOwn) {
  process(kVersion2, "0::/\n");
  write("sys/fs/cgroup/memory.max", "1073741824\n");
  write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(read().memory_bytes, kGiB);
  EXPECT_EQ(read().cpus, 2.0);
}

TEST_F(ContainerLimitsTest, ReadsVersion1FromTheHierarchyOfEachController) {
  process(kVersion1,
          "9:name=systemd:/\n4:memory:/pods/one\n3:cpuset:/\n1:cpu,cpuacct:/pods/one\n0::/\n");
  write("sys/fs/cgroup/memory/pods/one/memory.limit_in_bytes", kNoLimitOfVersion1);
  write("sys/fs/cgroup/memory/pods/memory.limit_in_bytes", "3221225472\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", kNoLimitOfVersion1);
  write("sys/fs/cgroup/cpu,cpuacct/pods/one/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu,cpuacct/pods/one/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpu,cpuacct/pods/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/pods/cpu.cfs_period_us", "100000\n");
  const ContainerLimits limits = read();
  EXPECT_EQ(limits.memory_bytes, 3 * kGiB);
  EXPECT_EQ(limits.cpus, 0.5);
}

TEST_F(ContainerLimitsTest, SeesNoLimitInVersion1WithoutOne) {
  process(kVersion1, "4:memory:/\n1:cpu,cpuacct:/\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", kNoLimitOfVersion1);
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(read().memory_bytes, std::nullopt);
  EXPECT_EQ(read().cpus, std::nullopt);
}

// Without a namespace the process is named by its path on the host, and that group is mounted as
// the top.
TEST_F(ContainerLimitsTest, ReadsAContainerThatSeesItsGroupAsTheTop) {
  process("35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro master:12 - cgroup cgroup rw,memory\n",
          "4:memory:/docker/abc/inner\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
  write("sys/fs/cgroup/memory/inner/memory.limit_in_bytes", kNoLimitOfVersion1);
  EXPECT_EQ(read().memory_bytes, kGiB);
}

TEST_F(ContainerLimitsTest, TakesTheTopForAGroupThatCannotBeSeen) {
  for (const std::string group : {"/../../elsewhere", "/gone/since", "/"}) {
    process(kVersion2, "0::" + group + "\n");
    write("sys/fs/cgroup/memory.max", "1073741824\n");
    EXPECT_EQ(read().memory_bytes, kGiB) << group;
  }
}

TEST_F(ContainerLimitsTest, ReadsMountPointsWithBlanks) {
  process("31 23 0:28 / /my\\040groups rw - cgroup2 cgroup2 rw\n", "0::/\n");
  write("my groups/memory.max", "1073741824\n");
  EXPECT_EQ(read().memory_bytes, kGiB);
}

TEST_F(ContainerLimitsTest, IgnoresWhatIsNoNumber) {
  process(kVersion2, "0::/\nnonsense\n7:\n");
  for (const std::string text : {"", "\n", "many\n", "-5\n", "12x\n"}) {
    write("sys/fs/cgroup/memory.max", text);
    write("sys/fs/cgroup/cpu.max", text);
    EXPECT_EQ(read().memory_bytes, std::nullopt) << text;
    EXPECT_EQ(read().cpus, std::nullopt) << text;
  }
}

TEST_F(ContainerLimitsTest, GivesThreadsTheWholeCoresOfTheQuota) {
  const auto threads = [](double cpus, std::int64_t cores) {
    return ContainerLimits{std::nullopt, cpus}.limit_threads(cores);
  };
  EXPECT_EQ(threads(4, 16), 4);
  EXPECT_EQ(threads(1.5, 16), 1);
  EXPECT_EQ(threads(0.25, 16), 1);
  EXPECT_EQ(threads(32, 16), 16);
}

}  // namespace
}  // namespace vernal
