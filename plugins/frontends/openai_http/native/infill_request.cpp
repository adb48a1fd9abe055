#include "openai_http/native/infill_request.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "openai_http/native/completion_request.hpp"
#include "openai_http/native/native_request.hpp"
#include "openai_http/protocol/gap_prompt.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/model_description.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

using Tokens = std::vector<std::int32_t>;

/// Room that is kept for an answer whose length the client does not bound.
constexpr std::uint64_t kUsualAnswer = 256;
constexpr std::uint64_t kMarks = 8;  // tokens around the parts, at most

/// What a client may call the repository and the file is not part of the API.
constexpr std::string_view kRepositoryName = "repository\n";
constexpr std::string_view kFileName = "file\n";

/// The files that are to be known, each behind its name where the vocabulary marks files.
Tokens file_tokens(const Infill& infill, const GapMarks& marks, const TextClient& text,
                   std::string_view model) {
  Tokens out;
  const auto append = [&](std::string_view part) {
    const Tokens tokens = text.tokenize(model, part, 0);
    out.insert(out.end(), tokens.begin(), tokens.end());
  };
  if (infill.files.empty()) return out;
  if (marks.repository && marks.file) {
    out.push_back(*marks.repository);
    append(kRepositoryName);
  }
  for (const InfillFile& file : infill.files) {
    if (marks.file) {
      out.push_back(*marks.file);
      append(file.name + "\n");
    }
    append(file.text);
  }
  if (marks.file) {
    out.push_back(*marks.file);
    append(kFileName);
  }
  return out;
}

void keep_last(Tokens& tokens, std::uint64_t most) {
  if (tokens.size() <= most) return;
  tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(most));
}

/// Cuts prefix and suffix to `room` tokens together.
void cut_to_room(Tokens& prefix, Tokens& suffix, std::uint64_t room) {
  if (prefix.size() + suffix.size() <= room) return;
  const std::uint64_t quarter = room / 4;
  const std::uint64_t for_suffix =
      std::max(quarter, room - std::min<std::uint64_t>(room, prefix.size()));
  suffix.resize(std::min<std::uint64_t>(suffix.size(), for_suffix));
  keep_last(prefix, room - suffix.size());
}

std::uint64_t room_of(const json::object& facts, const NativeRequest& native) {
  const json::value* const length = facts.if_contains("context_length");
  const std::uint64_t context = length != nullptr && length->is_number()
                                    ? length->to_number<std::uint64_t>()
                                    : UINT64_MAX / 2;
  const std::uint64_t answer =
      native.max_new_tokens > 0 ? static_cast<std::uint64_t>(native.max_new_tokens) : kUsualAnswer;
  return context - std::min(context / 2, std::min(answer, context / 2) + kMarks);
}

Tokens make_infill_prompt(const GenerationRequest& request, const TextClient& text,
                          const json::object& facts) {
  const GapMarks marks = gap_marks(facts, "input_prefix");
  const Infill& infill = request.native->infill;
  GapParts parts;
  parts.prefix = text.tokenize(request.model, infill.prefix, 0);
  const Tokens begun = tokenize_pieces(text, request.model, request.native->prompts.front(),
                                       {.parse_special = false});
  parts.prefix.insert(parts.prefix.end(), begun.begin(), begun.end());
  parts.suffix = text.tokenize(request.model, infill.suffix, 0);
  const std::uint64_t room = room_of(facts, *request.native);
  cut_to_room(parts.prefix, parts.suffix, room);
  parts.files = file_tokens(infill, marks, text, request.model);
  keep_last(parts.files, room - parts.prefix.size() - parts.suffix.size());
  return gap_prompt(marks, parts);
}

}  // namespace

GenerationRequest read_infill(const json::object& body) {
  const JsonFields fields(body);
  GenerationRequest request;
  request.native = std::make_shared<NativeRequest>();
  json::object document{{"kind", "generate"}};
  read_native_settings(fields, request, document);
  Infill& infill = request.native->infill;
  infill.prefix = fields.required_string("input_prefix");
  infill.suffix = fields.required_string("input_suffix");
  if (const json::array* const files = fields.array("input_extra")) {
    for (std::size_t i = 0; i < files->size(); ++i) {
      if (!(*files)[i].is_object()) fields.refuse("input_extra", "an array of objects");
      const JsonFields file((*files)[i].get_object(), element_path("input_extra", i));
      infill.files.push_back({std::string(file.string("filename").value_or("file")),
                              std::string(file.required_string("text"))});
    }
  }
  const json::value* const prompt = fields.find("prompt");
  request.native->prompts.push_back(prompt == nullptr ? PromptPieces()
                                                      : read_pieces(fields, "prompt", *prompt));
  request.prompts.push_back({to_text(document), {}});
  return request;
}

void prepare_infill(GenerationRequest& request, const TextClient& text) {
  const json::object facts = describe_model(text, request.model);
  request.prompts.front().tokens = make_infill_prompt(request, text, facts);
  request.native->prompt_texts.push_back(
      text.detokenize(request.model, request.prompts.front().tokens));
  apply_model_facts(request, facts);
}

}  // namespace vernal::openai_http
