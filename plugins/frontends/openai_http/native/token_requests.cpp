#include "openai_http/native/token_requests.hpp"

#include <boost/json.hpp>
#include <limits>
#include <utility>

#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::string_view kPieces = "a string, token ids, or an array that mixes the two";

std::int32_t read_token_id(const JsonFields& fields, std::string_view key,
                           const json::value& value) {
  const auto* const number = value.if_int64();
  if (number == nullptr || *number < 0 || *number > std::numeric_limits<std::int32_t>::max()) {
    fields.refuse(key, "token ids that are whole numbers of at least 0");
  }
  return static_cast<std::int32_t>(*number);
}

json::value piece_of(std::string_view bytes) {
  if (is_valid_utf8(bytes)) return json::string(bytes);
  json::array numbers;
  for (const char c : bytes) numbers.push_back(static_cast<unsigned char>(c));
  return numbers;
}

}  // namespace

std::vector<std::int32_t> read_token_ids(const JsonFields& fields, std::string_view key,
                                         const json::array& ids) {
  std::vector<std::int32_t> tokens;
  tokens.reserve(ids.size());
  for (const json::value& id : ids) tokens.push_back(read_token_id(fields, key, id));
  return tokens;
}

PromptPieces read_pieces(const JsonFields& fields, std::string_view key, const json::value& value) {
  PromptPieces pieces;
  if (const auto* const text = value.if_string()) {
    pieces.emplace_back(std::string(text_of(*text)));
    return pieces;
  }
  if (!value.is_array()) fields.refuse(key, kPieces);
  for (const json::value& element : value.get_array()) {
    if (const auto* const text = element.if_string()) {
      pieces.emplace_back(std::string(text_of(*text)));
      continue;
    }
    if (!element.is_number()) fields.refuse(key, kPieces);
    if (pieces.empty() || !std::holds_alternative<std::vector<std::int32_t>>(pieces.back())) {
      pieces.emplace_back(std::vector<std::int32_t>());
    }
    std::get<std::vector<std::int32_t>>(pieces.back())
        .push_back(read_token_id(fields, key, element));
  }
  return pieces;
}

std::vector<std::int32_t> tokenize_pieces(const TextClient& text, std::string_view model,
                                          const PromptPieces& pieces, TokenizeOptions options) {
  std::vector<std::int32_t> tokens;
  const std::uint32_t special = options.parse_special ? VERNAL_TEXT_PARSE_SPECIAL : 0;
  for (const PromptPiece& piece : pieces) {
    if (const auto* const ids = std::get_if<std::vector<std::int32_t>>(&piece)) {
      tokens.insert(tokens.end(), ids->begin(), ids->end());
      continue;
    }
    const bool adds = options.add_special && tokens.empty();
    const std::vector<std::int32_t> made = text.tokenize(
        model, std::get<std::string>(piece), special | (adds ? VERNAL_TEXT_ADD_SPECIAL : 0U));
    tokens.insert(tokens.end(), made.begin(), made.end());
  }
  return tokens;
}

TokenizeRequest read_tokenize_request(const json::object& body) {
  const JsonFields fields(body);
  TokenizeRequest request;
  request.model = fields.string("model").value_or("");
  if (const json::value* const content = fields.find("content")) {
    request.content = read_pieces(fields, "content", *content);
  }
  request.options.add_special = fields.boolean("add_special").value_or(false);
  request.options.parse_special = fields.boolean("parse_special").value_or(true);
  request.with_pieces = fields.boolean("with_pieces").value_or(false);
  return request;
}

std::string answer_tokenize_request(const TextClient& text, const TokenizeRequest& request) {
  const std::vector<std::int32_t> tokens =
      tokenize_pieces(text, request.model, request.content, request.options);
  json::array out;
  if (!request.with_pieces) {
    for (const std::int32_t token : tokens) out.push_back(token);
    return to_text(json::object{{"tokens", std::move(out)}});
  }
  const std::vector<std::string> bytes = text.token_bytes(request.model, tokens);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    out.push_back(json::object{{"id", tokens[i]}, {"piece", piece_of(bytes[i])}});
  }
  return to_text(json::object{{"tokens", std::move(out)}});
}

DetokenizeRequest read_detokenize_request(const json::object& body) {
  const JsonFields fields(body);
  DetokenizeRequest request;
  request.model = fields.string("model").value_or("");
  if (const json::array* const tokens = fields.array("tokens")) {
    request.tokens = read_token_ids(fields, "tokens", *tokens);
  }
  return request;
}

std::string answer_detokenize_request(const TextClient& text, const DetokenizeRequest& request) {
  text.token_bytes(request.model, request.tokens);  // refuses ids that are not in the vocabulary
  return to_text(json::object{{"content", text.detokenize(request.model, request.tokens)}});
}

}  // namespace vernal::openai_http
