#include "openai_http/server/metrics_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

bool is_metric_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), allowed);
}

std::string escaped_help(std::string_view help) {
  std::string out;
  for (const char c : to_valid_utf8(help)) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

std::string render_metrics(const std::vector<Metric>& metrics) {
  std::vector<const Metric*> sorted;
  for (const Metric& metric : metrics) {
    if (is_metric_name(metric.name)) sorted.push_back(&metric);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Metric* a, const Metric* b) { return a->name < b->name; });
  std::string out;
  std::string_view last;
  for (const Metric* const metric : sorted) {
    if (metric->name != last) {
      const std::string_view type = metric->type == VERNAL_METRIC_COUNTER ? "counter" : "gauge";
      fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", metric->name,
                     escaped_help(metric->help), type);
      last = metric->name;
    }
    const std::string labels = metric->labels.empty() ? "" : "{" + metric->labels + "}";
    fmt::format_to(std::back_inserter(out), "{}{} {}\n", metric->name, labels,
                   number(metric->value));
  }
  return out;
}

}  // namespace vernal::openai_http
