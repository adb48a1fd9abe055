// Keywords about types, strings and numbers.
#include "text/grammar/schema/node_evaluation.hpp"

#include <boost/json/array.hpp>
#include <utility>

#include "text/exact_json.hpp"
#include "text/grammar/regex/pattern.hpp"
#include "text/grammar/schema/formats.hpp"
#include "text/grammar/schema/schema_reader.hpp"

namespace vernal::grammar {

Values NodeEvaluation::with_strings(Side side, Re inside) {
  Values values = others(side);
  values.strings = {side == Side::kInside ? inside : e_.pool().complement(inside), nullptr};
  return values;
}

Values NodeEvaluation::with_numbers(Side side, Re re) {
  Values values = others(side);
  values.numbers = re;
  return values;
}

Values NodeEvaluation::with_arrays(Side side, std::vector<ArrayCase> cases) {
  Values values = others(side);
  values.arrays = std::move(cases);
  return values;
}

Values NodeEvaluation::with_objects(Side side, std::vector<ObjectCase> cases) {
  Values values = others(side);
  values.objects = std::move(cases);
  return values;
}

Values NodeEvaluation::types(Side side) {
  const bool is_inside = side == Side::kInside;
  const auto has = [&](std::uint8_t bit) { return ((node_.types & bit) != 0) == is_inside; };
  Values values;
  values.words = static_cast<std::uint8_t>((has(kNull) ? kNullWord : 0) |
                                           (has(kBoolean) ? kFalseWord | kTrueWord : 0));
  if (has(kInteger) && has(kOtherNumber)) {
    values.numbers = e_.numbers_;
  } else if (has(kInteger)) {
    values.numbers = e_.integers_;
  } else if (has(kOtherNumber)) {
    values.numbers = e_.fractions_;
  }
  values.strings.re = has(kString) ? kAnyText : kNothing;
  values.arrays.resize(has(kArray) ? 1 : 0);
  values.objects.resize(has(kObject) ? 1 : 0);
  return values;
}

Values NodeEvaluation::literals(Side side) {
  RegexPool& pool = e_.pool();
  Values values;
  std::vector<std::u32string> spellings;  // of numbers
  std::vector<Re> not_these;
  auto texts = std::make_shared<std::vector<std::u32string>>();
  for (const boost::json::value* scalar : node_.scalars) {
    if (const std::optional<Decimal> number = number_of(*scalar)) {
      const std::string plain = std::abs(number->point) < 400 ? plain_text(*number) : "";
      const std::string written =
          is_written_number(*scalar) ? std::string(written_text(*scalar)) : "";
      for (const std::string& text : {plain, written}) {
        if (!text.empty()) {
          spellings.push_back(to_code_points(text));
        }
      }
      if (number->is_integer() && !plain.empty()) {
        spellings.push_back(to_code_points(plain + ".0"));
      }
      not_these.push_back(
          pool.leaf(e_.bounds_language_, e_.bounds_.start(*number, kLess | kGreater)));
    } else if (scalar->is_string()) {
      texts->push_back(to_code_points(scalar->get_string()));
    } else if (scalar->is_bool()) {
      values.words |= scalar->get_bool() ? kTrueWord : kFalseWord;
    } else {
      values.words |= kNullWord;
    }
  }
  if (side == Side::kInside) {
    values.numbers = pool.literals(std::move(spellings));
    if (!texts->empty()) {
      values.strings = {pool.literals(*texts), texts};
    }
    for (const NodeId container : node_.containers) {
      e_.unite(values, values_of(container, side));
    }
    return values;
  }
  Values rest = everything();
  rest.words = static_cast<std::uint8_t>(kAllWords & ~values.words);
  not_these.push_back(e_.numbers_);
  rest.numbers = pool.all_of(std::move(not_these));
  rest.strings.re = pool.complement(pool.literals(*texts));
  for (const NodeId container : node_.containers) {
    rest = e_.intersect(rest, values_of(container, side));
  }
  return rest;
}

Values NodeEvaluation::pattern(Side side) {
  const Pattern pattern = parse_pattern(e_.pool(), *node_.pattern, Anchoring::kSearch);
  if (!pattern.problem.empty()) {
    relax("pattern", pattern.problem);
    return with_strings(Side::kInside, kAnyText);
  }
  return with_strings(side, pattern.re);
}

Values NodeEvaluation::format(Side side) {
  const std::optional<Re> language = format_language(e_.pool(), *node_.format);
  if (!language) {
    e_.warn(id_, "format", "\"" + *node_.format + "\" is not asserted", Loss::kIgnored);
    return everything();
  }
  if (const char* narrowed = narrowing_of(*node_.format); narrowed != nullptr) {
    e_.warn(id_, "format", narrowed, Loss::kNarrowed);
  }
  return with_strings(side, *language);
}

Values NodeEvaluation::bound(Side side, const NumberBound& bound) {
  const auto wanted = static_cast<std::uint8_t>(
      side == Side::kInside ? bound.wanted : bound.wanted ^ (kLess | kEqual | kGreater));
  const std::uint32_t state = e_.bounds_.start(bound.bound, wanted);
  return with_numbers(side, e_.pool().leaf(e_.bounds_language_, state));
}

Values NodeEvaluation::multiple(Side side) {
  e_.warn(id_, "multipleOf", "numbers are written without an exponent", Loss::kNarrowed);
  std::uint32_t state = 0;
  if (!e_.multiples_.start(*node_.multiple_of, side == Side::kInside, state)) {
    relax("multipleOf", "the divisor has too many digits");
    return everything();
  }
  return with_numbers(side, e_.pool().leaf(e_.multiples_language_, state));
}

}  // namespace vernal::grammar
