// vernal.ext.weight_stream/1 of this backend (vernal/abi/weight_stream.h).
#pragma once

#include "vernal/abi/weight_stream.h"

namespace vernal::cuda_sm86 {

/// Static storage.
const vernal_weight_stream_api& weight_stream_table();

}  // namespace vernal::cuda_sm86
