// What the functions of a module take and give, for whoever runs its steps.
#pragma once

#include <vector>

#include "engine/steps/step_function.hpp"
#include "vernal/module.hpp"

namespace vernal {

/// The functions of a module, in its order.
std::vector<StepFunction> step_functions(const Module& module);

/// The function "main".
/// Errors   INVALID_ARGUMENT: the module has none
StepFunction main_function(const Module& module);

}  // namespace vernal
