// The parts of an answer as they are handed out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace vernal {

/// What an answer consists of.
enum class AnswerPart : std::uint8_t {
  kReasoning,
  kContent,
  kCallBegin,      ///< a call: its name and id
  kCallArguments,  ///< more of its arguments, which are JSON when all are put together
};

/// The next text of one part. A call's parts come in order, and no delta is taken back.
struct AnswerDelta {
  AnswerPart part = AnswerPart::kContent;
  std::size_t call = 0;  ///< the calls: index in the answer
  std::string text{};    ///< whole UTF-8 characters; of kCallBegin the name
  std::string id{};      ///< kCallBegin: the id that the model wrote, or empty
};

}  // namespace vernal
