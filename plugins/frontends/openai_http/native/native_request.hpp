// What the native API of llama-server has beyond a GenerationRequest.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "openai_http/native/token_requests.hpp"

namespace vernal::openai_http {

/// A text that is to be found in the prompt of POST /infill beside the gap.
struct InfillFile {
  std::string name;
  std::string text;
};

/// The gap that POST /infill is to fill.
struct Infill {
  std::string prefix;
  std::string suffix;
  std::vector<InfillFile> files;
};

/// Lives as long as the request and its answer.
struct NativeRequest {
  std::vector<PromptPieces> prompts;         // one for each EnginePrompt
  Infill infill;                             // of POST /infill
  boost::json::object sent_settings;         // of the generation, under the names of this API
  std::vector<std::string> response_fields;  // members of the answer; empty: all
  std::int64_t max_new_tokens = -1;          // -1: no limit of its own
  bool returns_tokens = false;
  bool returns_progress = false;
  bool returns_timings = false;  // with every token
  bool discards_text = false;    // n_predict = 0: only the prompt is computed

  // Known when the model is.
  boost::json::object settings;  // those that count: the model's defaults and the sent ones
  std::vector<std::string> prompt_texts;  // one for each EnginePrompt
};

}  // namespace vernal::openai_http
