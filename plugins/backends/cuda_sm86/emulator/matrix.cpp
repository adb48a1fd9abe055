// Products of a warp. The lane that comes last gathers the fragments of all lanes, computes the
// product once, and puts the sums where each lane wants them.

#include <array>
#include <cstdint>
#include <cstring>

#include "emulator/block.hpp"
#include "emulator/numbers.hpp"
#include "emulator/warp.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

constexpr unsigned kRowsOfA = 16;
constexpr unsigned kColumnsOfB = 8;

// Where the fragments of lane l begin: row or column l / 4, and the l % 4th part of it.
constexpr unsigned group_of(unsigned lane) { return lane / 4; }
constexpr unsigned part_of(unsigned lane) { return lane % 4; }

template <class Number, unsigned kDepth>
struct Factors {
  std::array<std::array<Number, kDepth>, kRowsOfA> rows;        // of A
  std::array<std::array<Number, kDepth>, kColumnsOfB> columns;  // of B
};

// The four bytes of a register, as factors of 16 bits: processors multiply those faster.
void put_bytes(std::int16_t* to, std::uint32_t bytes) {
  std::array<std::int8_t, 4> parts;
  std::memcpy(parts.data(), &bytes, sizeof bytes);
  for (unsigned i = 0; i < parts.size(); ++i) {
    to[i] = parts[i];
  }
}

// The two binary16 of a register.
void put_halves(float* to, std::uint32_t halves) {
  to[0] = float_of_half(static_cast<std::uint16_t>(halves & 0xFFFFU));
  to[1] = float_of_half(static_cast<std::uint16_t>(halves >> 16));
}

// The four sums of a lane stand in rows g and g + 8, columns 2t and 2t + 1.
template <class Sum, class Value>
void add_to_lanes(Warp& warp, const Value& value) {
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    auto* const d = static_cast<Sum*>(warp.operands[lane].d);
    const unsigned row = group_of(lane);
    const unsigned column = 2 * part_of(lane);
    for (unsigned i = 0; i < 4; ++i) {
      value(d[i], row + i / 2 * 8, column + i % 2);
    }
  }
}

template <unsigned kDepth>
void finish_s8(Warp& warp, unsigned) {
  constexpr unsigned kParts = kDepth / 16;  // registers of a row in one lane
  Factors<std::int16_t, kDepth> factors;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    const MatrixOperands& operands = warp.operands[lane];
    const unsigned at = 4 * part_of(lane);
    for (unsigned part = 0; part < kParts; ++part) {
      put_bytes(&factors.rows[group_of(lane)][at + 16 * part], operands.a[2 * part]);
      put_bytes(&factors.rows[group_of(lane) + 8][at + 16 * part], operands.a[2 * part + 1]);
      put_bytes(&factors.columns[group_of(lane)][at + 16 * part], operands.b[part]);
    }
  }
  add_to_lanes<std::int32_t>(warp, [&](std::int32_t& d, unsigned row, unsigned column) {
    const std::int16_t* const a = factors.rows[row].data();
    const std::int16_t* const b = factors.columns[column].data();
    std::int32_t sum = 0;
    for (unsigned k = 0; k < kDepth; ++k) {
      sum += a[k] * b[k];
    }
    d = wrapping_sum(d, sum);
  });
}

void finish_f16(Warp& warp, unsigned) {
  constexpr unsigned kDepth = 16;
  Factors<float, kDepth> factors;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    const MatrixOperands& operands = warp.operands[lane];
    const unsigned at = 2 * part_of(lane);
    for (unsigned part = 0; part < 2; ++part) {
      put_halves(&factors.rows[group_of(lane)][at + 8 * part], operands.a[2 * part]);
      put_halves(&factors.rows[group_of(lane) + 8][at + 8 * part], operands.a[2 * part + 1]);
      put_halves(&factors.columns[group_of(lane)][at + 8 * part], operands.b[part]);
    }
  }
  add_to_lanes<float>(warp, [&](float& d, unsigned row, unsigned column) {
    const float* const a = factors.rows[row].data();
    const float* const b = factors.columns[column].data();
    std::array<float, 4> sums = {};
    for (unsigned k = 0; k < kDepth; ++k) {
      sums[k % 4] += a[k] * b[k];
    }
    d += (sums[0] + sums[2]) + (sums[1] + sums[3]);
  });
}

constexpr WarpOperation kMultiplyS8 = {"multiply_s8", finish_s8<32>};
constexpr WarpOperation kMultiplyS8Half = {"multiply_s8_half", finish_s8<16>};
constexpr WarpOperation kMultiplyF16 = {"multiply_f16", finish_f16};

void multiply(const WarpOperation& operation, const MatrixOperands& operands, Place place) {
  BlockRunner& runner = block_runner();
  runner.warp().operands[runner.lane()] = operands;
  runner.wait_for_warp(operation, ~0U, place);
}

}  // namespace

void multiply_s8(std::int32_t (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                 Place place) {
  multiply(kMultiplyS8, {d, a, b}, place);
}

void multiply_s8_half(std::int32_t (&d)[4], std::uint32_t a0, std::uint32_t a1, std::uint32_t b,
                      Place place) {
  const std::uint32_t a[2] = {a0, a1};
  multiply(kMultiplyS8Half, {d, a, &b}, place);
}

void multiply_f16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                  Place place) {
  multiply(kMultiplyF16, {d, a, b}, place);
}

}  // namespace vernal::cuda_sm86::emulator
