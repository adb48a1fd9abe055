// What `vernal bench` found, as JSON and back.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "command/bench/machine.hpp"
#include "command/bench/sweep.hpp"
#include "loading/open_deployment.hpp"

namespace vernal {

struct BenchResult {
  std::string model;  ///< name of its file
  MachineDescription machine;
  std::vector<OpenDeployment::BackendText> backends;
  double read_bandwidth = 0;          ///< bytes per second that decode is related to
  bool is_bandwidth_given = false;    ///< on the command line; else measured
  std::uint32_t reading_threads = 0;  ///< that measured it
  double load_seconds = 0;
  BenchOptions options;
  std::vector<BenchRow> rows;  ///< by depth, ascending
};

/// Everything but the rows.
boost::json::object title_json(const BenchResult& result);
boost::json::object row_json(const BenchRow& row);
/// A document with the rows as its member "rows".
boost::json::object to_json(const BenchResult& result);

/// Reads a document that to_json() made.
/// Errors  NOT_FOUND: no such file;  INVALID_ARGUMENT: it is none; the text names the file, the member
///         and what was expected
BenchResult read_bench_result(const std::filesystem::path& file);

/// One speed over the depths.
struct BenchSeries {
  std::string name;  ///< "prefill 512", "decode", "decode x4", "decode of 4 sequences"
  bool is_prefill = false;
  std::vector<std::pair<std::uint64_t, double>> points;  ///< depth and tokens per second
};

/// What a result measured, in the order of its options. Points that were not measured are left out.
std::vector<BenchSeries> series_of(const BenchResult& result);

}  // namespace vernal
