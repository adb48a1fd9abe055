// How clients ask for the choice of tokens.
#pragma once

#include <boost/json/object.hpp>

#include "openai_http/protocol/json_fields.hpp"

namespace vernal::openai_http {

/// Copies the settings of the sampling chain from a client's request into the document's `sampling`,
/// under the names that clients of the OpenAI API, of vLLM and of llama-server use for them.
/// Absent members stay absent. Which values are allowed is the engine's to say.
/// Throws RequestRefused.
void read_sampling_settings(const JsonFields& fields, boost::json::object& document);

/// Copies min_tokens, ignore_eos, and the texts that must not come: bad_words as vLLM's clients send
/// them, banned_strings as those of other servers do.
void read_token_rules(const JsonFields& fields, boost::json::object& document);

}  // namespace vernal::openai_http
