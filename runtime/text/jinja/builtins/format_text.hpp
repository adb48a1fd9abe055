// Python's two ways of formatting text: `'%s: %d' % (a, b)` and `'{}: {:>4}'.format(a, b)`.
#pragma once

#include <string_view>

#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// `format % arguments`: a tuple gives the values in order, a mapping serves `%(name)s`, anything
/// else is the only value. Conversions s r a d i u f F e E g G x X o c and %%.
Value format_percent(Heap& heap, std::string_view format, const Value& arguments);

/// `format.format(...)`: fields by position, name, `.attribute` and `[key]` (mappings and lists
/// only), conversions !s !r, and the standard format specification for str, int and float.
Value format_braces(Heap& heap, std::string_view format, const Arguments& arguments);

}  // namespace vernal::jinja
