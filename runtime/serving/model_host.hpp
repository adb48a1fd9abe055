// The models of a deployment inside an engine: declared at once, loaded one after another.
#pragma once

#include <functional>

#include "engine/engine.hpp"
#include "loading/open_deployment.hpp"

namespace vernal {

/// Declares every model and profile, so that clients see them as loading.
void declare_models(const OpenDeployment& open, Engine& engine);

/// Loads and starts every model; shows progress on a terminal. Control thread.
///   should_stop   asked several times a second; true cancels the load
/// Errors  the first model that cannot be loaded; the engine knows it as failed.
void load_models(OpenDeployment& open, Engine& engine, const std::function<bool()>& should_stop);

}  // namespace vernal
