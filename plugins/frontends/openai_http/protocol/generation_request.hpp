// What every endpoint that generates hands to the engine, and the request fields they share.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

struct NativeRequest;

/// One request to the engine: a document vernal.request/1, and the prompt's tokens if the client
/// sent tokens.
struct EnginePrompt {
  std::string document;
  std::vector<std::int32_t> tokens;
  std::string echoed{};  // the prompt as the client gets it back; empty: as the engine has it
};

/// A client's request, converted. All its prompts go into one answer.
struct GenerationRequest {
  std::string model;                  // empty: the client named none
  std::vector<EnginePrompt> prompts;  // at least one
  std::string warnings;               // what was not done as asked, a sentence on each line
  std::string format_member;          // path of what asks for a format; empty: nothing does
  std::string suffix;                 // what follows the gap behind each prompt; empty: no gap
  std::uint32_t num_choices = 1;      // of each prompt
  bool is_complete = true;            // else GenerationApi::prepare has to complete it
  bool is_streamed = false;
  bool include_usage = false;          // a usage chunk at the end of the event stream
  bool timings_per_token = false;      // in each chunk of the event stream
  bool reports_progress = false;       // chunks that say how much of the prompt is done
  bool answers_function_call = false;  // a call is function_call of the older API
  bool hides_thinking = false;         // of a message: its thinking blocks are empty
  bool wants_logprobs = false;
  std::uint32_t num_alternatives = 0;     // of each position, with wants_logprobs
  bool wants_base64 = false;              // of an embedding; else numbers
  bool is_normalized = true;              // of an embedding: it gets the length one
  std::shared_ptr<NativeRequest> native;  // of llama-server's API; else null
};

/// Most alternatives of a position, whatever the member is called in which a client asks for them.
inline constexpr double kMaxAlternatives = 20;

/// Copies what the endpoints for generation share from a client's request into a document:
/// the settings of sampling (sampling_fields.hpp), seed, stop, n. Absent members stay absent.
/// Throws RequestRefused.
void read_sampling(const JsonFields& fields, boost::json::object& document);

/// Reads `seed`: any 64-bit integer, signed or not. Only its bits count.
void read_seed(const JsonFields& fields, boost::json::object& document);

/// Reads a string or a list of strings from `key` into the document's `stop`. Empty ones are left
/// out: they stop nothing.
void read_stops(const JsonFields& fields, std::string_view key, boost::json::object& document);

/// Reads model, stream, stream_options, n, timings_per_token and return_progress.
void read_delivery(const JsonFields& fields, GenerationRequest& request);

/// Reads an output budget from `key` into the document's max_tokens; absent: false. -1 means no
/// limit and writes nothing. However large, it is accepted: the engine cuts it to the room that is
/// left. The message does not name the member: clients take messages that contain its name for an
/// overflow of the context.
bool read_output_budget(const JsonFields& fields, std::string_view key,
                        boost::json::object& document);

}  // namespace vernal::openai_http
