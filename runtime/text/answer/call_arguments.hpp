// The arguments of calls where they are a JSON object, or code that stands for one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/answer/call_context.hpp"
#include "text/answer/task.hpp"

namespace vernal {

/// Where arguments go: into the call as they come, or into `early` until the call has begun. Borrows
/// all it refers to.
struct ArgumentsTarget {
  CallContext& context;
  std::string& early;
  bool has_begun;

  /// Takes the text and leaves it empty.
  void put(std::string& text);
};

/// How the reading of an object ended.
struct ArgumentsEnd {
  bool is_read = false;   ///< false: it could not be mended and no call has begun, so there is none
  bool is_whole = false;  ///< false: it ended at the end of the text or before a closing mark
};

/// The JSON object that begins here. Ends behind it or, where its end is missing, before one of
/// `closes`.
///   has_wrapper   the object stands in another one, whose brace may follow
Task<ArgumentsEnd> read_arguments_object(ArgumentsTarget target,
                                         const std::vector<std::string>& closes, bool has_wrapper);
/// The same, as the arguments of the call that has begun. Gives whether it is whole.
Task<bool> read_arguments(CallContext& context, const std::vector<std::string>& closes,
                          bool has_wrapper);
/// The argument of a call that takes code: everything up to one of `closes` or the end.
Task<bool> read_code(CallContext& context, std::string_view tool,
                     const std::vector<std::string>& closes);

}  // namespace vernal
