#include "loading/gguf_weight_store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/gguf_writer.hpp"
#include "support/temporary_folder.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kRow = 1024;  // bytes
constexpr std::uint64_t kPage = 4096;
/// The system may map pages of a file, and give them up, so many bytes at once.
constexpr std::uint64_t kLargePage = 2 * kMiB;

/// A file with two tensors of f32, of 1 and 16 MiB, and a module that has both.
class GgufWeightStoreTest : public ::testing::Test {
 protected:
  GgufWeightStoreTest() {
    test::GgufWriter writer;
    writer.add_string("general.architecture", "llama");
    add(writer, "small", kMiB, std::byte{1});
    add(writer, "large", 16 * kMiB, std::byte{2});
    const std::vector<std::byte> bytes = writer.bytes();
    path_ = folder_ / "weights.gguf";
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  void add(test::GgufWriter& writer, const std::string& name, std::uint64_t bytes, std::byte fill) {
    constexpr std::uint32_t kF32 = 0;
    writer.add_tensor(name, {kRow / 4, bytes / kRow}, kF32, std::vector<std::byte>(bytes, fill));
    Weight weight;
    weight.name = name;
    module_.weights.push_back(weight);
  }

  /// Bytes of these in the memory of this process, as the system counts them.
  static std::uint64_t resident_bytes(std::span<const std::byte> bytes) {
    const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()) / kPage;
    const auto end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size()) / kPage;
    std::vector<std::uint64_t> pages(end - begin);
    const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    const auto size = static_cast<ssize_t>(pages.size() * sizeof(std::uint64_t));
    EXPECT_EQ(::pread(pagemap, pages.data(), static_cast<std::size_t>(size),
                      static_cast<off_t>(begin * sizeof(std::uint64_t))),
              size);
    ::close(pagemap);
    std::uint64_t count = 0;
    for (const std::uint64_t page : pages) count += page >> 63U;  // whether it is present
    return count * kPage;
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path path_;
  Module module_;
};

TEST_F(GgufWeightStoreTest, ReleasedBytesLeaveMemoryAndStayReadable) {
  const GgufFile file = GgufFile::open(path_);
  GgufWeightStore store(file, module_);
  const std::span<const std::byte> large = store.map(1);
  std::uint64_t sum = 0;
  for (const std::byte byte : large) sum += std::to_integer<std::uint64_t>(byte);
  ASSERT_EQ(sum, 32 * kMiB);
  ASSERT_GE(resident_bytes(large), 16 * kMiB - 2 * kPage);
  store.release(1, 0, 10 * kMiB);
  EXPECT_LE(resident_bytes(large), 6 * kMiB + kLargePage);
  EXPECT_EQ(large[kMiB], std::byte{2});
}

TEST_F(GgufWeightStoreTest, RefusesToReleaseWhatAWeightDoesNotHave) {
  const GgufFile file = GgufFile::open(path_);
  GgufWeightStore store(file, module_);
  EXPECT_THROW(store.release(0, 1, kMiB), Error);
  EXPECT_THROW(store.release(0, kMiB + 1, 0), Error);
  EXPECT_THROW(store.release(2, 0, 0), Error);
  store.release(0, kMiB, 0);
}

}  // namespace
}  // namespace vernal
