// What may be done to a conversation that a chat template refuses.
#pragma once

#include <cstdint>

namespace vernal {

/// When a conversation is brought into a shape that every template takes.
enum class RepairMessages : std::uint8_t {
  kWhenRefused,  ///< once the template has refused it as it was sent
  kAlways,
  kNever
};

/// Where a system message goes that is not the first message.
enum class LateSystem : std::uint8_t {
  kUser,   ///< it stays in its place, as a message of the user that says what it is
  kFirst,  ///< behind the text of the first system message
};

struct MessagePolicy {
  RepairMessages repair = RepairMessages::kWhenRefused;
  LateSystem late_system = LateSystem::kUser;
};

}  // namespace vernal
