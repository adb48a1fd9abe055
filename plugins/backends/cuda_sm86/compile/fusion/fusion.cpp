#include "compile/fusion/fusion.hpp"

#include <utility>

namespace vernal::cuda_sm86 {

OperationList::Operations fuse_operations(OperationList::Operations operations,
                                          std::span<const BufferId> results) {
  OperationList list(std::move(operations), results);
  fuse_attention(list);
  fuse_epilogues(list);
  fuse_slices(list);
  fuse_norms(list);
  fuse_quantization(list);
  fuse_norm_pairs(list);
  fuse_normed_rules(list);
  fuse_products(list);
  return list.take();
}

}  // namespace vernal::cuda_sm86
