// Lists and objects that are written as elements, to JSON.
#pragma once

#include <string>
#include <string_view>

namespace vernal {

/// What elements stand for, as compact JSON: <item> elements are a list, others an object by their
/// names. A text without elements is a value of the type that it looks like.
///   prefix   stands before each tag
std::string elements_to_json(std::string_view text, const std::string& prefix);

}  // namespace vernal
