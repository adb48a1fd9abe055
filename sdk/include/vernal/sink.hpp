// Sinks that collect a long result in a C++ container.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "vernal/abi/status.h"
#include "vernal/host.hpp"

namespace vernal {

/// A sink that appends bytes to `text`, which must outlive the call the sink is passed to.
inline vernal_sink append_to(std::string& text) noexcept {
  return {[](void* user, const void* data, std::uint64_t size) noexcept -> std::int32_t {
            return guard([&] {
              if (size != 0)
                static_cast<std::string*>(user)->append(static_cast<const char*>(data), size);
            });
          },
          &text};
}

/// A sink that appends token ids to `tokens`, which must outlive the call the sink is passed to. It
/// answers INVALID_ARGUMENT if a piece is no whole number of ids.
inline vernal_sink append_to(std::vector<std::int32_t>& tokens) noexcept {
  return {[](void* user, const void* data, std::uint64_t size) noexcept -> std::int32_t {
            return guard([&] {
              if (size % sizeof(std::int32_t) != 0) {
                throw Error(VERNAL_INVALID_ARGUMENT,
                            "token ids come in pieces of 4 bytes, found " + std::to_string(size));
              }
              auto& out = *static_cast<std::vector<std::int32_t>*>(user);
              const std::size_t before = out.size();
              out.resize(before + size / sizeof(std::int32_t));
              if (size != 0) std::memcpy(out.data() + before, data, size);
            });
          },
          &tokens};
}

}  // namespace vernal
