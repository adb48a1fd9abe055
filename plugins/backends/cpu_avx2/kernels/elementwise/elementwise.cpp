#include "kernels/elementwise/elementwise.hpp"

#include <cmath>

#include "kernels/simd.hpp"
#include "kernels/vector_math.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Calls body(load, store) per eight numbers of [first, last), the last ones under a mask. Loads of
/// missing lanes give 0, so no lane computes on foreign memory.
template <class Body>
void for_each_eight(std::int64_t first, std::int64_t last, Body&& body) {
  std::int64_t i = first;
  for (; i + kLanes <= last; i += kLanes) {
    body([i](const float* p) { return _mm256_loadu_ps(p + i); },
         [i](float* p, __m256 v) { _mm256_storeu_ps(p + i, v); });
  }
  if (i < last) {
    const __m256i mask = lane_mask(last - i);
    body([i, mask](const float* p) { return _mm256_maskload_ps(p + i, mask); },
         [i, mask](float* p, __m256 v) { _mm256_maskstore_ps(p + i, mask, v); });
  }
}

/// f on each lane by itself, for functions off the hot path.
template <class Function>
__m256 per_lane(__m256 x, Function&& f) {
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes, x);
  for (float& lane : lanes) lane = f(lane);
  return _mm256_load_ps(lanes);
}

__m256 silu(__m256 x) { return _mm256_mul_ps(x, sigmoid_ps(x)); }

/// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) = x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))
__m256 gelu_tanh(__m256 x) {
  const __m256 cube = _mm256_mul_ps(_mm256_mul_ps(x, x), x);
  const __m256 inner = _mm256_fmadd_ps(cube, _mm256_set1_ps(0.044715F), x);
  return _mm256_mul_ps(x, sigmoid_ps(_mm256_mul_ps(inner, _mm256_set1_ps(1.59576912F))));
}

__m256 gelu_erf(__m256 x) {
  return per_lane(x, [](float v) { return 0.5F * v * (1.0F + std::erf(v * 0.70710678F)); });
}

__m256 relu(__m256 x) { return _mm256_max_ps(x, _mm256_setzero_ps()); }

__m256 relu2(__m256 x) { return _mm256_mul_ps(relu(x), relu(x)); }

__m256 softplus(__m256 x) {
  return per_lane(x,
                  [](float v) { return std::fmax(v, 0.0F) + std::log1p(std::exp(-std::fabs(v))); });
}

template <class Function>
void map(const float* x, float* y, std::int64_t first, std::int64_t last, Function&& f) {
  for_each_eight(first, last, [&](auto load, auto store) { store(y, f(load(x))); });
}

template <class Function>
void gate_row(const GluRows& glu, std::int64_t row, Function&& f) {
  const float* gate = glu.gate + row * glu.gate_stride;
  const float* up = glu.up + row * glu.up_stride;
  float* y = glu.y + row * glu.y_stride;
  for_each_eight(0, glu.num_columns,
                 [&](auto load, auto store) { store(y, _mm256_mul_ps(f(load(gate)), load(up))); });
}

void swiglu_oai_row(const GluRows& glu, std::int64_t row) {
  const float* gate = glu.gate + row * glu.gate_stride;
  const float* up = glu.up + row * glu.up_stride;
  float* y = glu.y + row * glu.y_stride;
  const __m256 limit = _mm256_set1_ps(glu.limit);
  const __m256 alpha = _mm256_set1_ps(glu.alpha);
  for_each_eight(0, glu.num_columns, [&](auto load, auto store) {
    const __m256 g = _mm256_min_ps(load(gate), limit);
    const __m256 low = _mm256_sub_ps(_mm256_setzero_ps(), limit);
    const __m256 u = _mm256_max_ps(low, _mm256_min_ps(load(up), limit));
    const __m256 gated = _mm256_mul_ps(g, sigmoid_ps(_mm256_mul_ps(alpha, g)));
    store(y, _mm256_mul_ps(gated, _mm256_add_ps(u, _mm256_set1_ps(1.0F))));
  });
}

template <class Operation>
void combine_row(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step, float* y,
                 std::int64_t count, Operation&& op) {
  for_each_eight(0, count, [&](auto load, auto store) {
    const __m256 left = a_step == 0 ? _mm256_set1_ps(*a) : load(a);
    const __m256 right = b_step == 0 ? _mm256_set1_ps(*b) : load(b);
    store(y, op(left, right));
  });
}

}  // namespace

void activate(Activation kind, const float* x, float* y, std::int64_t first, std::int64_t last) {
  switch (kind) {
    case Activation::kSilu:
      map(x, y, first, last, silu);
      break;
    case Activation::kGeluTanh:
      map(x, y, first, last, gelu_tanh);
      break;
    case Activation::kGeluErf:
      map(x, y, first, last, gelu_erf);
      break;
    case Activation::kRelu:
      map(x, y, first, last, relu);
      break;
    case Activation::kRelu2:
      map(x, y, first, last, relu2);
      break;
    case Activation::kSigmoid:
      map(x, y, first, last, sigmoid_ps);
      break;
    case Activation::kSoftplus:
      map(x, y, first, last, softplus);
      break;
    case Activation::kTanh:
      map(x, y, first, last, tanh_ps);
      break;
    case Activation::kExp:
      map(x, y, first, last, exp_ps);
      break;
  }
}

void glu_rows(const GluRows& glu, std::int64_t first, std::int64_t last) {
  for (std::int64_t row = first; row < last; ++row) {
    switch (glu.kind) {
      case Glu::kSwiglu:
        gate_row(glu, row, silu);
        break;
      case Glu::kGegluTanh:
        gate_row(glu, row, gelu_tanh);
        break;
      case Glu::kGegluErf:
        gate_row(glu, row, gelu_erf);
        break;
      case Glu::kReglu:
        gate_row(glu, row, relu);
        break;
      case Glu::kSwigluOai:
        swiglu_oai_row(glu, row);
        break;
    }
  }
}

void binary_rows(const BinaryRows& binary, std::int64_t first, std::int64_t last) {
  const auto& dims = binary.dims;
  for (std::int64_t row = first; row < last; ++row) {
    const std::array<std::int64_t, 3> index{row / (dims[1] * dims[2]), row / dims[2] % dims[1],
                                            row % dims[2]};
    const float* a = binary.a;
    const float* b = binary.b;
    for (std::size_t d = 0; d < index.size(); ++d) {
      a += index[d] * binary.a_strides[d];
      b += index[d] * binary.b_strides[d];
    }
    float* y = binary.y + row * dims[3];
    if (binary.kind == Binary::kAdd) {
      combine_row(a, binary.a_strides[3], b, binary.b_strides[3], y, dims[3],
                  [](__m256 l, __m256 r) { return _mm256_add_ps(l, r); });
    } else {
      combine_row(a, binary.a_strides[3], b, binary.b_strides[3], y, dims[3],
                  [](__m256 l, __m256 r) { return _mm256_mul_ps(l, r); });
    }
  }
}

void scale(const float* x, float factor, float* y, std::int64_t first, std::int64_t last) {
  const __m256 f = _mm256_set1_ps(factor);
  map(x, y, first, last, [f](__m256 v) { return _mm256_mul_ps(v, f); });
}

void add_scaled(const float* x, float factor, float* y, std::int64_t first, std::int64_t last) {
  const __m256 f = _mm256_set1_ps(factor);
  for_each_eight(first, last,
                 [&](auto load, auto store) { store(y, _mm256_fmadd_ps(load(x), f, load(y))); });
}

void softcap(const float* x, float c, float* y, std::int64_t first, std::int64_t last) {
  const __m256 cap = _mm256_set1_ps(c);
  map(x, y, first, last,
      [cap](__m256 v) { return _mm256_mul_ps(cap, tanh_ps(_mm256_div_ps(v, cap))); });
}

}  // namespace vernal::cpu_avx2
