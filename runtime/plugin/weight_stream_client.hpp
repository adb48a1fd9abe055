// A stream of weights as the core uses it (vernal/abi/weight_stream.h): C++ objects over its table.
// They keep the rules of backend_client.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "plugin/backend_table.hpp"
#include "plugin/weight_store.hpp"
#include "vernal/abi/weight_stream.h"
#include "vernal/backend_types.hpp"

namespace vernal::plugin {

/// When a program gives a product to a stream.
struct WeightStreamUse {
  std::vector<std::uint64_t> weights;  ///< of the module, that the stream covers
  std::uint64_t least_rows = 0;
  std::uint64_t most_rows = 0;
};

/// A device that multiplies with weights of a model file. Outlives the programs that use it.
class WeightStream {
 public:
  /// What is allocated. Control thread.
  std::vector<MemoryRow> memory_report() const;
  /// Any thread.
  vernal_weight_stream_stats stats() const;

 private:
  friend class WeightStreamPlan;
  friend class BackendProgram;
  WeightStream(const BackendTable* table, const vernal_weight_stream_api* api,
               vernal_weight_stream* stream)
      : table_(table), api_(api), stream_(stream, api->close) {}

  const BackendTable* table_;
  const vernal_weight_stream_api* api_;
  OwnedHandle<vernal_weight_stream> stream_;
};

/// What a stream covers and will allocate. Control thread.
class WeightStreamPlan {
 public:
  bool covers(std::uint64_t weight) const;
  /// None: no weight is covered.
  std::vector<MemoryRow> rows() const;
  /// Once. `weights` outlives the stream.
  /// Errors  UNAVAILABLE: the device cannot be used;  those of the store
  WeightStream open(WeightStore& weights);

 private:
  friend class BackendInstance;
  /// The table of a backend's streams; null: it has none.
  static const vernal_weight_stream_api* find_table(const vernal_backend_api& api);
  WeightStreamPlan(const BackendTable& table, vernal_backend* backend, vernal_module_ref module,
                   std::uint64_t most_rows);

  const BackendTable* table_;
  const vernal_weight_stream_api* api_;
  OwnedHandle<vernal_weight_stream_plan> plan_;
};

}  // namespace vernal::plugin
