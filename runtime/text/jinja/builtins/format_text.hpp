// Python's two ways of formatting text: `'%s: %d' % (a, b)` and `'{}: {:>4}'.format(a, b)`.
#pragma once

#include <string_view>

#include "text/jinja/values/value.hpp"

namespace vernal::jinja {

/// `format % arguments`. A tuple gives the values in order, a mapping gives those of `%(name)s`,
/// and anything else is the only value. Conversions: s r a d i u f F e E g G x X o c and %%.
Value format_percent(Heap& heap, std::string_view format, const Value& arguments);

/// `format.format(...)`. Fields are given by position or name, with `.attribute` and, for mappings
/// and lists, `[key]`. Conversions: !s !r. The format specification is that of str, int and float.
Value format_braces(Heap& heap, std::string_view format, const Arguments& arguments);

}  // namespace vernal::jinja
