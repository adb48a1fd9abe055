#include "module/op_registry.hpp"

#include <array>

namespace vernal {
namespace {

constexpr std::size_t kNumOps = 24;

std::array<const OpSpec*, kNumOps> collect() {
  std::array<const OpSpec*, kNumOps> ops{};
  std::size_t next = 0;
  for (const auto family : {interface_ops(), elementwise_ops(), layout_ops(), linear_ops(),
                            attention_ops(), recurrent_ops(), expert_ops()}) {
    for (const OpSpec& op : family) ops.at(next++) = &op;
  }
  return ops;
}

}  // namespace

std::span<const OpSpec* const> all_ops() noexcept {
  static const std::array<const OpSpec*, kNumOps> kOps = collect();
  return kOps;
}

const OpSpec* find_op(std::string_view id) noexcept {
  for (const OpSpec* op : all_ops()) {
    if (op->id == id) return op;
  }
  return nullptr;
}

}  // namespace vernal
