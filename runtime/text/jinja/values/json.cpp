// Turns a template's values into JSON, and JSON into values.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "text/exact_json.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/values/compare.hpp"
#include "text/jinja/values/printing.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

/// Prints JSON as Python's json.dumps does.
class JsonPrinter {
 public:
  JsonPrinter(TextBuilder& out, const JsonStyle& style)
      : out_(out), style_(style), budget_(out.heap().budget()) {}

  void print(const Value& value) {
    budget_.step();
    switch (value.kind()) {
      case Kind::kString:
        print_string(value.text());
        break;
      case Kind::kList:
        print_list(value.list());
        break;
      case Kind::kDict:
        print_dict(value.dict());
        break;
      default:
        out_.append(scalar_text(value));
        break;
    }
  }

 private:
  std::string scalar_text(const Value& value) const {
    switch (value.kind()) {
      case Kind::kNone:
        return "null";
      case Kind::kBoolean:
        return value.truthy() ? "true" : "false";
      case Kind::kInteger:
      case Kind::kFloat:
        return finite_or_name(value);
      default:
        fail("Object of type {} is not JSON serializable", value.type_name());
    }
  }

  std::string finite_or_name(const Value& number) const {
    if (std::isnan(number.as_double())) {
      return "NaN";
    }
    if (std::isinf(number.as_double())) {
      return number.as_double() < 0 ? "-Infinity" : "Infinity";
    }
    return number_text(out_.heap(), number);
  }

  void print_string(std::string_view text) {
    out_.append('"');
    for (std::size_t position = 0; position < text.size();) {
      // Runs of characters that need no escape are copied at once.
      const std::size_t run = plain_run(text, position);
      out_.append(text.substr(position, run));
      position += run;
      if (position < text.size()) {
        const CodePoint point = code_point_at(text, position);
        print_escaped(point.value);
        position += point.num_bytes;
      }
    }
    out_.append('"');
  }

  std::size_t plain_run(std::string_view text, std::size_t start) const {
    std::size_t end = start;
    while (end < text.size()) {
      const auto byte = static_cast<unsigned char>(text[end]);
      if (byte < 0x20 || byte == '"' || byte == '\\' || (style_.ensure_ascii && byte >= 0x7F)) {
        break;
      }
      ++end;
    }
    return end - start;
  }

  void print_escaped(char32_t code_point) {
    switch (code_point) {
      case '"':
        out_.append("\\\"");
        return;
      case '\\':
        out_.append("\\\\");
        return;
      case '\n':
        out_.append("\\n");
        return;
      case '\r':
        out_.append("\\r");
        return;
      case '\t':
        out_.append("\\t");
        return;
      case '\f':
        out_.append("\\f");
        return;
      case '\b':
        out_.append("\\b");
        return;
      case 0x7F:
        out_.append('\x7F');
        return;
      default:
        break;
    }
    if (code_point >= 0x10000) {
      const char32_t rest = code_point - 0x10000;
      print_unit(0xD800 + (rest >> 10));
      print_unit(0xDC00 + (rest & 0x3FF));
    } else {
      print_unit(code_point);
    }
  }

  void print_unit(char32_t unit) {
    out_.append(fmt::format("\\u{:04x}", static_cast<std::uint32_t>(unit)));
  }

  void enter(const Object& container) {
    if (std::find(inside_.begin(), inside_.end(), &container) != inside_.end()) {
      fail("Circular reference detected");
    }
    if (inside_.size() >= budget_.limits().max_depth) {
      fail_limit("values are nested more than {} levels deep", budget_.limits().max_depth);
    }
    inside_.push_back(&container);
  }

  void start_line(std::size_t depth) {
    if (style_.indent.has_value()) {
      out_.append('\n');
      for (std::size_t i = 0; i < depth; ++i) {
        out_.append(*style_.indent);
      }
    }
  }

  void start_item(bool is_first) {
    if (!is_first) {
      out_.append(style_.item_separator);
    }
    start_line(inside_.size());
  }

  void print_list(const ListObject& list) {
    if (list.form() == ListForm::kView || list.form() == ListForm::kGenerator) {
      fail("Object of type generator is not JSON serializable; make it a list first");
    }
    if (list.size() == 0) {
      out_.append("[]");
      return;
    }
    enter(list);
    out_.append('[');
    for (std::uint64_t i = 0; i < list.size(); ++i) {
      start_item(i == 0);
      print(list.items()[i]);
    }
    inside_.pop_back();
    start_line(inside_.size());
    out_.append(']');
  }

  void print_dict(const DictObject& dict) {
    if (dict.size() == 0) {
      out_.append("{}");
      return;
    }
    enter(dict);
    out_.append('{');
    bool is_first = true;
    for (const std::uint64_t position : key_order(dict)) {
      const DictObject::Entry& entry = dict.entries()[position];
      start_item(std::exchange(is_first, false));
      print_string(entry.key.is_string() ? std::string(entry.key.text()) : key_text(entry.key));
      out_.append(style_.key_separator);
      print(entry.value);
    }
    inside_.pop_back();
    start_line(inside_.size());
    out_.append('}');
  }

  std::string key_text(const Value& key) const {
    if (key.is_none() || key.is_number()) {
      return scalar_text(key);
    }
    fail("keys must be str, int, float, bool or None, not {}", key.type_name());
  }

  std::vector<std::uint64_t> key_order(const DictObject& dict) const {
    std::vector<std::uint64_t> order(dict.size());
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    if (style_.sort_keys) {
      std::stable_sort(order.begin(), order.end(), [&](std::uint64_t left, std::uint64_t right) {
        return less_than(dict.entries()[left].key, dict.entries()[right].key, budget_);
      });
    }
    return order;
  }

  TextBuilder& out_;
  const JsonStyle& style_;
  Budget& budget_;
  std::vector<const Object*> inside_;
};

Value convert(Heap& heap, const boost::json::value& document, std::uint32_t depth);

Value convert_array(Heap& heap, const boost::json::array& array, std::uint32_t depth) {
  Ref<ListObject> list = heap.make<ListObject>();
  for (const boost::json::value& item : array) {
    list->append(convert(heap, item, depth + 1));
  }
  return Value(std::move(list));
}

Value convert_object(Heap& heap, const boost::json::object& object, std::uint32_t depth) {
  Ref<DictObject> dict = heap.make<DictObject>();
  for (const auto& member : object) {
    dict->set(Value::string(heap, {member.key().data(), member.key().size()}),
              convert(heap, member.value(), depth + 1));
  }
  return Value(std::move(dict));
}

Value convert(Heap& heap, const boost::json::value& document, std::uint32_t depth) {
  const std::uint32_t max_depth = heap.budget().limits().max_depth;
  if (depth > max_depth) {
    fail_limit("the inputs are nested more than {} levels deep", max_depth);
  }
  switch (document.kind()) {
    case boost::json::kind::null:
      return Value::none();
    case boost::json::kind::bool_:
      return Value::boolean(document.get_bool());
    case boost::json::kind::int64:
      return Value::integer(document.get_int64());
    case boost::json::kind::uint64: {
      const std::uint64_t number = document.get_uint64();
      return number <= std::uint64_t{INT64_MAX} ? Value::integer(static_cast<std::int64_t>(number))
                                                : Value::number(static_cast<double>(number));
    }
    case boost::json::kind::double_:
      return Value::number(document.get_double());
    case boost::json::kind::string:
      if (is_written_number(document)) {
        return Value::written_number(heap, written_text(document));
      }
      return Value::string(heap, {document.get_string().data(), document.get_string().size()});
    case boost::json::kind::array:
      return convert_array(heap, document.get_array(), depth);
    case boost::json::kind::object:
      return convert_object(heap, document.get_object(), depth);
  }
  return Value::none();
}

}  // namespace

void print_json(TextBuilder& out, const Value& value, const JsonStyle& style) {
  JsonPrinter(out, style).print(value);
}

Value from_json(Heap& heap, const boost::json::value& document) {
  return convert(heap, document, 0);
}

}  // namespace vernal::jinja
