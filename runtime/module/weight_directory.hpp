// The weights of a model file as the builder sees them: names, formats and shapes, without the
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/module.hpp"

namespace vernal {

/// One stored tensor.
struct StoredWeight {
  std::string format;       ///< storage format id, "ggml.q4_k/1"
  Shape shape;              ///< logical, row-major: [N, K] for a linear
  std::uint64_t bytes = 0;  ///< stored size
};

/// Read access to a directory of tensors. Any thread; immutable.
class WeightDirectory {
 public:
  WeightDirectory() = default;
  WeightDirectory(const WeightDirectory&) = delete;
  WeightDirectory& operator=(const WeightDirectory&) = delete;
  virtual ~WeightDirectory() = default;

  /// The tensor of that name, or null. Lives as long as the directory.
  virtual const StoredWeight* find(std::string_view name) const = 0;
  /// All names, in the file's order.
  virtual std::vector<std::string> names() const = 0;
};

}  // namespace vernal
