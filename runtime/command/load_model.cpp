#include "command/load_model.hpp"

#include "observe/progress_line.hpp"

namespace vernal {

LoadedModel load_with_progress(Log& log, ResidentModel& model) {
  ProgressLine progress(log, "loading " + model.settings().name);
  return model.load([&](std::uint64_t done, std::uint64_t total) {
    progress.update(done, total);
    return true;
  });
}

}  // namespace vernal
