#include "openai_http/openai/embedding_request.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/native/token_requests.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_text.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxInputs = 2048;

/// Adds the request for one input, which is a string or token ids.
void add_input(const JsonFields& fields, std::string_view key, const json::value& input,
               GenerationRequest& request) {
  json::object document{{"kind", "embed"}};
  std::vector<std::int32_t> tokens;
  if (input.is_string()) {
    document["prompt"] = input;
  } else if (input.is_array()) {
    tokens = read_token_ids(fields, key, input.get_array());
  }
  if (tokens.empty() && !input.is_string()) fields.refuse(key, "strings or lists of token ids");
  request.prompts.push_back({to_text(document), std::move(tokens)});
}

void read_inputs(const JsonFields& fields, std::string_view key, GenerationRequest& request) {
  const json::value* const input = fields.find(key);
  if (input == nullptr) fields.refuse(key, "a string, token ids, or a list of those");
  const json::array* const list = input->if_array();
  if (list == nullptr || (!list->empty() && list->front().is_number())) {
    add_input(fields, key, *input, request);
    return;
  }
  if (list->empty() || list->size() > kMaxInputs) {
    fields.refuse(key, fmt::format("1 to {} inputs", kMaxInputs));
  }
  for (const json::value& element : *list) add_input(fields, key, element, request);
}

}  // namespace

GenerationRequest read_embedding_request(const json::object& body) {
  const JsonFields fields(body);
  GenerationRequest request;
  request.model = fields.string("model").value_or("");
  const std::string_view format = fields.string("encoding_format").value_or("float");
  if (format != "float" && format != "base64") {
    fields.refuse("encoding_format", "float or base64");
  }
  request.wants_base64 = format == "base64";
  if (fields.integer("dimensions", {1, 1e9})) {
    throw RequestRefused(unsupported_parameter(
        "dimensions", "embeddings have the width of the model; leave the member out."));
  }
  read_inputs(fields, "input", request);
  return request;
}

GenerationRequest read_native_embedding(const json::object& body) {
  const JsonFields fields(body);
  GenerationRequest request;
  request.model = fields.string("model").value_or("");
  const std::int64_t norm = fields.integer("embd_normalize", {-1, 1000}).value_or(2);
  if (norm != 2 && norm != -1) {
    throw RequestRefused(unsupported_parameter(
        "embd_normalize", "send 2 for vectors of length one, or -1 for vectors as they are."));
  }
  request.is_normalized = norm == 2;
  read_inputs(fields, fields.find("content") != nullptr ? "content" : "input", request);
  return request;
}

}  // namespace vernal::openai_http
