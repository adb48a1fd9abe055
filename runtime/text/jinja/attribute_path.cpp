#include "text/jinja/attribute_path.hpp"

#include <algorithm>
#include <charconv>

#include "text/jinja/error.hpp"

namespace vernal::jinja {

AttributePath::AttributePath(const Value& attribute, Value otherwise)
    : otherwise_(std::move(otherwise)) {
  if (attribute.is_string()) {
    add_parts(attribute.text());
  } else if (attribute.is_integer()) {
    parts_.push_back({"", attribute.as_integer()});
  } else if (!attribute.is_undefined() && !attribute.is_none()) {
    fail("an attribute is named by a string or an integer, not by {}", attribute.type_name());
  }
}

AttributePath::AttributePath(std::string_view text) { add_parts(text); }

std::vector<AttributePath> AttributePath::parse_list(std::string_view text) {
  std::vector<AttributePath> paths;
  while (true) {
    const std::size_t comma = text.find(',');
    paths.push_back(AttributePath(text.substr(0, comma)));
    if (comma == std::string_view::npos) {
      return paths;
    }
    text = text.substr(comma + 1);
  }
}

void AttributePath::add_parts(std::string_view text) {
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    std::int64_t position = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), position);
    const bool is_position =
        error == std::errc{} && end == part.data() + part.size() && !part.empty() && part[0] != '-';
    parts_.push_back({std::string(part), is_position ? std::optional(position) : std::nullopt});
    if (dot == std::string_view::npos) {
      return;
    }
    text = text.substr(dot + 1);
  }
}

Value AttributePath::follow(Interpreter& interpreter, const Value& element) const {
  Value value = element;
  for (const Part& part : parts_) {
    interpreter.budget().step();
    value = interpreter.subscript(value, part.position.has_value() ? Value::integer(*part.position)
                                                                   : interpreter.text(part.name));
    if (value.is_undefined() && !otherwise_.is_undefined()) {
      return otherwise_;
    }
  }
  return value;
}

}  // namespace vernal::jinja
