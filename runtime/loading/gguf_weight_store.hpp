// The bytes of a module's weights, straight from the mapped model file.
#pragma once

#include <span>
#include <vector>

#include "model/gguf_file.hpp"
#include "plugin/weight_store.hpp"
#include "vernal/module.hpp"

namespace vernal {

/// Borrows the file, which must outlive what maps weights. Thread of the build.
class GgufWeightStore final : public plugin::WeightStore {
 public:
  /// Errors  NOT_FOUND: a weight of the module is not in the file.
  GgufWeightStore(const GgufFile& file, const Module& module);

  void read(std::uint64_t index, std::uint64_t offset, std::span<std::byte> destination) override;
  std::span<const std::byte> map(std::uint64_t index) override;
  void unmap(std::uint64_t index) override;
  /// Errors  INVALID_ARGUMENT: the weight has not so many bytes
  void release(std::uint64_t index, std::uint64_t offset, std::uint64_t size) override;

  /// The weights that are mapped now: after a build, those that the backend uses in place.
  std::vector<std::span<const std::byte>> kept() const;

 private:
  const GgufTensor& tensor(std::uint64_t index) const;
  /// A part of a weight.
  std::span<const std::byte> part(std::uint64_t index, std::uint64_t offset,
                                  std::uint64_t size) const;

  const GgufFile& file_;
  std::vector<const GgufTensor*> tensors_;  // by weight index
  std::vector<bool> is_mapped_;             // likewise
};

}  // namespace vernal
