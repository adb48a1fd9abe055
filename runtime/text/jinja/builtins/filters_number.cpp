// Filters for numbers and JSON.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "text/exact_json.hpp"
#include "text/jinja/builtins/builtin.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/operators.hpp"
#include "text/jinja/values/printing.hpp"
#include "text/jinja/values/unicode.hpp"

namespace vernal::jinja {
namespace {

/// The text of a number without what Python's int() and float() also accept: white space around it,
/// underscores between digits, and a plus sign.
std::string number_text(std::string_view text) {
  std::string result(strip(text, Side::kBoth));
  if (result.find("__") == std::string::npos && !result.ends_with('_')) {
    std::erase(result, '_');
  }
  if (result.starts_with('+') && !result.starts_with("+-")) {
    result.erase(0, 1);
  }
  return result;
}

std::optional<double> parse_float(std::string_view text) {
  const std::string digits = number_text(text);
  double number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [parsed, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc{} && parsed == end && !digits.empty() ? std::optional(number)
                                                                  : std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t base) {
  std::string digits = number_text(text);
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  if (digits.size() > sign + 2 && digits[sign] == '0') {
    const char letter = static_cast<char>(digits[sign + 1] | 0x20);
    if ((base == 16 && letter == 'x') || (base == 8 && letter == 'o') ||
        (base == 2 && letter == 'b')) {
      digits.erase(sign, 2);
    }
  }
  std::int64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [parsed, error] = std::from_chars(digits.data(), end, number, static_cast<int>(base));
  if (error == std::errc::result_out_of_range && parsed == end) {
    fail("{} does not fit into 64 bits", digits);
  }
  return error == std::errc{} && parsed == end && !digits.empty() ? std::optional(number)
                                                                  : std::nullopt;
}

std::optional<std::int64_t> truncated(double number) {
  constexpr double kLimit = 9.2e18;
  if (!(std::fabs(number) < kLimit)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(number);
}

Value to_int(Interpreter& /*interpreter*/, const Call& call) {
  const Value& value = call.self();
  std::optional<std::int64_t> result;
  const std::int64_t base = call.integer(1, 10);
  if (base < 2 || base > 36) {
    fail("int() base must be >= 2 and <= 36");
  }
  if (value.is_integral()) {
    result = value.as_integer();
  } else if (value.is_float()) {
    result = truncated(value.as_double());
  } else if (value.is_string()) {
    result = parse_integer(value.text(), base);
    if (!result.has_value()) {
      const std::optional<double> number = parse_float(value.text());
      result = number.has_value() ? truncated(*number) : std::nullopt;
    }
  } else if (value.is_undefined()) {
    fail("{}", value.why_undefined());
  }
  return result.has_value() ? Value::integer(*result)
                            : (call.has(0) ? call.at(0) : Value::integer(0));
}

Value to_float(Interpreter& /*interpreter*/, const Call& call) {
  const Value& value = call.self();
  if (value.is_number()) {
    return Value::number(value.as_double());
  }
  if (value.is_undefined()) {
    fail("{}", value.why_undefined());
  }
  const std::optional<double> number = value.is_string() ? parse_float(value.text()) : std::nullopt;
  return number.has_value() ? Value::number(*number)
                            : (call.has(0) ? call.at(0) : Value::number(0.0));
}

Value absolute(Interpreter& /*interpreter*/, const Call& call) {
  const Value& value = call.self();
  if (!value.is_number()) {
    fail("bad operand type for abs(): '{}'", value.type_name());
  }
  if (value.is_float()) {
    return Value::number(std::fabs(value.as_double()));
  }
  return value.as_integer() < 0 ? negate(value) : Value::integer(value.as_integer());
}

/// Python's round(): the decimal number with that many digits that is nearest to the exact value of
/// the double.
double round_decimal(double number, std::int64_t precision) {
  if (precision < 0) {
    const double scale = std::pow(10.0, static_cast<double>(-precision));
    return std::isinf(scale) ? 0.0 : std::nearbyint(number / scale) * scale;
  }
  const std::string text = fmt::format("{:.{}f}", number, static_cast<int>(precision));
  double result = number;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

Value round(Interpreter& /*interpreter*/, const Call& call) {
  constexpr std::int64_t kMostDigits = 330;  // more digits behind the point change no double
  const Value& value = call.self();
  if (!value.is_number()) {
    fail("round() takes a number, not {}", value.type_name());
  }
  const std::int64_t precision = std::clamp(call.integer(0, 0), -kMostDigits, kMostDigits);
  const std::string_view method = call.text(1, "common");
  if (method == "common") {
    if (value.is_integral() && precision >= 0) {
      return Value::integer(value.as_integer());
    }
    const double number = value.as_double();
    return Value::number(std::isfinite(number) ? round_decimal(number, precision) : number);
  }
  if (method != "ceil" && method != "floor") {
    fail("method must be common, ceil or floor");
  }
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double scaled = value.as_double() * scale;
  return Value::number((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
}

/// Separator `index` of tojson(separators=(",", ":")).
std::string separator(const Value& separators, std::uint64_t index) {
  if (!separators.is_list() || separators.list().size() != 2) {
    fail("separators are a pair of strings");
  }
  return std::string(require_string(separators.list().items()[index], "a separator"));
}

Value tojson(Interpreter& interpreter, const Call& call) {
  JsonStyle style;
  style.ensure_ascii = call.flag(0, false);
  style.sort_keys = call.flag(3, false);
  if (call.has(1) && !call.at(1).is_none()) {
    const Value indent =
        call.at(1).is_string() ? call.at(1) : repeat_text(interpreter.heap(), " ", call.integer(1));
    style.indent = std::string(indent.text());
    style.item_separator = ",";
  }
  if (call.has(2) && !call.at(2).is_none()) {
    style.item_separator = separator(call.at(2), 0);
    style.key_separator = separator(call.at(2), 1);
  }
  TextBuilder out(interpreter.heap());
  print_json(out, call.self(), style);
  return out.finish();
}

Value fromjson(Interpreter& interpreter, const Call& call) {
  constexpr std::uint64_t kParsedBytesPerByte = 24;  // a document of empty lists: one value each
  const std::string_view text = call.self_text();
  Budget& budget = interpreter.budget();
  budget.read_bytes(text.size() * 8);
  budget.charge(text.size() * kParsedBytesPerByte);
  boost::json::error_code error;
  const boost::json::value document =
      parse_exact_json(text, interpreter.limits().max_depth, {}, error);
  if (error.failed()) {
    fail("from_json: {}", error.message());
  }
  Value value = from_json(interpreter.heap(), document);
  budget.release(text.size() * kParsedBytesPerByte);
  return value;
}

constexpr Builtin kNumberFilters[] = {
    {"int", "default? base?", to_int},
    {"float", "default?", to_float},
    {"abs", "", absolute},
    {"round", "precision? method?", round},
    {"tojson", "ensure_ascii? indent? separators? sort_keys?", tojson},
    {"from_json", "", fromjson},
    {"fromjson", "", fromjson},
};

}  // namespace

std::span<const Builtin> number_filters() { return kNumberFilters; }

}  // namespace vernal::jinja
