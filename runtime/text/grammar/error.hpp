// How compiling a grammar fails.
#pragma once

#include <string>
#include <utility>

#include "vernal/error.hpp"

namespace vernal::grammar {

/// A grammar cannot be compiled. The message is `POINTER: KEYWORD: REASON`.
/// The code is VERNAL_INVALID_ARGUMENT for a mistake in the grammar, and VERNAL_UNSUPPORTED for what
/// a strict grammar would have to relax.
class GrammarError : public Error {
 public:
  GrammarError(std::string pointer, std::string keyword, const std::string& reason,
               std::int32_t code = VERNAL_INVALID_ARGUMENT)
      : Error(code, (pointer.empty() ? std::string("#") : pointer) + ": " +
                        (keyword.empty() ? std::string() : keyword + ": ") + reason),
        pointer_(std::move(pointer)),
        keyword_(std::move(keyword)),
        reason_(reason) {}

  /// "#/properties/a" for a schema, "line 3" for GBNF.
  const std::string& pointer() const noexcept { return pointer_; }
  const std::string& keyword() const noexcept { return keyword_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::string pointer_;
  std::string keyword_;
  std::string reason_;
};

}  // namespace vernal::grammar
