// The functions of act/1 and glu/1 by the names that modules give them.
#pragma once

#include <optional>
#include <string_view>

#include "shared/compile/function_kinds.hpp"

namespace vernal::backend {

/// The function with that name, or nothing.
std::optional<Activation> find_activation(std::string_view kind);
std::optional<Glu> find_glu(std::string_view kind);

}  // namespace vernal::backend
