#include "streamed_products.hpp"

#include <string>

#include "vernal/error.hpp"
#include "vernal/host.hpp"

namespace vernal::cpu_avx2 {

namespace {

const vernal_weight_stream_use& checked_use(const vernal_weight_stream_use& use) {
  if (use.api != nullptr && use.api->multiply != nullptr && use.stream != nullptr &&
      use.least_rows > 0) {
    return use;
  }
  throw Error(VERNAL_INVALID_ARGUMENT, "use_stream: a stream and its least rows are expected");
}

void warn_of_failure(std::int32_t status) noexcept {
  // Without memory for the text there is no warning.
  static_cast<void>(guard([&] {
    plugin_host().log(
        VERNAL_LOG_WARNING, "cpu_avx2",
        "the device computes no more products of large steps: " + plugin_host().take_error(status));
  }));
}

}  // namespace

StreamedProducts::StreamedProducts(const vernal_weight_stream_use& use, std::size_t num_weights)
    : api_(*checked_use(use).api),
      stream_(use.stream),
      covers_(num_weights, false),
      least_rows_(static_cast<std::int64_t>(use.least_rows)),
      most_rows_(static_cast<std::int64_t>(use.most_rows)) {
  for (std::uint64_t i = 0; i < use.num_weights; ++i) {
    if (use.weights[i] >= num_weights) {
      throw Error(VERNAL_INVALID_ARGUMENT,
                  "use_stream: the module has " + std::to_string(num_weights) +
                      " weights, found index " + std::to_string(use.weights[i]));
    }
    covers_[use.weights[i]] = true;
  }
}

void StreamedProducts::multiply(std::uint32_t weight, const float* x, std::int64_t num_rows,
                                float* y) noexcept {
  const std::int32_t status =
      api_.multiply(stream_, weight, x, static_cast<std::uint64_t>(num_rows), y);
  if (status == VERNAL_OK) return;
  has_failed_ = true;
  warn_of_failure(status);
}

}  // namespace vernal::cpu_avx2
