// `format.format(...)`.
#include <algorithm>

#include "text/jinja/builtins/format_field.hpp"
#include "text/jinja/builtins/format_text.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/printing.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

/// Runs one `format.format(...)`.
class BraceFormatter {
 public:
  BraceFormatter(TextBuilder& out, std::string_view format, const Arguments& arguments)
      : out_(out), format_(format), arguments_(arguments) {}

  void run() {
    while (position_ < format_.size()) {
      const char character = format_[position_++];
      const bool is_doubled = position_ < format_.size() && format_[position_] == character;
      if (character != '{' && character != '}') {
        const std::size_t end = std::min(format_.find_first_of("{}", position_), format_.size());
        out_.append(format_.substr(position_ - 1, end - position_ + 1));
        position_ = end;
      } else if (is_doubled) {
        out_.append(character);
        ++position_;
      } else if (character == '}') {
        fail("Single '}}' encountered in format string");
      } else {
        out_.heap().budget().step();
        print_field();
      }
    }
  }

 private:
  void print_field() {
    const std::size_t end = format_.find('}', position_);
    if (end == std::string_view::npos) {
      fail("expected '}}' before end of string");
    }
    std::string_view field = format_.substr(position_, end - position_);
    position_ = end + 1;
    const std::size_t colon = std::min(field.find(':'), field.size());
    const std::string_view specification =
        colon < field.size() ? field.substr(colon + 1) : std::string_view{};
    field = field.substr(0, colon);
    char conversion = '\0';
    if (const std::size_t mark = field.find('!'); mark != std::string_view::npos) {
      conversion = mark + 1 < field.size() ? field[mark + 1] : '?';
      field = field.substr(0, mark);
    }
    print_value(find_value(field), conversion, read_style(specification));
  }

  Value find_value(std::string_view field) {
    const std::size_t end = std::min(field.find_first_of(".["), field.size());
    Value value = find_argument(field.substr(0, end));
    for (std::size_t at = end; at < field.size();) {
      const bool is_key = field[at] == '[';
      std::size_t stop = field.find_first_of(is_key ? "]" : ".[", at + 1);
      if (stop == std::string_view::npos) {
        if (is_key) {
          fail("Missing ']' in format string");
        }
        stop = field.size();
      }
      value = find_part(value, field.substr(at + 1, stop - at - 1));
      at = stop + (is_key ? 1 : 0);
    }
    return value;
  }

  Value find_argument(std::string_view name) {
    if (name.empty() || is_ascii_digit(name[0])) {
      std::size_t at = 0;
      const auto index =
          name.empty() ? next_++ : static_cast<std::uint64_t>(read_field_number(name, at));
      if (index >= arguments_.positional.size()) {
        fail("Replacement index {} out of range for positional args tuple", index);
      }
      return arguments_.positional[index];
    }
    for (const auto& [key, value] : arguments_.named) {
      if (key == name) {
        return value;
      }
    }
    fail("format() has no argument '{}'", name);
  }

  Value find_part(const Value& value, std::string_view key) {
    std::size_t at = 0;
    const Value index = !key.empty() && is_ascii_digit(key[0])
                            ? Value::integer(read_field_number(key, at))
                            : Value::string(out_.heap(), key);
    std::optional<Value> found = item(out_.heap(), value, index);
    if (!found.has_value()) {
      fail("'{}' object has no element '{}' for the format", value.type_name(), key);
    }
    return *std::move(found);
  }

  static FieldStyle read_style(std::string_view text) {
    FieldStyle style;
    std::size_t at = 0;
    constexpr std::string_view kAligns = "<>^=";
    const std::size_t fill_bytes = text.empty() ? 0 : code_point_at(text, 0).num_bytes;
    if (fill_bytes < text.size() && kAligns.find(text[fill_bytes]) != std::string_view::npos) {
      style.fill = text.substr(0, fill_bytes);
      style.align = text[fill_bytes];
      at = fill_bytes + 1;
    } else if (!text.empty() && kAligns.find(text[0]) != std::string_view::npos) {
      style.align = text[at++];
    }
    const auto take = [&](std::string_view choices) {
      return at < text.size() && choices.find(text[at]) != std::string_view::npos ? text[at++]
                                                                                  : '\0';
    };
    const char sign = take("+- ");
    style.sign = sign == '\0' ? '-' : sign;
    style.alternate = take("#") != '\0';
    if (take("0") != '\0' && style.align == '\0') {
      style.fill = "0";
      style.align = '=';
    }
    style.width = read_field_number(text, at);
    style.group_thousands = take(",") != '\0';
    if (take(".") != '\0') {
      style.precision = read_field_number(text, at);
    }
    style.type = take("sdxXobeEfFgG%c");
    if (at != text.size()) {
      fail("Invalid format specifier '{}'", text);
    }
    return style;
  }

  void print_value(const Value& value, char conversion, FieldStyle style) {
    if (conversion != '\0' && conversion != 's' && conversion != 'r') {
      fail("Unknown conversion specifier '!{}'", conversion);
    }
    if (conversion == 'r') {
      append_repr(out_, value, style);
      return;
    }
    const bool wants_float = std::string_view("eEfFgG%").find(style.type) != std::string_view::npos;
    if (conversion == '\0' && (value.is_float() || (value.is_number() && wants_float))) {
      append_float(out_, value.as_double(), style);
    } else if (conversion == '\0' && value.is_integer() && style.type == 'c') {
      append_character(out_, value, style);
    } else if (conversion == '\0' && value.is_integer() && style.type != 's') {
      append_integer(out_, value.as_integer(), style);
    } else if (style.type != '\0' && style.type != 's') {
      fail("Unknown format code '{}' for object of type '{}'", style.type, value.type_name());
    } else {
      style.align = style.align == '=' ? '<' : style.align;
      append_string(out_, value, style);
    }
  }

  TextBuilder& out_;
  std::string_view format_;
  const Arguments& arguments_;
  std::size_t position_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace

Value format_braces(Heap& heap, std::string_view format, const Arguments& arguments) {
  TextBuilder out(heap);
  BraceFormatter(out, format, arguments).run();
  return out.finish();
}

}  // namespace vernal::jinja
