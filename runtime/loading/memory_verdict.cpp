#include "loading/memory_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/units.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

// Contexts and pools are suggested in steps of that many tokens: pages of KV are no larger.
constexpr std::uint64_t kTokenStep = 256;
// The greatest pool and the least context that a deployment may say (config/model_tables.cpp).
constexpr std::uint64_t kMostKvTokens = 1'000'000'000;
constexpr std::uint64_t kLeastContext = 64;

/// Looks for settings of one model with which the plan fits.
class FitSearch {
 public:
  /// `room`: the bytes on `device` that the other models and the process leave.
  FitSearch(const ResidentModel& model, const MemoryQuestion& question, std::string device,
            std::uint64_t room)
      : model_(model), question_(question), device_(std::move(device)), room_(room) {}

  /// One line for each key that mends it alone; else one for a pair of keys, if that does.
  std::vector<std::string> find() {
    suggest_kv_tokens();
    suggest_context_length(model_.settings(), "");
    suggest_slots();
    suggest_kv_formats();
    suggest_checkpoints();
    if (!found_.empty()) return std::move(found_);
    ModelSettings smallest = model_.settings();
    smallest.slots = 1;
    smallest.kv_tokens = 0;
    suggest_context_length(smallest, "slots = 1, kv_tokens left out, ");
    return std::move(found_);
  }

 private:
  /// Bytes needed with those settings; nothing if they are refused.
  std::optional<std::uint64_t> needed(const ModelSettings& settings) const {
    try {
      return bytes_on(question_.price(settings), device_);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  bool does_fit(const ModelSettings& settings) const {
    const auto bytes = needed(settings);
    return bytes && *bytes <= room_;
  }

  /// The greatest value from `least` to `most`, in steps, with which it fits. `with(value)` gives
  /// the settings. Memory grows with the value.
  template <class With>
  std::optional<std::uint64_t> greatest(std::uint64_t least, std::uint64_t most, std::uint64_t step,
                                        With&& with) const {
    if (most < least || !does_fit(with(least))) return std::nullopt;
    std::uint64_t good = 0;  // steps above `least`
    std::uint64_t bad = (most - least) / step + 1;
    while (bad - good > 1) {
      const std::uint64_t middle = good + (bad - good) / 2;
      (does_fit(with(least + middle * step)) ? good : bad) = middle;
    }
    return least + good * step;
  }

  void suggest(const ModelSettings& settings, const std::string& keys) {
    found_.push_back(fmt::format("[models.{}] {} (needs {})", model_.settings().name, keys,
                                 format_size(needed(settings).value_or(0))));
  }

  void suggest_kv_tokens() {
    const auto with = [&](std::uint64_t tokens) {
      ModelSettings settings = model_.settings();
      settings.kv_tokens = tokens;
      return settings;
    };
    // A pool that does not hold one whole context is no small change.
    const std::uint64_t least =
        (model_.context_length() + kTokenStep - 1) / kTokenStep * kTokenStep;
    if (model_.kv_tokens() <= least) return;
    const std::uint64_t most = std::min(model_.kv_tokens() - 1, kMostKvTokens);
    if (const auto tokens = greatest(least, most, kTokenStep, with)) {
      suggest(with(*tokens), fmt::format("kv_tokens = {}", *tokens));
    }
  }

  void suggest_context_length(const ModelSettings& from, const std::string& other_keys) {
    const auto with = [&](std::uint64_t tokens) {
      ModelSettings settings = from;
      settings.context_length = tokens;
      return settings;
    };
    const std::uint64_t most = model_.context_length() - (other_keys.empty() ? 1 : 0);
    auto tokens = greatest(kTokenStep, most, kTokenStep, with);
    if (!tokens) tokens = greatest(kLeastContext, std::min(most, kTokenStep), kLeastContext, with);
    if (!tokens) return;
    suggest(with(*tokens), fmt::format("{}context_length = {}", other_keys, *tokens));
  }

  void suggest_slots() {
    const auto with = [&](std::uint64_t slots) {
      ModelSettings settings = model_.settings();
      settings.slots = slots;
      return settings;
    };
    if (const auto slots = greatest(1, model_.settings().slots - 1, 1, with)) {
      suggest(with(*slots), fmt::format("slots = {}", *slots));
    }
  }

  /// The most exact of the smaller formats; those that the backend lacks are refused and so skipped.
  void suggest_kv_formats() {
    const auto now = needed(model_.settings());
    for (const auto& [keys, values] :
         {std::pair{"q8_0", "q8_0"}, {"q8_0", "q4_0"}, {"q4_0", "q4_0"}}) {
      ModelSettings settings = model_.settings();
      settings.kv_cache.keys = keys;
      settings.kv_cache.values = values;
      const auto bytes = needed(settings);
      if (!bytes || *bytes > room_ || (now && *bytes >= *now)) continue;
      return suggest(settings,
                     fmt::format("kv_cache = {{ keys = \"{}\", values = \"{}\" }}", keys, values));
    }
  }

  void suggest_checkpoints() {
    if (model_.settings().max_checkpoints == 0) return;
    const auto with = [&](std::uint64_t count) {
      ModelSettings settings = model_.settings();
      settings.max_checkpoints = count;
      return settings;
    };
    if (const auto count = greatest(0, model_.settings().max_checkpoints - 1, 1, with)) {
      suggest(with(*count), fmt::format("max_checkpoints = {}", *count));
    }
  }

  const ResidentModel& model_;
  const MemoryQuestion& question_;
  const std::string device_;
  const std::uint64_t room_;
  std::vector<std::string> found_;
};

struct Capacity {
  std::uint64_t bytes = 0;  // 0: not known
  std::uint64_t own = 0;
  std::string name;
};

Capacity capacity_of(const std::string& device, const MemoryQuestion& question) {
  if (device == kHostDevice) {
    return {question.host.limit_bytes(), question.host.own_bytes + kRequestRoom,
            std::string(question.host.limit_name())};
  }
  for (const DeviceInfo& info : question.devices) {
    if (info.name == device) return {info.total_bytes, 0, "its memory"};
  }
  return {};
}

/// Suggestions for the model that takes most; the others keep what they have.
std::vector<std::string> find_fits(std::span<const ResidentModel* const> models,
                                   const MemoryQuestion& question, const MemoryShortage& shortage) {
  std::vector<std::pair<std::uint64_t, const ResidentModel*>> sizes;
  for (const ResidentModel* model : models) {
    sizes.emplace_back(bytes_on(model->rows(), shortage.device), model);
  }
  std::ranges::stable_sort(sizes, std::greater<>(), [](const auto& size) { return size.first; });
  for (const auto& [bytes, model] : sizes) {
    const std::uint64_t others = shortage.needed - bytes;
    if (others >= shortage.available) continue;
    FitSearch search(*model, question, shortage.device, shortage.available - others);
    if (std::vector<std::string> found = search.find(); !found.empty()) return found;
  }
  return {};
}

}  // namespace

std::uint64_t bytes_on(std::span<const MemoryRow> rows, std::string_view device) {
  std::uint64_t sum = 0;
  for (const MemoryRow& row : rows) {
    if (row.device == device) sum += std::max(row.bytes, row.peak_bytes);
  }
  return sum;
}

std::optional<MemoryShortage> find_memory_shortage(std::span<const ResidentModel* const> models,
                                                   const MemoryQuestion& question) {
  std::set<std::string> devices;
  for (const ResidentModel* model : models) {
    for (const MemoryRow& row : model->rows()) devices.insert(row.device);
  }
  for (const std::string& device : devices) {
    const Capacity capacity = capacity_of(device, question);
    MemoryShortage shortage{device, capacity.own, capacity.own, capacity.bytes, capacity.name, {}};
    for (const ResidentModel* model : models) shortage.needed += bytes_on(model->rows(), device);
    if (capacity.bytes == 0 || shortage.needed <= capacity.bytes) continue;
    shortage.fits = find_fits(models, question, shortage);
    return shortage;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_largest_context(std::span<const ResidentModel* const> models,
                                                  const ResidentModel& model,
                                                  const MemoryQuestion& question) {
  ModelSettings settings = model.settings();
  const auto does_fit = [&](std::uint64_t context_length) {
    settings.context_length = context_length;
    settings.kv_tokens =
        model.settings().kv_tokens < context_length ? 0 : model.settings().kv_tokens;
    std::map<std::string, std::uint64_t> needed;
    const auto add = [&](std::span<const MemoryRow> rows) {
      for (const MemoryRow& row : rows) needed[row.device] += std::max(row.bytes, row.peak_bytes);
    };
    for (const ResidentModel* other : models) {
      if (other != &model) add(other->rows());
    }
    try {
      add(question.price(settings));
    } catch (const Error&) {
      return false;  // the backend refuses so many
    }
    return std::ranges::all_of(needed, [&](const auto& entry) {
      const Capacity capacity = capacity_of(entry.first, question);
      return entry.second + capacity.own <= capacity.bytes;  // a size that is not known is 0
    });
  };
  const std::uint64_t most =
      model.trained_context_length() != 0 ? model.trained_context_length() : model.context_length();
  if (does_fit(most)) return most;
  std::uint64_t good = 0;  // steps
  std::uint64_t bad = (most + kTokenStep - 1) / kTokenStep;
  while (bad - good > 1) {
    const std::uint64_t middle = good + (bad - good) / 2;
    (does_fit(middle * kTokenStep) ? good : bad) = middle;
  }
  if (good == 0) return std::nullopt;
  return good * kTokenStep;
}

std::string MemoryShortage::summary() const {
  return fmt::format(
      "the plan needs {} on \"{}\"{}, {} are available: {}", format_size(needed), device,
      own == 0 ? "" : fmt::format(", {} of them for the process itself", format_size(own)),
      format_size(available), limit_name);
}

std::string MemoryShortage::text() const {
  std::string out = summary();
  if (fits.empty()) {
    out +=
        "\n  no context_length, slots, kv_cache or max_checkpoints makes it fit: it needs a "
        "smaller "
        "model file, or more memory";
  } else {
    out += "\n  each of these is enough:";
    for (const std::string& change : fits) out += "\n    " + change;
  }
  return out +
         "\n  \"overcommit = true\" in [runtime] loads it all the same; `vernal plan` has the rows";
}

}  // namespace vernal
