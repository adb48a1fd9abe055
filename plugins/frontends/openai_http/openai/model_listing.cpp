#include "openai_http/openai/model_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>

#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "vernal/frontend/model_names.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

std::string rfc3339(std::uint64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  if (gmtime_r(&time, &parts) == nullptr) return "1970-01-01T00:00:00Z";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string_view state_name(std::uint32_t state) {
  switch (state) {
    case VERNAL_MODEL_LOADING:
      return "loading";
    case VERNAL_MODEL_READY:
      return "ready";
    case VERNAL_MODEL_DRAINING:
      return "draining";
    default:
      return "failed";
  }
}

/// Clients take the first key that looks like a context length, so the real one comes before all
/// others and no other number of tokens is called by such a name.
json::object to_json(const ModelInfo& model) {
  const std::string id = to_valid_utf8(model.id);
  const std::string description = to_valid_utf8(model.description);
  json::object meta{{"architecture", to_valid_utf8(model.architecture)},
                    {"description", description},
                    {"n_vocab", model.vocabulary_size},
                    {"state", state_name(model.state)},
                    {"has_chat_template", model.has_chat_template}};
  json::array aliases;
  for (const std::string& alias : model.aliases)
    aliases.push_back(json::string(to_valid_utf8(alias)));
  return {{"id", id},
          {"aliases", std::move(aliases)},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "vernal"},
          {"context_length", model.context_length},
          {"max_model_len", model.context_length},
          {"max_completion_tokens", model.context_length},
          {"type", "model"},
          {"display_name", description.empty() ? id : description},
          {"created_at", rfc3339(model.created)},
          {"meta", std::move(meta)}};
}

}  // namespace

std::vector<ModelInfo> visible_models(std::vector<ModelInfo> models,
                                      const std::vector<std::string>& allowed) {
  if (allowed.empty()) return models;
  std::erase_if(models, [&](const ModelInfo& model) {
    return std::find(allowed.begin(), allowed.end(), model.id) == allowed.end();
  });
  return models;
}

const ModelInfo* find_model(const std::vector<ModelInfo>& models, std::string_view name) {
  const ModelInfo* found = nullptr;
  NameSearch search(name);
  for (const ModelInfo& model : models) {
    if (search.offer(model.id)) found = &model;
    for (const std::string& alias : model.aliases) {
      if (search.offer(alias)) found = &model;
    }
  }
  return found;
}

std::vector<ModelInfo> without_patterns(std::vector<ModelInfo> models) {
  std::erase_if(models, [](const ModelInfo& model) { return is_name_pattern(model.id); });
  return models;
}

std::string render_model_list(const std::vector<ModelInfo>& models) {
  json::array data;
  for (const ModelInfo& model : models) data.push_back(to_json(model));
  json::object list{{"object", "list"}, {"data", std::move(data)}, {"has_more", false}};
  list["first_id"] = models.empty() ? json::value(nullptr) : json::value(models.front().id);
  list["last_id"] = models.empty() ? json::value(nullptr) : json::value(models.back().id);
  return to_text(list);
}

std::optional<std::string> render_model(const std::vector<ModelInfo>& models, std::string_view id) {
  const ModelInfo* const found = find_model(models, id);
  if (found == nullptr) return std::nullopt;
  ModelInfo model = *found;
  if (is_name_pattern(model.id)) model.id = id;
  return to_text(to_json(model));
}

}  // namespace vernal::openai_http
