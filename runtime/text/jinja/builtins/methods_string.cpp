// Methods of strings.
#include <algorithm>

#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/builtins/format_text.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/text_operations.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

/// A count; -1, which means all, if it is absent or none.
std::int64_t count_of(const Call& call, std::size_t index) {
  return call.at(index).is_none() ? -1 : call.integer(index, -1);
}

template <std::string (*kChange)(std::string_view)>
Value change_case(Interpreter& interpreter, const Call& call) {
  constexpr std::uint64_t kGrowth = 2;  // at most, in bytes of UTF-8
  constexpr std::uint64_t kCostPerByte = 16;
  const std::uint64_t num_bytes = call.self_text().size();
  interpreter.budget().read_bytes(num_bytes * kCostPerByte);
  interpreter.budget().charge(num_bytes * kGrowth);
  interpreter.budget().release(num_bytes * kGrowth);
  return interpreter.text(kChange(call.self_text()));
}

template <Side kSide>
Value strip_side(Interpreter& interpreter, const Call& call) {
  const bool has_characters = call.has(0) && !call.at(0).is_none();
  const std::string_view text = call.self_text();
  interpreter.budget().read_bytes(text.size() * (has_characters ? call.text(0).size() + 1 : 1));
  return interpreter.text(
      strip(text, kSide, has_characters ? std::optional(call.text(0)) : std::nullopt));
}

Value split(Interpreter& interpreter, const Call& call) {
  const std::int64_t count = count_of(call, 1);
  if (!call.has(0) || call.at(0).is_none()) {
    return split_at_spaces(interpreter.heap(), call.self_text(), count);
  }
  if (call.text(0).empty()) {
    fail("empty separator");
  }
  return split_at(interpreter.heap(), call.self_text(), call.text(0), count);
}

Value rsplit(Interpreter& interpreter, const Call& call) {
  const std::int64_t count = count_of(call, 1);
  if (!call.has(0) || call.at(0).is_none()) {
    return split_at_spaces_from_right(interpreter.heap(), call.self_text(), count);
  }
  if (call.text(0).empty()) {
    fail("empty separator");
  }
  return split_at_from_right(interpreter.heap(), call.self_text(), call.text(0), count);
}

Value splitlines(Interpreter& interpreter, const Call& call) {
  interpreter.budget().read_bytes(call.self_text().size() * 8);
  Ref<ListObject> lines = interpreter.heap().make<ListObject>();
  for (const std::string_view line : split_lines(call.self_text(), call.flag(0, false))) {
    lines->append(interpreter.text(line));
  }
  return Value(std::move(lines));
}

/// The part before the separator, the separator, and the part after it.
Value three_parts(Interpreter& interpreter, const Call& call, bool from_right) {
  const std::string_view text = call.self_text();
  const std::string_view separator = call.text(0);
  if (separator.empty()) {
    fail("empty separator");
  }
  interpreter.budget().read_bytes(text.size());
  const std::size_t found = from_right ? text.rfind(separator) : text.find(separator);
  const bool is_absent = found == std::string_view::npos;
  const std::size_t start = is_absent ? (from_right ? 0 : text.size()) : found;
  const std::size_t end = is_absent ? start : found + separator.size();
  Ref<ListObject> parts = interpreter.heap().make<ListObject>(ListForm::kTuple);
  parts->append(interpreter.text(text.substr(0, start)));
  parts->append(interpreter.text(text.substr(start, end - start)));
  parts->append(interpreter.text(text.substr(end)));
  return Value(std::move(parts));
}

Value partition(Interpreter& interpreter, const Call& call) {
  return three_parts(interpreter, call, false);
}

Value rpartition(Interpreter& interpreter, const Call& call) {
  return three_parts(interpreter, call, true);
}

/// The part of the text that the optional arguments `start` and `end` select, and where it begins.
struct Window {
  std::string_view text;
  std::int64_t start;
};

Window window_of(Interpreter& interpreter, const Call& call) {
  const StringObject& text = call.self().string();
  interpreter.budget().read_bytes(text.text().size());
  const auto length = static_cast<std::int64_t>(text.length());
  const auto bound = [&](std::size_t index, std::int64_t otherwise) {
    const std::int64_t given =
        call.at(index).is_none() ? otherwise : call.integer(index, otherwise);
    return std::clamp<std::int64_t>(given < 0 ? given + length : given, 0, length);
  };
  const std::int64_t start = bound(1, 0);
  const std::int64_t end = std::max(start, bound(2, length));
  return {substring(text, static_cast<std::uint64_t>(start), static_cast<std::uint64_t>(end)),
          start};
}

/// The code point at which the argument begins in the text, or -1.
std::int64_t position_of(Interpreter& interpreter, const Call& call, bool from_right) {
  const Window window = window_of(interpreter, call);
  const std::size_t found =
      from_right ? window.text.rfind(call.text(0)) : window.text.find(call.text(0));
  if (found == std::string_view::npos) {
    return -1;
  }
  return window.start + static_cast<std::int64_t>(count_code_points(window.text.substr(0, found)));
}

template <bool kFromRight>
Value find(Interpreter& interpreter, const Call& call) {
  return Value::integer(position_of(interpreter, call, kFromRight));
}

template <bool kFromRight>
Value index(Interpreter& interpreter, const Call& call) {
  const std::int64_t position = position_of(interpreter, call, kFromRight);
  if (position < 0) {
    fail("substring not found");
  }
  return Value::integer(position);
}

Value count(Interpreter& interpreter, const Call& call) {
  const std::string_view text = window_of(interpreter, call).text;
  const std::string_view wanted = call.text(0);
  if (wanted.empty()) {
    return Value::integer(static_cast<std::int64_t>(count_code_points(text)) + 1);
  }
  std::int64_t found = 0;
  for (std::size_t at = text.find(wanted); at != std::string_view::npos;
       at = text.find(wanted, at + wanted.size())) {
    ++found;
  }
  return Value::integer(found);
}

/// Whether kHolds is true of the argument. If it is a tuple: of any of its strings.
template <bool (*kHolds)(std::string_view, std::string_view)>
Value matches(Interpreter& interpreter, const Call& call) {
  const std::string_view text = window_of(interpreter, call).text;
  const Value wanted = call.at(0);
  if (!wanted.is_list() || !wanted.list().is_tuple()) {
    return Value::boolean(kHolds(text, call.text(0)));
  }
  const std::vector<Value>& items = wanted.list().items();
  return Value::boolean(std::any_of(items.begin(), items.end(), [&](const Value& item) {
    return kHolds(text, require_string(item, "a prefix or suffix"));
  }));
}

bool has_prefix(std::string_view text, std::string_view prefix) { return text.starts_with(prefix); }
bool has_suffix(std::string_view text, std::string_view suffix) { return text.ends_with(suffix); }

Value removeprefix(Interpreter& interpreter, const Call& call) {
  const std::string_view text = call.self_text();
  const std::string_view prefix = call.text(0);
  return interpreter.text(text.substr(text.starts_with(prefix) ? prefix.size() : 0));
}

Value removesuffix(Interpreter& interpreter, const Call& call) {
  const std::string_view text = call.self_text();
  const std::string_view suffix = call.text(0);
  return interpreter.text(
      text.substr(0, text.size() - (text.ends_with(suffix) ? suffix.size() : 0)));
}

Value string_replace(Interpreter& interpreter, const Call& call) {
  return replace_text(interpreter.heap(), call.self_text(), call.text(0), call.text(1),
                      count_of(call, 2));
}

Value string_join(Interpreter& interpreter, const Call& call) {
  Iteration elements(call.at(0));
  TextBuilder out(interpreter.heap());
  bool is_first = true;
  while (const std::optional<Value> element = elements.next()) {
    interpreter.budget().read_elements(8);
    if (!element->is_string()) {
      fail("join() expects strings, found {}", element->type_name());
    }
    out.append(std::exchange(is_first, false) ? std::string_view{} : call.self_text());
    out.append(element->text());
  }
  return out.finish();
}

Value string_format(Interpreter& interpreter, const Call& call) {
  return format_braces(interpreter.heap(), call.self_text(), call.all());
}

template <Padding kPadding>
Value pad(Interpreter& interpreter, const Call& call) {
  const std::string_view fill = call.text(1, " ");
  if (count_code_points(fill) != 1) {
    fail("the fill character must be exactly one character long");
  }
  return pad_text(interpreter.heap(), call.self().string(), kPadding, call.integer(0), fill);
}

Value zfill(Interpreter& interpreter, const Call& call) {
  const std::string_view text = call.self_text();
  const bool has_sign = text.starts_with('+') || text.starts_with('-');
  TextBuilder out(interpreter.heap());
  out.append(text.substr(0, has_sign ? 1 : 0));
  const auto length = static_cast<std::int64_t>(call.self().string().length());
  const std::int64_t width = call.integer(0);
  out.append_repeated("0", width > length ? width - length : 0);
  out.append(text.substr(has_sign ? 1 : 0));
  return out.finish();
}

/// Whether the text is not empty and kIsMember is true of every code point.
template <bool (*kIsMember)(char32_t)>
Value consists_of(Interpreter& interpreter, const Call& call) {
  const std::string_view text = call.self_text();
  interpreter.budget().read_bytes(text.size() * 8);
  for (std::size_t position = 0; position < text.size();) {
    const CodePoint point = code_point_at(text, position);
    if (!kIsMember(point.value)) {
      return Value::boolean(false);
    }
    position += point.num_bytes;
  }
  return Value::boolean(!text.empty());
}

bool is_space_character(char32_t value) { return is_space(value); }
bool is_letter_or_digit(char32_t value) { return is_letter(value) || is_decimal_digit(value); }

/// Whether the letters of the text are of one case.
template <bool (*kHolds)(std::string_view) noexcept>
Value has_case(Interpreter& interpreter, const Call& call) {
  interpreter.budget().read_bytes(call.self_text().size() * 8);
  return Value::boolean(kHolds(call.self_text()));
}

constexpr Builtin kStringMethods[] = {
    {"lower", "", change_case<to_lower>},
    {"casefold", "", change_case<to_lower>},
    {"upper", "", change_case<to_upper>},
    {"title", "", change_case<to_title>},
    {"capitalize", "", change_case<to_capitalized>},
    {"strip", "chars?", strip_side<Side::kBoth>},
    {"lstrip", "chars?", strip_side<Side::kLeft>},
    {"rstrip", "chars?", strip_side<Side::kRight>},
    {"split", "sep? maxsplit?", split},
    {"rsplit", "sep? maxsplit?", rsplit},
    {"splitlines", "keepends?", splitlines},
    {"partition", "sep", partition},
    {"rpartition", "sep", rpartition},
    {"find", "sub start? end?", find<false>},
    {"rfind", "sub start? end?", find<true>},
    {"index", "sub start? end?", index<false>},
    {"rindex", "sub start? end?", index<true>},
    {"count", "sub start? end?", count},
    {"startswith", "prefix start? end?", matches<has_prefix>},
    {"endswith", "suffix start? end?", matches<has_suffix>},
    {"removeprefix", "prefix", removeprefix},
    {"removesuffix", "suffix", removesuffix},
    {"replace", "old new count?", string_replace},
    {"join", "iterable", string_join},
    {"format", "*", string_format},
    {"center", "width fillchar?", pad<Padding::kBoth>},
    {"ljust", "width fillchar?", pad<Padding::kRight>},
    {"rjust", "width fillchar?", pad<Padding::kLeft>},
    {"zfill", "width", zfill},
    {"isdigit", "", consists_of<is_decimal_digit>},
    {"isdecimal", "", consists_of<is_decimal_digit>},
    {"isnumeric", "", consists_of<is_decimal_digit>},
    {"isalpha", "", consists_of<is_letter>},
    {"isalnum", "", consists_of<is_letter_or_digit>},
    {"isspace", "", consists_of<is_space_character>},
    {"islower", "", has_case<is_lower_text>},
    {"isupper", "", has_case<is_upper_text>},
};

}  // namespace

std::span<const Builtin> string_methods() { return kStringMethods; }

}  // namespace vernal::jinja
