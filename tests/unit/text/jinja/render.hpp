// Renders a template, in one line of a test.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "text/jinja/error.hpp"
#include "text/jinja/template.hpp"

namespace vernal::jinja {

/// The time that templates get in tests: 2026-11-22T09:30:00.
inline LocalTime test_time() { return {2026, 11, 22, 9, 30, 0, 0}; }

inline std::string render(std::string_view source, const boost::json::object& inputs = {},
                          const RenderLimits& limits = {}) {
  return Template::parse(source, "test").render(inputs, limits, test_time);
}

/// The message of the error in which the template ends. If it does not fail, its text.
inline std::string error_of(std::string_view source, const boost::json::object& inputs = {},
                            const RenderLimits& limits = {}) {
  try {
    return "rendered: " + render(source, inputs, limits);
  } catch (const TemplateError& error) {
    return error.what();
  }
}

}  // namespace vernal::jinja
