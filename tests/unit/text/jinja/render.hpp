// Renders a template in one line of a test.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "text/jinja/error.hpp"
#include "text/jinja/template.hpp"

namespace vernal::jinja {

/// The moment that tests render at: 2026-11-22T09:30:00.
inline LocalTime test_time() { return {2026, 11, 22, 9, 30, 0, 0}; }

inline std::string render(std::string_view source, const boost::json::object& inputs = {},
                          const RenderLimits& limits = {}) {
  return Template::parse(source, "test").render(inputs, limits, test_time);
}

/// The message of the error that the template ends in, or what it rendered instead.
inline std::string error_of(std::string_view source, const boost::json::object& inputs = {},
                            const RenderLimits& limits = {}) {
  try {
    return "rendered: " + render(source, inputs, limits);
  } catch (const TemplateError& error) {
    return error.what();
  }
}

}  // namespace vernal::jinja
