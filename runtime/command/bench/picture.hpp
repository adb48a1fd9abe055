// A picture of speed over depth.
#pragma once

#include <string>
#include <vector>

#include "command/bench/result.hpp"

namespace vernal {

/// A curve of a picture.
struct BenchCurve {
  std::string label;
  bool is_dashed = false;
  BenchSeries series;
};

/// An SVG document: decode over depth, and prefill over depth beside it if there is one. All text in it is
/// escaped.
///   title   above the panels
std::string bench_picture(const std::string& title, const std::vector<BenchCurve>& curves);

/// The curves of one result.
std::vector<BenchCurve> curves_of(const BenchResult& result);
/// Those of two results: the same colour for the same measure, the second one dashed.
std::vector<BenchCurve> curves_of(const BenchResult& first, const BenchResult& second);

}  // namespace vernal
