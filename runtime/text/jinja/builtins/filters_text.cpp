// Filters that turn a text into a text. Other values are used as str() shows them.
#include <algorithm>
#include <array>

#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/builtins/format_text.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/printing.hpp"
#include "text/jinja/values/sequences.hpp"
#include "text/jinja/values/text_operations.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

Value as_string(Interpreter& interpreter, const Value& value) {
  return to_string_value(interpreter.heap(), value);
}

/// Changes the case of a text. kGrowth is how many times longer the result can be.
template <class Change>
Value change_case(Interpreter& interpreter, const Value& value, const Change& change) {
  constexpr std::uint64_t kGrowth = 2;
  constexpr std::uint64_t kCostPerByte = 16;  // a table look-up for each code point
  const Value text = as_string(interpreter, value);
  interpreter.budget().read_bytes(text.text().size() * kCostPerByte);
  interpreter.budget().charge(text.text().size() * kGrowth);
  interpreter.budget().release(text.text().size() * kGrowth);
  return interpreter.text(change(text.text()));
}

Value lower(Interpreter& interpreter, const Call& call) {
  return change_case(interpreter, call.self(), to_lower);
}

Value upper(Interpreter& interpreter, const Call& call) {
  return change_case(interpreter, call.self(), to_upper);
}

Value capitalize(Interpreter& interpreter, const Call& call) {
  return change_case(interpreter, call.self(), to_capitalized);
}

/// Turns letters at the start, after white space and after -({[< into upper case, and others into
/// lower case.
std::string title_words(std::string_view text) {
  constexpr std::string_view kOpeners = "-({[<";
  std::string result;
  std::size_t start = 0;
  const auto add_word = [&](std::size_t end) {
    result += to_capitalized(text.substr(start, end - start));
  };
  for (std::size_t position = 0; position < text.size();) {
    const CodePoint point = code_point_at(text, position);
    const bool is_opener =
        point.value < 0x80 && kOpeners.find(text[position]) != std::string_view::npos;
    position += point.num_bytes;
    if (is_opener || is_space(point.value)) {
      add_word(position - point.num_bytes);
      result += text.substr(position - point.num_bytes, point.num_bytes);
      start = position;
    }
  }
  add_word(text.size());
  return result;
}

Value title(Interpreter& interpreter, const Call& call) {
  return change_case(interpreter, call.self(), title_words);
}

Value trim(Interpreter& interpreter, const Call& call) {
  const Value text = as_string(interpreter, call.self());
  const std::optional<std::string_view> characters =
      call.at(0).is_string() ? std::optional(call.text(0)) : std::nullopt;
  interpreter.budget().read_bytes(text.text().size());
  return interpreter.text(strip(text.text(), Side::kBoth, characters));
}

Value replace(Interpreter& interpreter, const Call& call) {
  const Value text = as_string(interpreter, call.self());
  const Value from = as_string(interpreter, call.at(0));
  const Value to = as_string(interpreter, call.at(1));
  const std::int64_t count = call.at(2).is_none() ? -1 : call.integer(2, -1);
  return replace_text(interpreter.heap(), text.text(), from.text(), to.text(), count);
}

Value indent(Interpreter& interpreter, const Call& call) {
  if (call.self().is_undefined()) {
    fail("{}", call.self().why_undefined());
  }
  const Value text = as_string(interpreter, call.self());
  constexpr std::int64_t kDefaultWidth = 4;
  const Value indentation =
      call.at(0).is_string() ? call.at(0)
                             : repeat_text(interpreter.heap(), " ", call.integer(0, kDefaultWidth));
  const bool indents_blank_lines = call.flag(2, false);
  interpreter.budget().read_elements(
      static_cast<std::uint64_t>(std::count(text.text().begin(), text.text().end(), '\n')));
  TextBuilder out(interpreter.heap());
  bool is_first = true;
  for (const std::string_view line : split_lines(text.text())) {
    const bool is_indented =
        is_first ? call.flag(1, false) : (indents_blank_lines || !line.empty());
    out.append(is_first ? "" : "\n");
    out.append(is_indented ? indentation.text() : std::string_view{});
    out.append(line);
    is_first = false;
  }
  // A newline at the end is an empty last line.
  if (!text.text().empty() &&
      split_lines(text.text().substr(text.text().size() - 1)).front().empty()) {
    out.append("\n");
    out.append(indents_blank_lines ? indentation.text() : std::string_view{});
  }
  if (text.text().empty() && call.flag(1, false)) {
    out.append(indentation.text());
  }
  return out.finish();
}

Value center(Interpreter& interpreter, const Call& call) {
  constexpr std::int64_t kDefaultWidth = 80;
  const Value text = as_string(interpreter, call.self());
  return pad_text(interpreter.heap(), text.string(), Padding::kBoth, call.integer(0, kDefaultWidth),
                  " ");
}

Value truncate(Interpreter& interpreter, const Call& call) {
  constexpr std::int64_t kDefaultLength = 255;
  constexpr std::int64_t kDefaultLeeway = 5;
  const Value text = as_string(interpreter, call.self());
  const std::int64_t length = call.integer(0, kDefaultLength);
  const std::string_view end = call.text(2, "...");
  const std::int64_t leeway =
      call.at(3).is_none() ? kDefaultLeeway : call.integer(3, kDefaultLeeway);
  const auto end_length = static_cast<std::int64_t>(count_code_points(end));
  if (length < end_length || leeway < 0) {
    fail("truncate() expects a length of at least {} and a leeway of at least 0", end_length);
  }
  const auto text_length = static_cast<std::int64_t>(text.string().length());
  if (text_length - leeway <= length) {
    return text;
  }
  std::string_view kept =
      substring(text.string(), 0, static_cast<std::uint64_t>(length - end_length));
  if (!call.flag(1, false)) {
    kept = kept.substr(0, std::min(kept.rfind(' '), kept.size()));
  }
  TextBuilder out(interpreter.heap());
  out.append(kept);
  out.append(end);
  return out.finish();
}

Value wordcount(Interpreter& interpreter, const Call& call) {
  const Value text = as_string(interpreter, call.self());
  interpreter.budget().read_bytes(text.text().size() * 8);
  std::int64_t count = 0;
  bool is_inside = false;
  for (std::size_t position = 0; position < text.text().size();) {
    const CodePoint point = code_point_at(text.text(), position);
    const bool is_word = is_name_character(point.value);
    count += is_word && !is_inside ? 1 : 0;
    is_inside = is_word;
    position += point.num_bytes;
  }
  return Value::integer(count);
}

Value format(Interpreter& interpreter, const Call& call) {
  const Value text = as_string(interpreter, call.self());
  const Arguments& given = call.all();
  if (!given.named.empty() && !given.positional.empty()) {
    fail("format() takes values by position or by name, not both");
  }
  if (!given.named.empty()) {
    Ref<DictObject> names = interpreter.heap().make<DictObject>();
    for (const auto& [name, value] : given.named) {
      names->set(interpreter.text(name), value);
    }
    return format_percent(interpreter.heap(), text.text(), Value(std::move(names)));
  }
  Ref<ListObject> values = interpreter.heap().make<ListObject>(ListForm::kTuple);
  for (const Value& value : given.positional) {
    values->append(value);
  }
  return format_percent(interpreter.heap(), text.text(), Value(std::move(values)));
}

Value escape_text(Interpreter& interpreter, const Value& text) {
  TextBuilder out(interpreter.heap());
  append_escaped(out, text.text());
  return out.finish(true);
}

Value escape(Interpreter& interpreter, const Call& call) {
  const Value text = as_string(interpreter, call.self());
  return text.string().is_safe() ? text : escape_text(interpreter, text);
}

Value forceescape(Interpreter& interpreter, const Call& call) {
  return escape_text(interpreter, as_string(interpreter, call.self()));
}

Value safe(Interpreter& interpreter, const Call& call) {
  const Value text = as_string(interpreter, call.self());
  TextBuilder out(interpreter.heap());
  out.append(text.text());
  return out.finish(true);
}

Value string(Interpreter& interpreter, const Call& call) {
  return as_string(interpreter, call.self());
}

Value striptags(Interpreter& interpreter, const Call& call) {
  const Value text = as_string(interpreter, call.self());
  TextBuilder out(interpreter.heap());
  std::string_view rest = text.text();
  for (std::size_t open = rest.find('<'); open != std::string_view::npos; open = rest.find('<')) {
    const bool is_comment = rest.substr(open).starts_with("<!--");
    const std::size_t close = rest.find(is_comment ? "-->" : ">", open);
    if (close == std::string_view::npos) {
      break;
    }
    out.append(rest.substr(0, open));
    rest = rest.substr(close + (is_comment ? 3 : 1));
  }
  out.append(rest);
  const Value words = split_at_spaces(interpreter.heap(), out.view(), -1);
  TextBuilder joined(interpreter.heap());
  for (const Value& word : words.list().items()) {
    joined.append(joined.view().empty() ? "" : " ");
    joined.append(word.text());
  }
  return joined.finish();
}

enum class UrlPart : std::uint8_t { kPath, kQuery };

void append_url_quoted(TextBuilder& out, std::string_view text, UrlPart part) {
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    const bool is_plain = (byte < 0x80 && is_name_character(byte)) || character == '-' ||
                          character == '.' || character == '~' ||
                          (character == '/' && part == UrlPart::kPath);
    if (is_plain) {
      out.append(character);
    } else if (character == ' ' && part == UrlPart::kQuery) {
      out.append('+');
    } else {
      out.append(fmt::format("%{:02X}", byte));
    }
  }
}

Value urlencode(Interpreter& interpreter, const Call& call) {
  const Value& given = call.self();
  TextBuilder out(interpreter.heap());
  if (!given.is_dict() && !given.is_list()) {
    append_url_quoted(out, as_string(interpreter, given).text(), UrlPart::kPath);
    return out.finish();
  }
  const Ref<ListObject> pairs = given.is_dict()
                                    ? pairs_of(interpreter, given.dict(), ListForm::kList)
                                    : list_of(interpreter, given);
  for (const Value& pair : pairs->items()) {
    if (!pair.is_list() || pair.list().size() != 2) {
      fail("urlencode() takes a string, a mapping or pairs");
    }
    out.append(out.view().empty() ? "" : "&");
    append_url_quoted(out, as_string(interpreter, pair.list().items()[0]).text(), UrlPart::kQuery);
    out.append('=');
    append_url_quoted(out, as_string(interpreter, pair.list().items()[1]).text(), UrlPart::kQuery);
  }
  return out.finish();
}

constexpr Builtin kTextFilters[] = {
    {"lower", "", lower},
    {"upper", "", upper},
    {"title", "", title},
    {"capitalize", "", capitalize},
    {"trim", "chars?", trim},
    {"replace", "old new count?", replace},
    {"indent", "width? first? blank?", indent},
    {"center", "width?", center},
    {"truncate", "length? killwords? end? leeway?", truncate},
    {"wordcount", "", wordcount},
    {"format", "*", format},
    {"escape", "", escape},
    {"e", "", escape},
    {"forceescape", "", forceescape},
    {"safe", "", safe},
    {"string", "", string},
    {"striptags", "", striptags},
    {"urlencode", "", urlencode},
};

}  // namespace

std::span<const Builtin> text_filters() { return kTextFilters; }

}  // namespace vernal::jinja
