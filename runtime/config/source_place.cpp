#include "config/source_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "vernal/error.hpp"

namespace vernal {

std::string SourcePlace::text() const {
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

void Problems::add(const SourcePlace& place, std::string what) {
  if (is_full()) {
    ++num_dropped_;
  } else {
    items_.push_back({place, std::move(what)});
  }
}

std::string Problems::text() const {
  std::vector<const Item*> ordered;
  for (const Item& item : items_) ordered.push_back(&item);
  std::ranges::stable_sort(ordered, [](const Item* a, const Item* b) {
    return std::tie(a->place.line, a->place.column) < std::tie(b->place.line, b->place.column);
  });
  std::string out;
  for (const Item* item : ordered) {
    if (!out.empty()) out += '\n';
    out += fmt::format("{}: {}", item->place.text(), item->what);
  }
  if (num_dropped_ != 0) {
    out += fmt::format("\n{}: {} more problems", items_.front().place.file, num_dropped_);
  }
  return out;
}

void Problems::raise() const {
  if (!items_.empty()) throw Error(VERNAL_INVALID_ARGUMENT, text());
}

}  // namespace vernal
