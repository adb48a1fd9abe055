// One call of each family of models, as published.
#pragma once

#include <string_view>

namespace vernal {

/// AnswerSyntax::example of a family; empty where calls have a form that no grammar is made of.
std::string_view call_example(std::string_view family);

}  // namespace vernal
