#include "command/bench/result.hpp"

#include <fmt/format.h>

#include <string_view>

#include "config/text_file.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kLargestDocument = 16 * 1024 * 1024;

/// 0 stands for what was not measured, which is null in the document.
boost::json::value number_or_null(double value) {
  return value == 0 ? boost::json::value(nullptr) : boost::json::value(value);
}

boost::json::array to_json(const std::vector<double>& values) {
  boost::json::array out;
  for (const double value : values) out.push_back(number_or_null(value));
  return out;
}

boost::json::object machine_json(const BenchResult& result) {
  const MachineDescription& machine = result.machine;
  boost::json::object backends;
  for (const auto& [backend, text] : result.backends) backends[backend] = text;
  return {
      {"processor", machine.processor},
      {"instruction_level", machine.instruction_level},
      {"threads", machine.num_threads},
      {"cores", machine.num_cores},
      {"compute_scaling", number_or_null(machine.compute_scaling)},
      {"memory_bytes", machine.memory_bytes},
      {"read_bandwidth_of_one_thread", number_or_null(machine.one_thread_bandwidth)},
      {"read_bandwidth_of_all_threads", number_or_null(machine.all_threads_bandwidth)},
      {"backends", std::move(backends)},
  };
}

boost::json::object operations_json(const std::vector<BenchOperation>& operations) {
  boost::json::object out;
  for (const BenchOperation& operation : operations) out[operation.name] = operation.milliseconds;
  return out;
}

/// Members of a document that may be anything.
class Members {
 public:
  Members(const boost::json::value& value, std::string place, const std::string& file)
      : file_(file), place_(std::move(place)) {
    if (!value.is_object()) refuse(place_.empty() ? "the document" : place_, "an object");
    object_ = &value.get_object();
  }

  const boost::json::value& require(std::string_view name) const {
    const boost::json::value* found = object_->if_contains(name);
    if (found == nullptr) refuse(path(name), "a member of that name");
    return *found;
  }
  std::string text(std::string_view name) const {
    const boost::json::value& value = require(name);
    if (!value.is_string()) refuse(path(name), "a string");
    return std::string(value.get_string());
  }
  std::uint64_t count(std::string_view name) const { return count_of(require(name), path(name)); }
  double number(std::string_view name) const { return number_of(require(name), path(name)); }
  std::vector<std::uint64_t> counts(std::string_view name) const {
    std::vector<std::uint64_t> out;
    for (const boost::json::value& value : array(name)) out.push_back(count_of(value, path(name)));
    return out;
  }
  /// `size` of them: one for each number of an option.
  std::vector<double> numbers(std::string_view name, std::size_t size) const {
    std::vector<double> out;
    for (const boost::json::value& value : array(name)) out.push_back(number_of(value, path(name)));
    if (out.size() != size) refuse(path(name), fmt::format("an array of {} numbers", size));
    return out;
  }
  const boost::json::array& array(std::string_view name) const {
    const boost::json::value& value = require(name);
    if (!value.is_array()) refuse(path(name), "an array");
    return value.get_array();
  }
  Members object(std::string_view name) const { return {require(name), path(name), file_}; }
  const boost::json::object& all() const { return *object_; }

 private:
  std::string path(std::string_view name) const {
    return place_.empty() ? std::string(name) : fmt::format("{}.{}", place_, name);
  }
  [[noreturn]] void refuse(const std::string& where, std::string_view expected) const {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: no result of `vernal bench --json`: {}: expected {}", file_, where,
                            expected));
  }
  std::uint64_t count_of(const boost::json::value& value, const std::string& where) const {
    if (value.is_int64() && value.get_int64() >= 0) {
      return static_cast<std::uint64_t>(value.get_int64());
    }
    if (!value.is_uint64()) refuse(where, "a whole number");
    return value.get_uint64();
  }
  double number_of(const boost::json::value& value, const std::string& where) const {
    if (value.is_null()) return 0;
    if (!value.is_number()) refuse(where, "a number or null");
    return value.to_number<double>();
  }

  const std::string& file_;
  std::string place_;
  const boost::json::object* object_ = nullptr;
};

void read_machine(const Members& members, BenchResult& result) {
  MachineDescription& machine = result.machine;
  machine.processor = members.text("processor");
  machine.instruction_level = members.text("instruction_level");
  machine.num_threads = static_cast<std::uint32_t>(members.count("threads"));
  machine.num_cores = static_cast<std::uint32_t>(members.count("cores"));
  machine.compute_scaling = members.number("compute_scaling");
  machine.memory_bytes = members.count("memory_bytes");
  machine.one_thread_bandwidth = members.number("read_bandwidth_of_one_thread");
  machine.all_threads_bandwidth = members.number("read_bandwidth_of_all_threads");
  const Members backends = members.object("backends");
  for (const auto& member : backends.all()) {
    result.backends.push_back({std::string(member.key()), backends.text(member.key())});
  }
}

BenchRow read_row(const Members& members, const BenchOptions& options) {
  BenchRow row;
  row.depth = members.count("depth");
  row.approach_tokens_per_second = members.number("approach_tokens_per_second");
  row.prefill_tokens_per_second =
      members.numbers("prefill_tokens_per_second", options.prefill_tokens.size());
  row.decode_tokens_per_second =
      members.numbers("decode_tokens_per_second", options.columns.size());
  row.together_tokens_per_second =
      members.numbers("together_tokens_per_second", options.sequences.size());
  row.bytes_per_step = members.count("bytes_per_step");
  row.bandwidth_share = members.numbers("bandwidth_share", options.columns.size());
  if (members.all().contains("instructions_per_byte")) {  // results of older versions lack it
    row.instructions_per_byte = members.number("instructions_per_byte");
  }
  return row;
}

}  // namespace

boost::json::object title_json(const BenchResult& result) {
  const BenchOptions& options = result.options;
  boost::json::object out{{"model", result.model},
                          {"machine", machine_json(result)},
                          {"read_bandwidth_bytes_per_second", result.read_bandwidth},
                          {"load_seconds", result.load_seconds},
                          {"prefill_tokens", boost::json::value_from(options.prefill_tokens)},
                          {"columns", boost::json::value_from(options.columns)},
                          {"sequences", boost::json::value_from(options.sequences)},
                          {"decode_steps", options.decode_steps},
                          {"repetitions", options.repetitions}};
  if (!result.is_bandwidth_given) out["threads"] = result.reading_threads;
  return out;
}

boost::json::object row_json(const BenchRow& row) {
  boost::json::object out{
      {"depth", row.depth},
      {"approach_tokens_per_second", number_or_null(row.approach_tokens_per_second)},
      {"prefill_tokens_per_second", to_json(row.prefill_tokens_per_second)},
      {"decode_tokens_per_second", to_json(row.decode_tokens_per_second)},
      {"together_tokens_per_second", to_json(row.together_tokens_per_second)},
      {"bytes_per_step", row.bytes_per_step},
      {"bandwidth_share", to_json(row.bandwidth_share)},
      {"instructions_per_byte", number_or_null(row.instructions_per_byte)}};
  if (!row.prefill_operations.empty()) {
    out["prefill_operations_ms"] = operations_json(row.prefill_operations);
  }
  if (!row.decode_operations.empty()) {
    out["decode_operations_ms"] = operations_json(row.decode_operations);
  }
  return out;
}

boost::json::object to_json(const BenchResult& result) {
  boost::json::object out = title_json(result);
  boost::json::array rows;
  for (const BenchRow& row : result.rows) rows.push_back(row_json(row));
  out["rows"] = std::move(rows);
  return out;
}

BenchResult read_bench_result(const std::filesystem::path& file) {
  const std::string name = file.string();
  const std::string text = read_text_file(name, "a result of `vernal bench`", kLargestDocument);
  boost::system::error_code error;
  const boost::json::value document = boost::json::parse(text, error);
  if (error) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: no result of `vernal bench --json`: it is no JSON: {}", name,
                            error.message()));
  }
  const Members members(document, "", name);
  BenchResult out;
  out.model = members.text("model");
  read_machine(members.object("machine"), out);
  out.read_bandwidth = members.number("read_bandwidth_bytes_per_second");
  out.is_bandwidth_given = !members.all().contains("threads");
  if (!out.is_bandwidth_given) {
    out.reading_threads = static_cast<std::uint32_t>(members.count("threads"));
  }
  out.load_seconds = members.number("load_seconds");
  out.options.prefill_tokens = members.counts("prefill_tokens");
  out.options.columns = members.counts("columns");
  out.options.sequences = members.counts("sequences");
  out.options.decode_steps = members.count("decode_steps");
  out.options.repetitions = static_cast<std::uint32_t>(members.count("repetitions"));
  std::size_t number = 0;
  for (const boost::json::value& row : members.array("rows")) {
    out.rows.push_back(read_row({row, fmt::format("rows[{}]", number++), name}, out.options));
  }
  return out;
}

std::vector<BenchSeries> series_of(const BenchResult& result) {
  std::vector<BenchSeries> out;
  const auto add = [&](std::string name, bool is_prefill, std::vector<double> BenchRow::*speeds,
                       std::size_t place) {
    BenchSeries& series = out.emplace_back(BenchSeries{std::move(name), is_prefill, {}});
    for (const BenchRow& row : result.rows) {
      const double speed = (row.*speeds)[place];
      if (speed > 0) series.points.emplace_back(row.depth, speed);
    }
  };
  const BenchOptions& options = result.options;
  for (std::size_t i = 0; i < options.prefill_tokens.size(); ++i) {
    add(fmt::format("prefill {}", options.prefill_tokens[i]), true,
        &BenchRow::prefill_tokens_per_second, i);
  }
  for (std::size_t i = 0; i < options.columns.size(); ++i) {
    const std::uint64_t columns = options.columns[i];
    add(columns == 1 ? "decode" : fmt::format("decode x{}", columns), false,
        &BenchRow::decode_tokens_per_second, i);
  }
  for (std::size_t i = 0; i < options.sequences.size(); ++i) {
    add(fmt::format("{} sequences", options.sequences[i]), false,
        &BenchRow::together_tokens_per_second, i);
  }
  return out;
}

}  // namespace vernal
