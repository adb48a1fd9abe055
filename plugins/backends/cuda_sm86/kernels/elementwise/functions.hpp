// The functions of act/1 and glu/1 for one number (sdk/spec/operations.md, section 3).
#pragma once

#include "kernels/device.hpp"
#include "shared/compile/function_kinds.hpp"

namespace vernal::cuda_sm86 {

__device__ __forceinline__ float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

__device__ __forceinline__ float gelu_tanh(float x) {
  return 0.5F * x * (1.0F + tanhf(0.7978845608028654F * (x + 0.044715F * x * x * x)));
}

__device__ __forceinline__ float gelu_erf(float x) {
  return 0.5F * x * (1.0F + erff(x * 0.7071067811865476F));
}

__device__ __forceinline__ float activate(backend::Activation kind, float x) {
  using backend::Activation;
  switch (kind) {
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kGeluTanh:
      return gelu_tanh(x);
    case Activation::kGeluErf:
      return gelu_erf(x);
    case Activation::kRelu:
      return fmaxf(x, 0.0F);
    case Activation::kRelu2:
      return fmaxf(x, 0.0F) * fmaxf(x, 0.0F);
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kSoftplus:
      return x > 20.0F ? x : log1pf(expf(x));
    case Activation::kTanh:
      return tanhf(x);
    case Activation::kExp:
      return expf(x);
  }
  return x;
}

__device__ __forceinline__ float gated(backend::Glu kind, float gate, float up, float alpha,
                                       float limit) {
  using backend::Glu;
  switch (kind) {
    case Glu::kSwiglu:
      return gate * sigmoid(gate) * up;
    case Glu::kGegluTanh:
      return gelu_tanh(gate) * up;
    case Glu::kGegluErf:
      return gelu_erf(gate) * up;
    case Glu::kReglu:
      return fmaxf(gate, 0.0F) * up;
    case Glu::kSwigluOai: {
      const float g = fminf(gate, limit);
      const float u = fminf(fmaxf(up, -limit), limit);
      return g * sigmoid(alpha * g) * (u + 1.0F);
    }
  }
  return up;
}

}  // namespace vernal::cuda_sm86
