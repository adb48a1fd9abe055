// What a model was planned to take on each device, and what its backends took.
#pragma once

#include <cstdint>
#include <string>

namespace vernal {

/// All objects of a model on one device. Bytes.
struct MemoryUse {
  std::string device;  ///< as its backend names it
  std::uint64_t planned = 0;
  std::uint64_t allocated = 0;  ///< as its backends report it
};

}  // namespace vernal
