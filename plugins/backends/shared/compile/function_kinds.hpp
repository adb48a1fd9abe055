// The functions of act/1 and glu/1 (sdk/spec/operations.md). Kernels of devices include this file:
// it needs no standard library.
#pragma once

namespace vernal::backend {

enum class Activation : unsigned char {
  kSilu,
  kGeluTanh,
  kGeluErf,
  kRelu,
  kRelu2,
  kSigmoid,
  kSoftplus,
  kTanh,
  kExp,
};

enum class Glu : unsigned char { kSwiglu, kGegluTanh, kGegluErf, kReglu, kSwigluOai };

}  // namespace vernal::backend
