// placement = "fit": as many of a model's first layers as necessary leave a device that is too small.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "loading/resident_model.hpp"

namespace vernal {

/// What decides.
struct LayerFitQuestion {
  /// Builds and plans the model as it is placed.
  std::function<void()> plan;
  /// The bytes of a device, by its name, that are left for the model; nothing: nobody knows.
  std::function<std::optional<std::uint64_t>(const std::string& device)> room;
};

/// Places and plans a model whose settings say so: with the fewest layers on the host's backend with
/// which no device lacks memory. The first ones, because the last one is followed by the output
/// matrix, which is read for every token. At least one layer stays; if it is too many, the model is
/// planned so all the same, and the verdict on memory follows. The same question has the same answer.
/// Errors  those of ResidentModel::num_layers, build and plan
void fit_layers(ResidentModel& model, const LayerFitQuestion& question);

}  // namespace vernal
