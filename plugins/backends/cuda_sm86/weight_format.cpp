#include "weight_format.hpp"

#include <algorithm>
#include <array>

#include "shared/weights/affine_form.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr std::array<WeightFormat, 11> kFormats{{
    {"f32", &kF32Kernels},
    {"f16", &kF16Kernels},
    {"bf16", &kBf16Kernels},
    {"ggml.q4_0/1", &kQ4_0Kernels},
    {"ggml.q8_0/1", &kQ8_0Kernels},
    {"ggml.iq4_nl/1", &kIq4NlKernels},
    {"ggml.q4_k/1", &kQ4KKernels},
    {"ggml.q5_k/1", &kQ5KKernels},
    {"ggml.q6_k/1", &kQ6KKernels},
    {"ggml.iq4_xs/1", &kIq4XsKernels},
    {"ggml.iq4_ks/1", &kIq4KsKernels},
}};

constexpr WeightFormat kEightBit{"8-bit", &kEightBitKernels, 256, backend::kEightBitBlockBytes};
constexpr WeightFormat kAffine32{"8-bit affine", &kAffine32Kernels, 32, backend::kAffine32Bytes};
constexpr WeightFormat kAffine256{"8-bit affine, 256", &kAffine256Kernels, 256,
                                  backend::kAffine256Bytes};

/// A form, and what converts rows into it.
struct Form {
  const WeightFormat* format;
  backend::WriteEightBitRow* (*find_writer)(std::string_view id);
};

constexpr std::array<Form, 3> kForms{{
    {&kEightBit, backend::find_eight_bit_writer},
    {&kAffine32, backend::find_affine32_writer},
    {&kAffine256, backend::find_affine256_writer},
}};

}  // namespace

const WeightFormat* find_weight_format(std::string_view id) {
  const auto found = std::ranges::find(kFormats, id, &WeightFormat::id);
  if (found != kFormats.end()) return &*found;
  for (const Form& form : kForms) {
    if (form.find_writer(id) != nullptr) return form.format;
  }
  return nullptr;
}

backend::WriteEightBitRow* find_converter(std::string_view id) {
  for (const Form& form : kForms) {
    if (backend::WriteEightBitRow* const writer = form.find_writer(id)) return writer;
  }
  return nullptr;
}

}  // namespace vernal::cuda_sm86
