// `format % arguments`.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "text/jinja/builtins/format_field.hpp"
#include "text/jinja/builtins/format_text.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/printing.hpp"

namespace vernal::jinja {
namespace {

std::int64_t truncated(const Value& value, char type) {
  if (!value.is_number()) {
    fail("%{} format: a real number is required, not {}", type, value.type_name());
  }
  if (value.is_integral()) {
    return value.as_integer();
  }
  const double number = std::trunc(value.as_double());
  if (!(std::fabs(number) < 9.2e18)) {
    fail("%{} format: {} does not fit into 64 bits", type, float_repr(number));
  }
  return static_cast<std::int64_t>(number);
}

/// Runs one `format % arguments`.
class PercentFormatter {
 public:
  PercentFormatter(TextBuilder& out, std::string_view format, const Value& arguments)
      : out_(out), format_(format), arguments_(arguments) {}

  void run() {
    while (position_ < format_.size()) {
      const std::size_t mark = std::min(format_.find('%', position_), format_.size());
      out_.append(format_.substr(position_, mark - position_));
      position_ = mark;
      if (mark < format_.size()) {
        ++position_;
        out_.heap().budget().step();
        print_field();
      }
    }
    // A value with elements by key may have more elements than the format uses.
    const bool is_mapping =
        arguments_.length().has_value() && !arguments_.is_string() && !is_tuple();
    if (!is_mapping && next_ < num_arguments()) {
      fail("not all arguments converted during string formatting");
    }
  }

 private:
  bool is_tuple() const { return arguments_.is_list() && arguments_.list().is_tuple(); }

  std::uint64_t num_arguments() const { return is_tuple() ? arguments_.list().size() : 1; }

  Value next_argument() {
    if (next_ >= num_arguments()) {
      fail("not enough arguments for format string");
    }
    const std::uint64_t index = next_++;
    return is_tuple() ? arguments_.list().items()[index] : arguments_;
  }

  std::optional<Value> read_name() {
    if (position_ >= format_.size() || format_[position_] != '(') {
      return std::nullopt;
    }
    const std::size_t end = format_.find(')', position_);
    if (end == std::string_view::npos) {
      fail("incomplete format key");
    }
    const std::string_view name = format_.substr(position_ + 1, end - position_ - 1);
    if (!arguments_.is_dict()) {
      fail("format requires a mapping");
    }
    const Value* found = arguments_.dict().find(name);
    if (found == nullptr) {
      fail("the mapping has no key '{}' for the format", name);
    }
    position_ = end + 1;
    return *found;
  }

  void read_flags(FieldStyle& style) {
    for (; position_ < format_.size(); ++position_) {
      switch (format_[position_]) {
        case '-':
          style.align = '<';
          break;
        case '+':
          style.sign = '+';
          break;
        case ' ':
          style.sign = style.sign == '+' ? '+' : ' ';
          break;
        case '#':
          style.alternate = true;
          break;
        case '0':
          style.fill = "0";
          break;
        default:
          return;
      }
    }
  }

  std::int64_t read_size() {
    if (position_ < format_.size() && format_[position_] == '*') {
      ++position_;
      return std::clamp<std::int64_t>(require_integer(next_argument(), "*"), 0, kMaxFieldWidth);
    }
    return read_field_number(format_, position_);
  }

  void print_field() {
    FieldStyle style;
    std::optional<Value> value = read_name();
    read_flags(style);
    style.width = read_size();
    if (position_ < format_.size() && format_[position_] == '.') {
      ++position_;
      style.precision = read_size();
    }
    if (position_ >= format_.size()) {
      fail("incomplete format");
    }
    style.type = format_[position_++];
    if (style.type == '%') {
      out_.append('%');
      return;
    }
    print_value(value.has_value() ? *value : next_argument(), style);
  }

  void print_value(const Value& value, FieldStyle& style) {
    const bool pads_with_zeros = style.fill == "0" && style.align == '\0';
    switch (style.type) {
      case 's':
      case 'r':
      case 'a':
      case 'c': {
        const char type = std::exchange(style.type, '\0');
        style.fill = " ";
        style.align = style.align == '\0' ? '>' : style.align;
        type == 's' ? append_string(out_, value, style)
                    : (type == 'c' ? append_character(out_, value, style)
                                   : append_repr(out_, value, style));
        return;
      }
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        style.align = pads_with_zeros ? '=' : style.align;
        style.fill = pads_with_zeros ? "0" : " ";
        append_integer(out_, truncated(value, style.type), style);
        return;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        if (!value.is_number()) {
          fail("must be real number, not {}", value.type_name());
        }
        style.align = pads_with_zeros ? '=' : style.align;
        style.fill = pads_with_zeros ? "0" : " ";
        append_float(out_, value.as_double(), style);
        return;
      default:
        fail("unsupported format character '{}'", style.type);
    }
  }

  TextBuilder& out_;
  std::string_view format_;
  const Value& arguments_;
  std::size_t position_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace

Value format_percent(Heap& heap, std::string_view format, const Value& arguments) {
  TextBuilder out(heap);
  PercentFormatter(out, format, arguments).run();
  return out.finish();
}

}  // namespace vernal::jinja
