#include <array>

#include "compile/fusion/fusion.hpp"
#include "operations/linear.hpp"

namespace vernal::cuda_sm86 {

void fuse_quantization(OperationList& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto* quantize = list.find<QuantizeOperation>(i);
    if (quantize == nullptr) continue;
    const QuantizeOperation::Parameters& p = quantize->parameters();
    const std::size_t writer = list.writer(p.x);
    if (writer == OperationList::kNone) continue;
    auto fused = list.at(writer)->with_blocks(p.x, p.result, list.num_readers(p.x) > 1);
    if (fused != nullptr) list.fuse(std::array{writer, i}, std::move(fused));
  }
}

}  // namespace vernal::cuda_sm86
