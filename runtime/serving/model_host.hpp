// Brings the models of a deployment into an engine.
#pragma once

#include <functional>

#include "engine/engine.hpp"
#include "loading/open_deployment.hpp"

namespace vernal {

/// Declares every model and profile. Clients then see them as loading.
void declare_models(const OpenDeployment& open, Engine& engine);

/// Loads and starts one model after another. Shows progress on a terminal. Control thread.
///   should_stop   asked several times a second; true cancels the load
/// Errors  why a model cannot be loaded. The engine then knows it as failed, and the models after it
///         are not loaded.
void load_models(OpenDeployment& open, Engine& engine, const std::function<bool()>& should_stop);

}  // namespace vernal
