#include "loading/layer_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "config/units.hpp"
#include "loading/memory_verdict.hpp"

namespace vernal {
namespace {

/// A device and what the planned model needs of it.
struct Need {
  std::string device;
  std::uint64_t needed = 0;
  std::optional<std::uint64_t> room;

  bool is_met() const { return !room || needed <= *room; }
};

/// Of each device but the host; the first one that lacks most stands first.
std::vector<Need> needs_of(const ResidentModel& model, const LayerFitQuestion& question) {
  std::vector<Need> out;
  const std::vector<MemoryRow> rows = model.rows();
  for (const MemoryRow& row : rows) {
    const bool is_known = std::ranges::count(out, row.device, &Need::device) > 0;
    if (row.device == kHostDevice || is_known) continue;
    out.push_back({row.device, bytes_on(rows, row.device), question.room(row.device)});
  }
  std::ranges::stable_sort(out,
                           [](const Need& a, const Need& b) { return !a.is_met() && b.is_met(); });
  return out;
}

std::string text(const ResidentModel& model, std::int64_t num_host_layers, const Need& whole) {
  const std::int64_t num_layers = model.num_layers();
  if (!whole.room) {
    return fmt::format(
        "placement \"fit\": the memory of \"{}\" is not known here, all {} layers are "
        "planned on it",
        whole.device, num_layers);
  }
  const std::string memory =
      fmt::format("all {} layers need {} of \"{}\", {} are left there", num_layers,
                  format_size(whole.needed), whole.device, format_size(*whole.room));
  if (num_host_layers == 0) return fmt::format("placement \"fit\": {}", memory);
  return fmt::format("placement \"fit\": layers 0 to {} are computed by \"{}\", because {}",
                     num_host_layers - 1, model.settings().fit->host_backend, memory);
}

}  // namespace

void fit_layers(ResidentModel& model, const LayerFitQuestion& question) {
  const auto does_fit = [&](std::int64_t num_host_layers) {
    model.place(num_host_layers, {});
    question.plan();
    return std::ranges::all_of(needs_of(model, question), &Need::is_met);
  };
  std::int64_t good = 0;
  const bool is_whole = does_fit(0);
  const std::vector<Need> whole = needs_of(model, question);
  if (!is_whole) {
    std::int64_t bad = 0;
    good = model.num_layers() - 1;
    while (good - bad > 1) {
      const std::int64_t middle = bad + (good - bad) / 2;
      (does_fit(middle) ? good : bad) = middle;
    }
  }
  model.place(good, whole.empty() ? "" : text(model, good, whole.front()));
  question.plan();
}

}  // namespace vernal
