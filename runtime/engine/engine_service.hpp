// The engine and text services in the form that plugins get (vernal/abi/frontend.h).
#pragma once

#include "engine/engine.hpp"
#include "vernal/abi/frontend.h"

namespace vernal {

/// Function tables with static storage. Nothing that is thrown leaves them; texts go to the host's
/// set_error.
const vernal_engine_api& engine_service_api() noexcept;
const vernal_text_api& text_service_api() noexcept;

/// First argument of the tables' functions: the engine, which outlives every frontend.
vernal_engine* engine_service_object(Engine& engine) noexcept;
vernal_text* text_service_object(Engine& engine) noexcept;

}  // namespace vernal
