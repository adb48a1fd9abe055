// Compares what a plan promises, what the backend says that it holds, and what the system has
// mapped.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "support/model_under_test.hpp"

namespace vernal::test {
namespace {

constexpr double kTolerance = 0.01;

bool is_within(std::uint64_t found, std::uint64_t expected) {
  const double difference = static_cast<double>(found) - static_cast<double>(expected);
  return std::abs(difference) <= kTolerance * static_cast<double>(expected);
}

/// The sizes in bytes of this process's mappings for which a page size was advised. Only cpu_avx2
/// does that in this process.
std::vector<std::uint64_t> advised_mappings() {
  std::vector<std::uint64_t> out;
  std::ifstream smaps("/proc/self/smaps");
  std::uint64_t kib = 0;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "Size:") words >> kib;
    if (word != "VmFlags:") continue;
    while (words >> word) {
      if (word == "hg" || word == "nh") out.push_back(kib * 1024);
    }
  }
  return out;
}

class MemoryPlan : public testing::TestWithParam<const char*> {};

TEST_P(MemoryPlan, IsWhatIsAllocatedRowByRow) {
  const std::filesystem::path file = std::filesystem::path(VERNAL_MODELS_DIR) / GetParam();
  if (!std::filesystem::exists(file)) {
    GTEST_SKIP() << "fetch it with tools/fetch_model.py: " << GetParam();
  }
  ModelOptions options;
  options.backend = "cpu_avx2";
  options.keys = options.values = "q8_0";
  options.context_length = 8192;
  ModelUnderTest model(file, options);
  const std::vector<std::uint64_t> mappings = advised_mappings();
  const std::vector<MemoryRow> report = model.program().memory_report();
  const std::vector<MemoryRow> plan = model.plan().rows();
  ASSERT_EQ(report.size(), plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(report[i].object, plan[i].object);
    EXPECT_TRUE(is_within(report[i].bytes, plan[i].bytes))
        << plan[i].object << ": planned " << plan[i].bytes << ", reported " << report[i].bytes;
    if (plan[i].category == VERNAL_MEMORY_MAPPED_FILE) continue;  // pages of the file
    EXPECT_TRUE(
        std::ranges::any_of(mappings, [&](auto size) { return is_within(size, plan[i].bytes); }))
        << plan[i].object << ": no mapping of " << plan[i].bytes << " bytes";
  }
}

INSTANTIATE_TEST_SUITE_P(Files, MemoryPlan,
                         testing::Values("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                                         "gemma-3-270m-q4_k_m.gguf"),
                         [](const auto& info) {
                           return std::string(info.param).starts_with("qwen") ? "Qwen" : "Gemma";
                         });

}  // namespace
}  // namespace vernal::test
