// What all readers of calls share.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/answer_syntax.hpp"
#include "text/answer/delta_sink.hpp"
#include "text/answer/offered_tools.hpp"
#include "text/answer/task.hpp"
#include "text/answer/text_input.hpp"

namespace vernal {

inline constexpr std::size_t kMostNameBytes = 256;
/// A candidate that has not become a call after so many bytes is content.
inline constexpr std::size_t kMostHeldBytes = std::size_t{64} << 10U;

/// The state of one answer's reading. One thread.
struct CallContext {
  CallContext(const AnswerSyntax& answer_syntax, const OfferedTools& offered, DeltaSink& deltas)
      : syntax(answer_syntax), tools(offered), sink(deltas) {}

  /// Whether a call of that name may be, `functions.` taken off.
  bool may_call(std::string_view name) const;
  /// Commits to a call: from here on nothing goes back. may_call(name) must be true.
  ///   id   that the model wrote; dropped if it is taken
  void begin_call(std::string_view name, std::string_view id = {}, bool is_deferred = false);
  void call_id(std::string_view id);
  /// The call's arguments are all there. May close the input.
  void end_call();

  const AnswerSyntax& syntax;
  const OfferedTools& tools;
  DeltaSink& sink;
  TextInput in{};
  std::set<std::string, std::less<>> used_ids{};
  std::size_t max_calls = 0;          ///< 0: any number
  bool is_thinking = false;           ///< the position stands in the thinking
  bool only_offered = false;          ///< no mark says that this is a call
  TextInput::Limit* limit = nullptr;  ///< released by the first call of a candidate
  std::size_t num_broken = 0;         ///< calls whose arguments do not parse
};

/// The name without what models put before it.
std::string_view bare_name(std::string_view name) noexcept;

// Readers. Each begins behind the opening mark and gives whether it committed to a call; if not, its
// position means nothing. It ends behind the last mark of the calls, or where they ended without.
Task<bool> read_calls(CallContext& context, const CallOpening& opening);
Task<bool> read_json_calls(CallContext& context, const CallOpening& opening);
Task<bool> read_headed_calls(CallContext& context, const CallOpening& opening);
Task<bool> read_tag_calls(CallContext& context, const CallOpening& opening, const TagForm& form);
Task<bool> read_function_calls(CallContext& context, const CallOpening& opening);
Task<bool> read_marked_calls(CallContext& context, const CallOpening& opening);
Task<bool> read_code_call(CallContext& context, const CallOpening& opening);
/// A recipient's line and what it gets: text for all, or a call.
Task<bool> read_recipient(CallContext& context);
/// A whole answer in channels.
Task<bool> read_channels(CallContext& context);

/// Text up to one of `ends`, which stays, if it comes within `most` bytes; else nothing ("" and the
/// position means nothing). `stops_at_brace`: also before a brace.
Task<std::string> read_until(CallContext& context, const std::vector<std::string>& ends,
                             std::size_t most, bool stops_at_brace);

}  // namespace vernal
