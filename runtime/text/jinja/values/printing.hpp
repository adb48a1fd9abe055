// Values as text: Python's str() and repr(), and JSON.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "text/jinja/values/text_builder.hpp"
#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// The shortest decimal text that reads back as `number`, as Python writes it: "1.0", "1e-07",
/// "inf".
std::string float_repr(double number);
/// How a number of a template is printed: as it was written, else in Python's layout.
std::string number_text(const Heap& heap, const Value& number);

/// str(value): the text of a string, nothing for undefined, repr() for other values.
void print(TextBuilder& out, const Value& value);
/// repr(value). A cycle is printed as [...] or {...}.
void print_repr(TextBuilder& out, const Value& value);
/// str(value) as a value; a string is returned as it is.
Value to_string_value(Heap& heap, const Value& value);

/// The options of json.dumps.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  /// Text of one level of indentation; without it everything is on one line.
  std::optional<std::string> indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

/// json.dumps(value). Fails for undefined values, functions and cycles.
void print_json(TextBuilder& out, const Value& value, const JsonStyle& style);

/// The template's value of a JSON document, order of keys kept. Written numbers (exact_json.hpp)
/// keep their text; other integers beyond 64 signed bits become floats. Fails with Fault(kLimit) when nested deeper than RenderLimits::max_depth.
Value from_json(Heap& heap, const boost::json::value& document);

}  // namespace vernal::jinja
