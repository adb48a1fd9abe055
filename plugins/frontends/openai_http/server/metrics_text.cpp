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

/// The name that a metric's lines have in common. That of a histogram is its series' without their
/// endings.
std::string_view family_of(const Metric& metric) {
  std::string_view name = metric.name;
  if (metric.type != VERNAL_METRIC_HISTOGRAM) return name;
  for (const std::string_view ending : {"_bucket", "_sum", "_count"}) {
    if (name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return name;
}

std::string_view type_name(std::uint32_t type) {
  if (type == VERNAL_METRIC_HISTOGRAM) return "histogram";
  return type == VERNAL_METRIC_COUNTER ? "counter" : "gauge";
}

}  // namespace

std::string render_metrics(const std::vector<Metric>& metrics) {
  std::vector<const Metric*> sorted;
  for (const Metric& metric : metrics) {
    if (is_metric_name(metric.name)) sorted.push_back(&metric);
  }
  const auto comes_first = [](const Metric* a, const Metric* b) {
    const std::string_view left = family_of(*a);
    const std::string_view right = family_of(*b);
    return left != right ? left < right : a->name < b->name;
  };
  std::stable_sort(sorted.begin(), sorted.end(), comes_first);
  std::string out;
  std::string_view last;
  for (const Metric* const metric : sorted) {
    const std::string_view family = family_of(*metric);
    if (family != last) {
      fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", family,
                     escaped_help(metric->help), type_name(metric->type));
      last = family;
    }
    const std::string labels = metric->labels.empty() ? "" : "{" + metric->labels + "}";
    fmt::format_to(std::back_inserter(out), "{}{} {}\n", metric->name, labels,
                   number(metric->value));
  }
  return out;
}

}  // namespace vernal::openai_http
