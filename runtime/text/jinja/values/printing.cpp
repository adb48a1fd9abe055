#include "text/jinja/values/printing.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "text/jinja/error.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

/// Prints repr(). It keeps the containers that it is printing, to find cycles.
class ReprPrinter {
 public:
  explicit ReprPrinter(TextBuilder& out) : out_(out) {}

  void print(const Value& value) {
    out_.heap().budget().step();
    switch (value.kind()) {
      case Kind::kUndefined:
        out_.append("Undefined");
        break;
      case Kind::kNone:
        out_.append("None");
        break;
      case Kind::kBoolean:
        out_.append(value.truthy() ? "True" : "False");
        break;
      case Kind::kInteger:
      case Kind::kFloat:
        out_.append(number_text(out_.heap(), value));
        break;
      case Kind::kString:
        print_string(value.text());
        break;
      case Kind::kList:
        print_list(value.list());
        break;
      case Kind::kDict:
        print_dict(value.dict());
        break;
      case Kind::kRange:
        print_range(value.range());
        break;
      case Kind::kNative:
        print_native(value.native());
        break;
    }
  }

 private:
  void print_string(std::string_view text) {
    const bool has_single = text.find('\'') != std::string_view::npos;
    const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
    out_.append(quote);
    for (std::size_t position = 0; position < text.size();) {
      const CodePoint point = code_point_at(text, position);
      print_character(point, text.substr(position, point.num_bytes), quote);
      position += point.num_bytes;
    }
    out_.append(quote);
  }

  void print_character(CodePoint point, std::string_view bytes, char quote) {
    const char32_t value = point.value;
    if (value == static_cast<unsigned char>(quote) || value == '\\') {
      out_.append('\\');
      out_.append(bytes);
    } else if (value == '\n') {
      out_.append("\\n");
    } else if (value == '\r') {
      out_.append("\\r");
    } else if (value == '\t') {
      out_.append("\\t");
    } else if (is_printable(value)) {
      out_.append(bytes);
    } else if (value < 0x100) {
      out_.append(fmt::format("\\x{:02x}", static_cast<std::uint32_t>(value)));
    } else if (value < 0x10000) {
      out_.append(fmt::format("\\u{:04x}", static_cast<std::uint32_t>(value)));
    } else {
      out_.append(fmt::format("\\U{:08x}", static_cast<std::uint32_t>(value)));
    }
  }

  /// Whether `container` may be printed. If it is being printed already, it is a cycle: then `mark`
  /// is printed instead.
  bool enter(const Object& container, std::string_view mark) {
    if (std::find(inside_.begin(), inside_.end(), &container) != inside_.end()) {
      out_.append(mark);
      return false;
    }
    const std::uint32_t max_depth = out_.heap().budget().limits().max_depth;
    if (inside_.size() >= max_depth) {
      fail_limit("values are nested more than {} levels deep", max_depth);
    }
    inside_.push_back(&container);
    return true;
  }

  void print_list(const ListObject& list) {
    if (!enter(list, list.is_tuple() ? "(...)" : "[...]")) {
      return;
    }
    out_.append(list.is_tuple() ? '(' : '[');
    for (std::uint64_t i = 0; i < list.size(); ++i) {
      out_.append(i == 0 ? "" : ", ");
      print(list.items()[i]);
    }
    if (list.is_tuple() && list.size() == 1) {
      out_.append(',');
    }
    out_.append(list.is_tuple() ? ')' : ']');
    inside_.pop_back();
  }

  void print_dict(const DictObject& dict) {
    if (!enter(dict, "{...}")) {
      return;
    }
    out_.append('{');
    for (std::uint64_t i = 0; i < dict.size(); ++i) {
      out_.append(i == 0 ? "" : ", ");
      print(dict.entries()[i].key);
      out_.append(": ");
      print(dict.entries()[i].value);
    }
    out_.append('}');
    inside_.pop_back();
  }

  void print_range(const RangeObject& range) {
    out_.append(range.step() == 1
                    ? fmt::format("range({}, {})", range.start(), range.stop())
                    : fmt::format("range({}, {}, {})", range.start(), range.stop(), range.step()));
  }

  void print_native(const NativeObject& native) {
    const auto* attributes = dynamic_cast<const NamespaceObject*>(&native);
    if (attributes == nullptr) {
      out_.append(fmt::format("<{}>", native.type_name()));
      return;
    }
    out_.append("<Namespace ");
    print_dict(*attributes->attributes());
    out_.append('>');
  }

  TextBuilder& out_;
  std::vector<const Object*> inside_;
};

}  // namespace

std::string float_repr(double number) {
  if (std::isnan(number)) {
    return "nan";
  }
  if (std::isinf(number)) {
    return number < 0 ? "-inf" : "inf";
  }
  char buffer[40];
  const std::to_chars_result scientific =
      std::to_chars(buffer, buffer + sizeof(buffer), number, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(scientific.ptr - buffer));
  int exponent = 0;
  const std::size_t mark = text.find('e');
  const char* digits = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(digits, text.data() + text.size(), exponent);
  // Python writes an exponent for these.
  if (exponent < -4 || exponent >= 16) {
    return std::string(text);
  }
  char plain[40];
  const std::to_chars_result fixed =
      std::to_chars(plain, plain + sizeof(plain), number, std::chars_format::fixed);
  std::string result(plain, static_cast<std::size_t>(fixed.ptr - plain));
  return result.find('.') == std::string::npos ? result + ".0" : result;
}

std::string number_text(const Heap& heap, const Value& number) {
  if (const auto written = number.written_text(heap)) {
    return std::string(*written);
  }
  return number.is_integer() ? fmt::to_string(number.as_integer()) : float_repr(number.as_double());
}

void print(TextBuilder& out, const Value& value) {
  if (value.is_string()) {
    out.append(value.text());
  } else if (!value.is_undefined()) {
    print_repr(out, value);
  }
}

void print_repr(TextBuilder& out, const Value& value) { ReprPrinter(out).print(value); }

Value to_string_value(Heap& heap, const Value& value) {
  if (value.is_string()) {
    return value;
  }
  TextBuilder out(heap);
  print(out, value);
  return out.finish();
}

}  // namespace vernal::jinja
