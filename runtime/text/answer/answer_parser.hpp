// Takes what a model writes apart: thinking, content, calls.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/answer_delta.hpp"
#include "text/answer/answer_syntax.hpp"
#include "text/answer/text_input.hpp"
#include "text/request/chat_message.hpp"

namespace vernal {

/// Reads one answer as it is generated. However the text is cut, the
/// same deltas come out when they are put together. Whatever a model writes, nothing is lost: what is
/// no call is content, to the letter. Constant work for each byte.
/// Thread   one at a time
class AnswerParser {
 public:
  struct Options {
    bool is_thinking = false;   ///< the prompt ends inside the thinking
    std::size_t max_calls = 0;  ///< the answer is complete behind so many; 0: any number
    /// Ids of calls in the conversation: none of them is used again.
    std::vector<std::string> used_ids{};
  };

  /// `syntax` and `tools` outlive it. Without tools no calls are sought.
  AnswerParser(const AnswerSyntax& syntax, const std::vector<ToolDefinition>& tools,
               Options options);
  ~AnswerParser();
  AnswerParser(AnswerParser&&) noexcept;
  AnswerParser& operator=(AnswerParser&&) = delete;

  /// Takes the next piece of UTF-8 text, cut anywhere.
  /// Errors   std::bad_alloc
  std::vector<AnswerDelta> push(std::string_view piece);
  /// Ends the answer and gives the rest of it. To be called once.
  /// Errors   std::bad_alloc
  std::vector<AnswerDelta> finish(AnswerEnd end);

  /// Whether the text stands in the thinking.
  bool is_thinking() const noexcept;
  /// Whether the last call that is allowed is whole: what follows is not read.
  bool is_complete() const noexcept;
  std::size_t num_calls() const noexcept;
  /// Calls whose arguments are no JSON.
  std::size_t num_broken_calls() const noexcept;

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace vernal
