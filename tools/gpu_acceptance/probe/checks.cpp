#include "probe/checks.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <span>

#include "probe/device_memory.hpp"
#include "probe/kernels.hpp"

namespace vernal::probe {
namespace {

/// The first place where two arrays differ, bit by bit.
template <class T>
std::string first_difference(const std::vector<T>& found, const std::vector<T>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (found[i] == expected[i]) continue;
    return "at " + std::to_string(i) + ": expected " + std::to_string(expected[i]) + ", found " +
           std::to_string(found[i]);
  }
  return {};
}

/// What a binary16 stands for, by its definition.
float value_of_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : sign * std::numeric_limits<float>::infinity();
  }
  return exponent == 0 ? sign * std::ldexp(static_cast<float>(fraction), -24)
                       : sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

/// The product of A [16, depth] and B [8, depth], columns of B, as [16, 8].
template <class T, class Sum>
std::vector<Sum> multiplied(const std::vector<T>& a, const std::vector<T>& b, int stride,
                            int depth) {
  std::vector<Sum> out;
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 8; ++column) {
      Sum sum = 0;
      for (int k = 0; k < depth; ++k) {
        sum += static_cast<Sum>(a[static_cast<std::size_t>(row * stride + k)]) *
               static_cast<Sum>(b[static_cast<std::size_t>(column * stride + k)]);
      }
      out.push_back(sum);
    }
  }
  return out;
}

void check_products(std::vector<CheckResult>& results) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> bytes(-128, 127);
  std::vector<std::int8_t> a8(16 * 32);
  std::vector<std::int8_t> b8(8 * 32);
  for (auto* numbers : {&a8, &b8}) {
    for (std::int8_t& number : *numbers) number = static_cast<std::int8_t>(bytes(random));
  }
  // Small integers, so that sums are exact in any order.
  std::vector<std::uint16_t> bits_a(16 * 16);
  std::vector<std::uint16_t> bits_b(8 * 16);
  std::vector<float> a16;
  std::vector<float> b16;
  for (auto* numbers : {&bits_a, &bits_b}) {
    for (std::uint16_t& half : *numbers) {
      half = static_cast<std::uint16_t>(0x3C00 + (bytes(random) & 3) * 0x400);  // 1, 2, 4 or 8
      (numbers == &bits_a ? a16 : b16).push_back(value_of_half(half));
    }
  }
  const auto as_bytes = [](const std::vector<std::int8_t>& numbers) {
    return std::span(reinterpret_cast<const std::uint8_t*>(numbers.data()), numbers.size());
  };
  const DeviceArray<std::uint8_t> device_a8(as_bytes(a8));
  const DeviceArray<std::uint8_t> device_b8(as_bytes(b8));
  const DeviceArray<std::uint16_t> device_a16{std::span<const std::uint16_t>(bits_a)};
  const DeviceArray<std::uint16_t> device_b16{std::span<const std::uint16_t>(bits_b)};
  const DeviceArray<std::int32_t> full(16 * 8);
  const DeviceArray<std::int32_t> half(16 * 8);
  const DeviceArray<float> floats(16 * 8);
  const Stream stream;
  check(launch_products(stream.get(), {device_a8.get(), device_b8.get(), device_a16.get(),
                                       device_b16.get(), full.get(), half.get(), floats.get()}),
        "products");
  stream.wait();
  results.push_back({"product of 16 x 32 and 32 x 8 bytes",
                     first_difference(full.read(), multiplied<std::int8_t, int>(a8, b8, 32, 32))});
  results.push_back({"product of 16 x 16 and 16 x 8 bytes",
                     first_difference(half.read(), multiplied<std::int8_t, int>(a8, b8, 32, 16))});
  results.push_back({"product of 16 x 16 and 16 x 8 halves",
                     first_difference(floats.read(), multiplied<float, float>(a16, b16, 16, 16))});
}

void check_halves(std::vector<CheckResult>& results) {
  const DeviceArray<float> floats(65536);
  const DeviceArray<std::uint16_t> halves(65536);
  const Stream stream;
  check(launch_halves(stream.get(), floats.get(), halves.get()), "halves");
  stream.wait();
  const std::vector<float> found = floats.read();
  const std::vector<std::uint16_t> back = halves.read();
  std::string difference;
  for (std::size_t i = 0; i < found.size() && difference.empty(); ++i) {
    const float expected = value_of_half(static_cast<std::uint16_t>(i));
    const bool is_same = std::isnan(expected) ? std::isnan(found[i]) && (back[i] & 0x7FFF) > 0x7C00
                                              : std::bit_cast<std::uint32_t>(found[i]) ==
                                                        std::bit_cast<std::uint32_t>(expected) &&
                                                    back[i] == i;
    if (!is_same) difference = "half " + std::to_string(i) + " becomes " + std::to_string(found[i]);
  }
  results.push_back({"every half to float and back", difference});
}

void check_rounding(std::vector<CheckResult>& results) {
  // Ties, the borders of normal and finite halves, both signs.
  const std::vector<float> floats{0.0F,
                                  1.0F + 0x1p-11F,
                                  1.0F + 3 * 0x1p-11F,
                                  65504.0F,
                                  65519.0F,
                                  65520.0F,
                                  0x1p-14F,
                                  0x1p-24F,
                                  0x1p-25F,
                                  1.5F * 0x1p-25F,
                                  0.5F,
                                  1.5F,
                                  2.5F,
                                  -0.5F,
                                  -1.5F,
                                  -2.5F,
                                  127.5F,
                                  -128.5F,
                                  1e6F,
                                  0.49999997F};
  const std::vector<std::uint16_t> halves{0x0000, 0x3C00, 0x3C02, 0x7BFF, 0x7BFF, 0x7C00, 0x0400,
                                          0x0001, 0x0000, 0x0001, 0x3800, 0x3E00, 0x4100, 0xB800,
                                          0xBE00, 0xC100, 0x57F8, 0xD804, 0x7C00, 0x3800};
  std::vector<std::int32_t> integers;
  for (const float value : floats) {
    integers.push_back(static_cast<std::int32_t>(std::nearbyint(value)));
  }
  const DeviceArray<float> from{std::span<const float>(floats)};
  const DeviceArray<std::uint16_t> to_halves(floats.size());
  const DeviceArray<std::int32_t> to_integers(floats.size());
  const Stream stream;
  check(launch_rounding(stream.get(), from.get(), static_cast<int>(floats.size()), to_halves.get(),
                        to_integers.get()),
        "rounding");
  stream.wait();
  results.push_back({"floats to halves", first_difference(to_halves.read(), halves)});
  results.push_back({"floats to integers", first_difference(to_integers.read(), integers)});
}

void check_bytes(std::vector<CheckResult>& results) {
  constexpr std::uint64_t kBytes = 0x88A7'1654'93F2'017FULL;  // some negative, some not
  std::vector<std::uint32_t> selectors;
  std::vector<std::uint32_t> expected;
  for (std::uint32_t selector = 0; selector < 0x10000; selector += 97) {
    std::uint32_t picked = 0;
    for (unsigned k = 0; k < 4; ++k) {
      const std::uint32_t nibble = selector >> 4 * k & 15;
      const auto byte = static_cast<std::uint32_t>(kBytes >> 8 * (nibble & 7) & 0xFF);
      const std::uint32_t sign = (byte & 0x80) != 0 ? 0xFF : 0;
      picked |= ((nibble & 8) != 0 ? sign : byte) << 8 * k;
    }
    selectors.push_back(selector);
    expected.push_back(picked);
  }
  const DeviceArray<std::uint32_t> from{std::span<const std::uint32_t>(selectors)};
  const DeviceArray<std::uint32_t> to(selectors.size());
  const Stream stream;
  check(launch_bytes(stream.get(), static_cast<std::uint32_t>(kBytes),
                     static_cast<std::uint32_t>(kBytes >> 32), from.get(),
                     static_cast<int>(selectors.size()), to.get()),
        "bytes");
  stream.wait();
  results.push_back(
      {"bytes picked from two words, one of them kept", first_difference(to.read(), expected)});
}

void check_lanes(std::vector<CheckResult>& results) {
  const DeviceArray<std::int32_t> out(32 * 6);
  const Stream stream;
  check(launch_lanes(stream.get(), out.get()), "lanes");
  stream.wait();
  std::vector<std::int32_t> expected;
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 5; ++i) expected.push_back(lane ^ 1 << i);
    expected.push_back(2);
  }
  results.push_back({"shuffles and votes of a warp", first_difference(out.read(), expected)});
}

void check_copies(std::vector<CheckResult>& results) {
  constexpr std::size_t kHalf = 512;  // of the 16-byte pieces
  std::vector<std::uint32_t> words(kHalf * 2 * 4);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = static_cast<std::uint32_t>(i * 7919);
  const DeviceArray<std::uint32_t> from{std::span<const std::uint32_t>(words)};
  const DeviceArray<std::uint32_t> to(words.size());
  const Stream stream;
  check(launch_copies(stream.get(), from.get(), to.get()), "copies");
  stream.wait();
  std::vector<std::uint32_t> expected;
  for (std::size_t piece = 0; piece < kHalf * 2; ++piece) {
    const std::size_t half = piece / kHalf * kHalf;
    const std::size_t source = half + kHalf - 1 - (piece - half);
    for (std::size_t i = 0; i < 4; ++i) expected.push_back(words[source * 4 + i]);
  }
  results.push_back({"copies to shared memory in groups", first_difference(to.read(), expected)});
}

}  // namespace

std::vector<CheckResult> run_checks() {
  std::vector<CheckResult> results;
  check_products(results);
  check_halves(results);
  check_rounding(results);
  check_bytes(results);
  check_lanes(results);
  check_copies(results);
  return results;
}

}  // namespace vernal::probe
