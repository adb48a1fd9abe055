// What a model's limits are where neither the deployment nor a test says otherwise. Named here once;
// docs/deployment-file.md tells them to operators, and a test compares the two.
#pragma once

#include <chrono>
#include <cstdint>

namespace vernal {

inline constexpr std::uint32_t kDefaultSlots = 4;
inline constexpr std::uint32_t kDefaultMaxCheckpoints = 8;
inline constexpr std::uint32_t kDefaultMaxTokensPerStep = 512;
inline constexpr std::chrono::milliseconds kDefaultMaxStepTime{250};
inline constexpr std::uint64_t kDefaultStreamWeights = 256;
inline constexpr std::uint64_t kDefaultMaxQueue = 256;
inline constexpr std::chrono::seconds kDefaultStallTimeout{60};
inline constexpr std::chrono::seconds kDefaultStepTimeout{120};

}  // namespace vernal
