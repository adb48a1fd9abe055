// Loading a model for a command that runs it itself.
#pragma once

#include "loading/resident_model.hpp"
#include "observe/log.hpp"

namespace vernal {

/// Loads a model that is planned, with a line of progress.
/// Errors  those of ResidentModel::load
LoadedModel load_with_progress(Log& log, ResidentModel& model);

}  // namespace vernal
