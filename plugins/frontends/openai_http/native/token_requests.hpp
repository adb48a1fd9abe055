// Tokens and text of a model's vocabulary, in the shapes of llama-server's native API.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "openai_http/protocol/json_fields.hpp"
#include "vernal/text_client.hpp"

namespace vernal::openai_http {

/// A piece of a prompt: text, or token ids.
using PromptPiece = std::variant<std::string, std::vector<std::int32_t>>;

/// A prompt as clients send it: a string, token ids, or a list that mixes the two.
using PromptPieces = std::vector<PromptPiece>;

/// Reads one prompt from `value`, which stands at `key` of `fields`. Throws RequestRefused.
PromptPieces read_pieces(const JsonFields& fields, std::string_view key,
                         const boost::json::value& value);

/// A list of token ids. Throws RequestRefused.
std::vector<std::int32_t> read_token_ids(const JsonFields& fields, std::string_view key,
                                         const boost::json::array& ids);

/// How text becomes tokens.
struct TokenizeOptions {
  bool add_special = false;   // beginning and end of sequence, as the vocabulary asks for them
  bool parse_special = true;  // names of control tokens become those tokens
};

/// The tokens of all pieces. Only a text at the beginning gets what add_special adds. May take long:
/// worker thread.
std::vector<std::int32_t> tokenize_pieces(const TextClient& text, std::string_view model,
                                          const PromptPieces& pieces, TokenizeOptions options);

/// The body of POST /tokenize.
struct TokenizeRequest {
  std::string model;
  PromptPieces content;
  TokenizeOptions options;
  bool with_pieces = false;
};
TokenizeRequest read_tokenize_request(const boost::json::object& body);

/// {"tokens": [1, 2]}, or with pieces {"tokens": [{"id": 1, "piece": "a"}]}. A piece that is no text
/// is a list of its bytes. Worker thread.
std::string answer_tokenize_request(const TextClient& text, const TokenizeRequest& request);

/// The body of POST /detokenize.
struct DetokenizeRequest {
  std::string model;
  std::vector<std::int32_t> tokens;
};
DetokenizeRequest read_detokenize_request(const boost::json::object& body);

/// {"content": "text"}. Throws RequestRefused for a token that is not in the vocabulary. Worker
/// thread.
std::string answer_detokenize_request(const TextClient& text, const DetokenizeRequest& request);

}  // namespace vernal::openai_http
