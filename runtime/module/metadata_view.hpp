// vernal_metadata_api over a MetadataSource and a WeightDirectory.
#pragma once

#include "module/metadata_source.hpp"
#include "module/weight_directory.hpp"
#include "vernal/abi/architecture.h"

namespace vernal {

/// What an architecture plugin reads. Borrows both sources, and must outlive every use of its
/// ref(). Control thread. Nothing is thrown across the interface.
class MetadataView {
 public:
  MetadataView(const MetadataSource& metadata, const WeightDirectory& weights)
      : metadata_(metadata), weights_(weights) {}
  MetadataView(const MetadataView&) = delete;
  MetadataView& operator=(const MetadataView&) = delete;

  vernal_metadata_ref ref() const noexcept;

  const MetadataSource& metadata() const noexcept { return metadata_; }
  const WeightDirectory& weights() const noexcept { return weights_; }

 private:
  const MetadataSource& metadata_;
  const WeightDirectory& weights_;
};

}  // namespace vernal
