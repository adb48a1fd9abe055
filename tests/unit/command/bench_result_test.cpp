#include "command/bench/result.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <boost/json.hpp>
#include <fstream>

#include "command/bench/comparison.hpp"
#include "command/bench/picture.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Two depths; at the second one no prefill was measured.
BenchResult some_result(double factor) {
  BenchResult out;
  out.model = "tiny.gguf";
  out.machine.processor = "A Processor";
  out.machine.num_threads = 2;
  out.machine.num_cores = 2;
  out.machine.compute_scaling = 1.9;
  out.backends = {{"cpu", "kernels for something"}};
  out.read_bandwidth = 40e9;
  out.reading_threads = 2;
  out.load_seconds = 0.5;
  out.options.prefill_tokens = {64};
  out.options.columns = {1, 4};
  out.options.sequences = {2};
  BenchRow near;
  near.prefill_tokens_per_second = {100 * factor};
  near.decode_tokens_per_second = {20 * factor, 50 * factor};
  near.together_tokens_per_second = {36 * factor};
  near.bytes_per_step = 1000;
  near.bandwidth_share = {0.5, 0.25};
  near.instructions_per_byte = 1.5;
  BenchRow far = near;
  far.depth = 4096;
  far.approach_tokens_per_second = 90;
  far.prefill_tokens_per_second = {0};
  far.decode_operations = {{"vernal.linear/1", 3.5}, {"vernal.rope/1", 0.25}};
  out.rows = {near, far};
  return out;
}

class BenchFiles : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    const std::filesystem::path path =
        std::filesystem::path(testing::TempDir()) /
        (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".json");
    std::ofstream(path) << text;
    return path;
  }
  std::string refusal(const std::string& text) {
    try {
      read_bench_result(write(text));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), VERNAL_INVALID_ARGUMENT);
      return error.what();
    }
    return "accepted";
  }
};

TEST_F(BenchFiles, ReadWhatWasWritten) {
  const BenchResult result = some_result(1);
  const std::string text = boost::json::serialize(to_json(result));
  const BenchResult again = read_bench_result(write(text));
  EXPECT_EQ(again.machine.processor, "A Processor");
  EXPECT_EQ(again.rows.at(1).prefill_tokens_per_second, std::vector<double>{0});
  boost::json::object expected = to_json(result);
  expected["rows"].get_array()[1].get_object().erase("decode_operations_ms");  // not compared
  EXPECT_EQ(boost::json::serialize(to_json(again)), boost::json::serialize(expected));
}

TEST_F(BenchFiles, RefusesOthersByMemberAndExpectation) {
  EXPECT_THAT(refusal("{"), HasSubstr("it is no JSON"));
  EXPECT_THAT(refusal("[]"), HasSubstr("the document: expected an object"));
  EXPECT_THAT(refusal("{}"), HasSubstr("model: expected a member of that name"));
  boost::json::object document = to_json(some_result(1));
  document["machine"].get_object()["threads"] = -1;
  EXPECT_THAT(refusal(boost::json::serialize(document)),
              HasSubstr("machine.threads: expected a whole number"));
  document = to_json(some_result(1));
  document["rows"].get_array()[1].get_object()["decode_tokens_per_second"] =
      boost::json::array{1.0};
  EXPECT_THAT(refusal(boost::json::serialize(document)),
              HasSubstr("rows[1].decode_tokens_per_second: expected an array of 2 numbers"));
}

TEST(BenchSeries, LeaveOutWhatWasNotMeasured) {
  const std::vector<BenchSeries> series = series_of(some_result(1));
  ASSERT_EQ(series.size(), 4U);
  EXPECT_EQ(series[0].name, "prefill 64");
  EXPECT_EQ(series[0].points.size(), 1U);
  EXPECT_EQ(series[2].name, "decode x4");
  EXPECT_EQ(series[3].name, "2 sequences");
  EXPECT_EQ(series[3].points.at(1), std::make_pair(std::uint64_t{4096}, 36.0));
}

TEST(BenchComparison, PutsCommonSpeedsSideBySide) {
  BenchResult second = some_result(1.5);
  second.options.columns = {1};
  for (BenchRow& row : second.rows) row.decode_tokens_per_second.resize(1);
  const std::string text = comparison_text(some_result(1), second);
  EXPECT_THAT(text, HasSubstr("B / A: 1.500\n"));
  EXPECT_THAT(text, HasSubstr("only one has them: 2 speeds"));
  EXPECT_THAT(text, Not(HasSubstr("decode x4")));
  EXPECT_THAT(text, Not(HasSubstr("different models")));
  EXPECT_THAT(text, HasSubstr("A Processor, 2 threads on 2 cores, together 1.90 times one, 40.0"));
}

TEST(BenchComparison, RefusesResultsWithoutACommonSpeed) {
  BenchResult second = some_result(1);
  for (BenchRow& row : second.rows) row.depth += 1;
  EXPECT_THROW(comparison_text(some_result(1), second), Error);
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST(BenchPicture, HasADotForEachSpeedAndEscapesText) {
  const std::string svg = bench_picture("<a & \"b\">", curves_of(some_result(1)));
  EXPECT_THAT(svg, HasSubstr("&lt;a &amp; &quot;b&quot;&gt;"));
  EXPECT_EQ(count(svg, "<circle"), 7U);
  EXPECT_EQ(count(svg, "stroke-dasharray"), 0U);
  const std::string both = bench_picture("t", curves_of(some_result(1), some_result(2)));
  EXPECT_EQ(count(both, "<circle"), 14U);
  EXPECT_EQ(count(both, "stroke-dasharray"), 8U);  // four curves and their lines in the legend
}

// The highest speed is at the top of the panel, depth 0 at its left, the greatest depth at its right.
TEST(BenchPicture, PutsSpeedsWhereTheyBelong) {
  BenchResult result = some_result(1);
  result.options.prefill_tokens.clear();
  result.options.columns = {1};
  result.options.sequences.clear();
  for (BenchRow& row : result.rows) {
    row.prefill_tokens_per_second.clear();
    row.decode_tokens_per_second.resize(1);
    row.together_tokens_per_second.clear();
  }
  result.rows[1].decode_tokens_per_second = {10};
  const std::string svg = bench_picture("t", curves_of(result));
  EXPECT_THAT(svg, HasSubstr("<path d=\"M70.0 60.0L530.0 210.0\""));
}

TEST(BenchMachine, ReadsProcessorAndCores) {
  const std::filesystem::path root = std::filesystem::path(testing::TempDir()) / "machine";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root / "proc");
  std::ofstream(root / "proc/cpuinfo") << "processor\t: 0\nmodel name\t: A Name\n";
  const MachineDescription without = describe_machine(root);
  EXPECT_EQ(without.processor, "A Name");
  EXPECT_EQ(without.num_cores, 0U);  // nothing tells of cores here
  ASSERT_GE(without.num_threads, 1U);
  cpu_set_t set;
  CPU_ZERO(&set);
  ASSERT_EQ(::sched_getaffinity(0, sizeof(set), &set), 0);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(static_cast<std::size_t>(i), &set)) continue;
    const std::filesystem::path folder =
        root / "sys/devices/system/cpu" / ("cpu" + std::to_string(i)) / "topology";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "thread_siblings_list") << "0-1023\n";
  }
  EXPECT_EQ(describe_machine(root).num_cores, 1U);  // all are siblings
}

TEST(BenchMachine, SaysThatThreadsComputeAsSiblings) {
  MachineDescription machine;
  machine.num_threads = machine.num_cores = 2;
  machine.compute_scaling = 1.9;
  EXPECT_THAT(cores_text(machine), Not(HasSubstr("siblings")));
  machine.compute_scaling = 1.1;
  EXPECT_THAT(cores_text(machine), HasSubstr("siblings"));
  machine.num_cores = 1;  // the system says so itself
  EXPECT_THAT(cores_text(machine), Not(HasSubstr("siblings")));
}

}  // namespace
}  // namespace vernal
