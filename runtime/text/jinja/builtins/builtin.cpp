#include "text/jinja/builtins/builtin.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "text/jinja/error.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/values/operators.hpp"

namespace vernal::jinja {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

bool is_optional(std::string_view parameter) { return parameter.ends_with('?'); }

std::string_view bare_name(std::string_view parameter) {
  return is_optional(parameter) ? parameter.substr(0, parameter.size() - 1) : parameter;
}

const Builtin* find_in(std::span<const Builtin> table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Builtin& builtin) { return builtin.name == name; });
  return found == table.end() ? nullptr : &*found;
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

constexpr std::size_t kNumFilterTables = 4;

std::array<std::span<const Builtin>, kNumFilterTables> filter_tables() {
  return {text_filters(), sequence_filters(), selection_filters(), number_filters()};
}

}  // namespace

Call::Call(const Builtin& builtin, const Value& self, const Arguments& arguments)
    : builtin_(builtin), self_(self), arguments_(arguments) {
  if (builtin.parameters == "*") {
    return;
  }
  const std::vector<std::string_view> names = words_of(builtin.parameters);
  if (arguments.positional.size() > names.size()) {
    fail("{}() takes at most {} arguments, {} were given", builtin.name, names.size(),
         arguments.positional.size());
  }
  bound_.assign(arguments.positional.begin(), arguments.positional.end());
  bound_.resize(names.size());
  bind_named(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!bound_[i].has_value() && !is_optional(names[i])) {
      fail("{}() needs an argument '{}'", builtin.name, names[i]);
    }
  }
}

void Call::bind_named(const std::vector<std::string_view>& names) {
  for (const auto& [name, value] : arguments_.named) {
    const auto found = std::find_if(names.begin(), names.end(), [&name = name](auto parameter) {
      return bare_name(parameter) == name;
    });
    if (found == names.end()) {
      fail("{}() has no argument '{}'", builtin_.name, name);
    }
    std::optional<Value>& place = bound_[static_cast<std::size_t>(found - names.begin())];
    if (place.has_value()) {
      fail("{}() got the argument '{}' twice", builtin_.name, name);
    }
    place = value;
  }
}

std::int64_t Call::integer(std::size_t index, std::int64_t otherwise) const {
  return has(index) ? require_integer(*bound_[index], builtin_.name) : otherwise;
}

std::string_view Call::text(std::size_t index, std::string_view otherwise) const {
  return has(index) ? require_string(*bound_[index], builtin_.name) : otherwise;
}

std::string_view Call::self_text() const { return require_string(self_, builtin_.name); }

Value invoke(const Builtin& builtin, Interpreter& interpreter, const Value& self,
             const Arguments& arguments) {
  return builtin.function(interpreter, Call(builtin, self, arguments));
}

const Builtin* find_filter(std::string_view name) {
  for (const std::span<const Builtin> table : filter_tables()) {
    if (const Builtin* found = find_in(table, name)) {
      return found;
    }
  }
  return nullptr;
}

const Builtin* find_test(std::string_view name) { return find_in(tests(), name); }

const Builtin* find_method(const Value& value, std::string_view name) {
  switch (value.kind()) {
    case Kind::kString:
      return find_in(string_methods(), name);
    case Kind::kList:
      return find_in(list_methods(), name);
    case Kind::kDict:
      return find_in(dict_methods(), name);
    default:
      return nullptr;
  }
}

void fail_unknown(std::string_view what, std::string_view name,
                  std::span<const std::span<const Builtin>> tables) {
  constexpr std::size_t kLongestName = 32;
  std::string_view best;
  std::size_t best_distance = 1 + name.size() / 3;  // a greater distance is hardly a slip
  for (const std::span<const Builtin> table : tables) {
    for (const Builtin& builtin : table) {
      const std::size_t distance =
          name.size() > kLongestName ? name.size() : edit_distance(name, builtin.name);
      if (distance <= best_distance && (best.empty() || distance < best_distance)) {
        best = builtin.name;
        best_distance = distance;
      }
    }
  }
  if (best.empty()) {
    fail("unknown {} \"{}\"", what, name);
  }
  fail("unknown {} \"{}\"; did you mean \"{}\"?", what, name, best);
}

void fail_unknown_filter(std::string_view name) { fail_unknown("filter", name, filter_tables()); }

void fail_unknown_test(std::string_view name) {
  const std::array<std::span<const Builtin>, 1> tables = {tests()};
  fail_unknown("test", name, tables);
}

Value FunctionObject::call(Interpreter& interpreter, const Arguments& arguments) {
  if (builtin_.is_mutating && !interpreter.limits().allow_mutation) {
    fail("{}() would change a value, which chat templates may not", builtin_.name);
  }
  return invoke(builtin_, interpreter, self_, arguments);
}

}  // namespace vernal::jinja
