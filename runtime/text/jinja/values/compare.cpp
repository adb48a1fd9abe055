#include "text/jinja/values/compare.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "text/jinja/error.hpp"

namespace vernal::jinja {
namespace {

void check_depth(std::uint32_t depth, Budget& budget) {
  if (depth > budget.limits().max_depth) {
    fail_limit("values are nested more than {} levels deep", budget.limits().max_depth);
  }
}

bool equals_at(const Value& left, const Value& right, Budget& budget, std::uint32_t depth);

bool equal_numbers(const Value& left, const Value& right) {
  if (left.is_integral() && right.is_integral()) {
    return left.as_integer() == right.as_integer();
  }
  return left.as_double() == right.as_double();
}

bool equal_lists(const ListObject& left, const ListObject& right, Budget& budget,
                 std::uint32_t depth) {
  check_depth(depth, budget);
  if (left.is_tuple() != right.is_tuple() || left.size() != right.size()) {
    return false;
  }
  for (std::uint64_t i = 0; i < left.size(); ++i) {
    if (!equals_at(left.items()[i], right.items()[i], budget, depth + 1)) {
      return false;
    }
  }
  return true;
}

bool equal_dicts(const DictObject& left, const DictObject& right, Budget& budget,
                 std::uint32_t depth) {
  check_depth(depth, budget);
  if (left.size() != right.size()) {
    return false;
  }
  return std::all_of(left.entries().begin(), left.entries().end(), [&](const auto& entry) {
    const Value* other = right.find(entry.key);
    return other != nullptr && equals_at(entry.value, *other, budget, depth + 1);
  });
}

bool equal_ranges(const RangeObject& left, const RangeObject& right) {
  if (left.size() != right.size()) {
    return false;
  }
  return left.size() == 0 ||
         (left.start() == right.start() && (left.size() == 1 || left.step() == right.step()));
}

bool equals_at(const Value& left, const Value& right, Budget& budget, std::uint32_t depth) {
  budget.step();
  if (left.is_number() && right.is_number()) {
    return equal_numbers(left, right);
  }
  if (left.kind() != right.kind()) {
    return false;
  }
  switch (left.kind()) {
    case Kind::kString:
      budget.read_bytes(std::min(left.text().size(), right.text().size()));
      return left.text() == right.text();
    case Kind::kList:
      return equal_lists(left.list(), right.list(), budget, depth);
    case Kind::kDict:
      return equal_dicts(left.dict(), right.dict(), budget, depth);
    case Kind::kRange:
      return equal_ranges(left.range(), right.range());
    case Kind::kNative:
      return left.object() == right.object();
    default:
      return true;  // none with none, undefined with undefined
  }
}

bool less_at(const Value& left, const Value& right, Budget& budget, std::string_view symbol,
             std::uint32_t depth);

bool less_lists(const ListObject& left, const ListObject& right, Budget& budget,
                std::string_view symbol, std::uint32_t depth) {
  check_depth(depth, budget);
  const std::uint64_t shared = std::min(left.size(), right.size());
  for (std::uint64_t i = 0; i < shared; ++i) {
    if (!equals_at(left.items()[i], right.items()[i], budget, depth + 1)) {
      return less_at(left.items()[i], right.items()[i], budget, symbol, depth + 1);
    }
  }
  return left.size() < right.size();
}

bool less_at(const Value& left, const Value& right, Budget& budget, std::string_view symbol,
             std::uint32_t depth) {
  budget.step();
  if (left.is_undefined() || right.is_undefined()) {
    fail("{}", (left.is_undefined() ? left : right).why_undefined());
  }
  if (left.is_integral() && right.is_integral()) {
    return left.as_integer() < right.as_integer();
  }
  if (left.is_number() && right.is_number()) {
    return left.as_double() < right.as_double();
  }
  if (left.is_string() && right.is_string()) {
    budget.read_bytes(std::min(left.text().size(), right.text().size()));
    return left.text() < right.text();  // byte order of UTF-8 is the order of code points
  }
  if (left.is_list() && right.is_list() && left.list().is_tuple() == right.list().is_tuple()) {
    return less_lists(left.list(), right.list(), budget, symbol, depth);
  }
  fail("'{}' not supported between instances of '{}' and '{}'", symbol, left.type_name(),
       right.type_name());
}

bool string_contains(const Value& container, const Value& item, Budget& budget) {
  if (!item.is_string()) {
    fail("'in <string>' requires string as left operand, not {}", item.type_name());
  }
  budget.read_bytes(container.text().size() + item.text().size());
  return container.text().find(item.text()) != std::string_view::npos;
}

std::uint64_t hash_of_integer(std::int64_t value) {
  const std::uint64_t spread = static_cast<std::uint64_t>(value) * 0x9E37'79B9'7F4A'7C15;
  return spread ^ (spread >> 32);  // Fibonacci hashing; folded, because the index uses the low bits
}

std::uint64_t hash_of_number(const Value& value) {
  if (value.is_integral()) {
    return hash_of_integer(value.as_integer());
  }
  const double number = value.as_double();
  constexpr double kLimit = 9.2e18;
  if (std::trunc(number) == number && std::fabs(number) < kLimit) {
    return hash_of_integer(static_cast<std::int64_t>(number));
  }
  return std::hash<double>{}(number);
}

std::uint64_t hash_at(const Value& value, Budget& budget, std::uint32_t depth) {
  budget.step();
  switch (value.kind()) {
    case Kind::kBoolean:
    case Kind::kInteger:
    case Kind::kFloat:
      return hash_of_number(value);
    case Kind::kString:
      return hash_of(value.text());
    case Kind::kList: {
      if (!value.list().is_tuple()) {
        fail("unhashable type: 'list'");
      }
      check_depth(depth, budget);
      std::uint64_t hash = 0;
      for (const Value& item : value.list().items()) {
        hash = hash * 1'000'003 + hash_at(item, budget, depth + 1);
      }
      return hash;
    }
    case Kind::kDict:
      fail("unhashable type: 'dict'");
    case Kind::kNative:
      return std::hash<const void*>{}(value.object());
    default:
      return static_cast<std::uint64_t>(value.kind());
  }
}

}  // namespace

bool equals(const Value& left, const Value& right, Budget& budget) {
  return equals_at(left, right, budget, 0);
}

bool less_than(const Value& left, const Value& right, Budget& budget, std::string_view symbol) {
  return less_at(left, right, budget, symbol, 0);
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  if (container.is_string()) {
    return string_contains(container, item, budget);
  }
  if (container.is_dict()) {
    return container.dict().find(item) != nullptr;
  }
  if (container.is_none() || container.is_number() || container.is_native()) {
    fail("argument of type '{}' is not iterable", container.type_name());
  }
  Iteration elements(container);
  while (const std::optional<Value> element = elements.next()) {
    if (equals(*element, item, budget)) {
      return true;
    }
  }
  return false;
}

std::uint64_t hash_of(const Value& value, Budget& budget) { return hash_at(value, budget, 0); }

std::uint64_t hash_of(std::string_view text) noexcept {
  return std::hash<std::string_view>{}(text);
}

}  // namespace vernal::jinja
