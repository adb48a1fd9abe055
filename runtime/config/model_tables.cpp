#include "config/model_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <system_error>

#include "model/printable.hpp"
#include "text/answer/answer_syntax.hpp"
#include "text/request/sampling_bounds.hpp"

namespace vernal {
namespace {

/// Lets `f` read a nested table, and reports its unknown keys.
template <class F>
void nested(TableReader& reader, std::string_view key, Problems& problems, F&& f) {
  const toml::table* table = reader.table(key);
  if (table == nullptr) return;
  const auto file = std::make_shared<const std::string>(reader.place().file);
  TableReader child(reader.full_name(key), *table, file, problems);
  f(child);
  child.finish();
}

Bounds bounds_of(const SamplingBounds& bounds) { return {bounds.least, bounds.most}; }

void read_samplers(TableReader& table, SamplingOptions& out) {
  if (!table.has("samplers")) return;
  std::vector<std::string> names;
  table.read("samplers", names);
  out.has_own_order = true;
  for (const std::string& name : names) {
    const auto stage = find_sampler(name);
    if (!stage ||
        std::find(out.samplers.begin(), out.samplers.end(), *stage) != out.samplers.end()) {
      table.problem("samplers",
                    fmt::format("\"{}\": expected each name at most once, of {}; found \"{}\"",
                                table.full_name("samplers"), sampler_names(), printable(name)));
      return;
    }
    out.samplers.push_back(*stage);
  }
}

void read_sampling(TableReader& reader, SamplingOptions& out, Problems& problems) {
  nested(reader, "sampling", problems, [&](TableReader& table) {
    for (const SamplingNumber& setting : kSamplingNumbers) {
      table.read(setting.name, out.*setting.member, bounds_of(setting.bounds));
    }
    for (const SamplingCount& setting : kSamplingCounts) {
      std::int64_t count = out.*setting.member;
      table.read(setting.name, count, bounds_of(setting.bounds));
      out.*setting.member = static_cast<std::int32_t>(count);
    }
    table.read("dry_sequence_breakers", out.dry_sequence_breakers);
    std::erase(out.dry_sequence_breakers, std::string());
    read_samplers(table, out);
  });
}

void read_kv_cache(TableReader& reader, KvCacheSettings& out, Problems& problems) {
  nested(reader, "kv_cache", problems, [&](TableReader& table) {
    const std::vector<std::string> formats{"f32",  "f16",  "bf16", "q8_0", "q6_0",
                                           "q5_0", "q5_1", "q4_0", "q4_1", "iq4_nl"};
    table.read_choice("keys", out.keys, formats);
    table.read_choice("values", out.values, formats);
    if (!table.has("rotate")) return;
    bool rotate = true;
    table.read("rotate", rotate);
    out.rotate = rotate;
  });
}

/// placement = "fit" with its host_backend, beside `backend`.
void read_fit(TableReader& reader, ModelSettings& model) {
  std::string placement = "fixed";
  std::string host_backend;
  reader.read_choice("placement", placement, {"fixed", "fit"});
  reader.read("host_backend", host_backend);
  if (placement != "fit") {
    if (reader.has("host_backend")) {
      reader.problem("host_backend",
                     fmt::format("\"{}\": only placement = \"fit\" has a use for it",
                                 reader.full_name("host_backend")));
    }
    return;
  }
  if (reader.has("layers")) {
    reader.problem("placement", fmt::format("\"{}\": \"layers\" says already where layers are",
                                            reader.full_name("placement")));
    return;
  }
  reader.require("host_backend", "the name of a [backends.NAME] that computes what does not fit");
  if (!reader.has("host_backend")) return;
  if (host_backend.empty() || host_backend == model.layers.front().backend) {
    reader.problem("host_backend",
                   fmt::format("\"{}\": expected the name of another [backends.NAME] than "
                               "\"backend\"",
                               reader.full_name("host_backend")));
  }
  model.fit = LayerFit{host_backend, reader.place("host_backend")};
}

/// `backend = "cpu"`, or layers = [{ backend, first, last }, ...] in order and without gaps.
void read_placement(TableReader& reader, ModelSettings& model, Problems& problems) {
  std::string backend;
  reader.read("backend", backend);
  if (reader.has("backend") && reader.has("layers")) {
    reader.problem("layers", fmt::format("\"{}\": say either \"backend\" or \"layers\"",
                                         reader.full_name("layers")));
  }
  if (reader.has("backend") && backend.empty() && !reader.has("layers")) {
    reader.problem("backend", fmt::format("\"{}\": expected the name of a [backends.NAME]",
                                          reader.full_name("backend")));
  }
  if (!reader.has("layers")) {
    reader.require("backend", "the name of a [backends.NAME]");
    model.layers.push_back({backend, 0, -1, reader.place("backend")});
    reader.expect("layers");
    return;
  }
  const auto file = std::make_shared<const std::string>(reader.place().file);
  const std::size_t before = problems.size();
  const std::vector<const toml::table*> ranges = reader.tables("layers");
  if (ranges.empty() && problems.size() == before) {
    reader.problem("layers",
                   fmt::format("\"{}\": expected at least one range of layers, found none",
                               reader.full_name("layers")));
  }
  std::int64_t next = 0;
  for (const toml::table* table : ranges) {
    TableReader range_reader(reader.full_name("layers"), *table, file, problems);
    LayerRange range;
    range.place = range_reader.place();
    range_reader.read("backend", range.backend);
    range_reader.read("first", range.first, {0, 1e6});
    range_reader.read("last", range.last, {0, 1e6});
    for (const char* key : {"backend", "first", "last"})
      range_reader.require(key, "layers need all three");
    range_reader.finish();
    if (range.first != next || range.last < range.first) {
      problems.add(range.place,
                   fmt::format("\"{}\": expected layers from {}, without gaps or overlaps, "
                               "found {} to {}",
                               reader.full_name("layers"), next, range.first, range.last));
    }
    next = range.last + 1;
    model.layers.push_back(range);
  }
}

void check_model_file(TableReader& reader, const ModelSettings& model) {
  if (model.path.empty()) return;
  std::error_code error;
  const auto status = std::filesystem::status(model.path, error);
  if (!std::filesystem::exists(status)) {
    reader.problem("path", fmt::format("\"{}\": expected a GGUF file, found nothing at {}",
                                       reader.full_name("path"), printable(model.path.string())));
  } else if (!std::filesystem::is_regular_file(status)) {
    reader.problem("path",
                   fmt::format("\"{}\": expected a GGUF file, found a directory or device at {}",
                               reader.full_name("path"), printable(model.path.string())));
  }
}

/// "file", "none", "file:NAME", or a path relative to the deployment file. Whether the model file has
/// a template of that name is seen when it is opened.
void read_chat_template(TableReader& reader, ModelSettings& model) {
  if (!reader.has("chat_template")) return reader.expect("chat_template");
  std::string text;
  const std::size_t before = reader.problems().size();
  reader.read("chat_template", text);
  if (reader.problems().size() != before) return;
  if (text == "file:") {
    reader.problem("chat_template",
                   fmt::format("\"{}\": expected the name of a chat template behind \"file:\"",
                               reader.full_name("chat_template")));
    return;
  }
  if (text == "file" || text == "none" || text.starts_with("file:")) {
    model.chat_template = text;
    return;
  }
  std::filesystem::path path;
  reader.read_path("chat_template", path);
  if (reader.problems().size() != before) return;
  model.chat_template = path.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    reader.problem("chat_template",
                   fmt::format("\"{}\": expected \"file\", \"none\" or a template file, "
                               "found no file at {}",
                               reader.full_name("chat_template"), printable(path.string())));
  }
}

/// messages = { repair = "when_refused", late_system = "user" }
void read_messages(TableReader& reader, ModelSettings& model, Problems& problems) {
  nested(reader, "messages", problems, [&](TableReader& table) {
    table.read_choice("repair", model.repair_messages, {"when_refused", "always", "never"});
    table.read_choice("late_system", model.late_system, {"user", "first"});
  });
}

/// speculation = { draft = "ngram", max_tokens = 8 }
void read_speculation(TableReader& reader, ModelSettings& model, Problems& problems) {
  nested(reader, "speculation", problems, [&](TableReader& table) {
    table.read_choice("draft", model.draft, {"none", "ngram", "mtp"});
    table.read("max_tokens", model.max_draft_tokens, {1, kMaxDraftTokens});
  });
}

/// speculation = { max_tokens = 4 }, 0: none
void read_speculation(TableReader& reader, ProfileSettings& profile) {
  nested(reader, "speculation", reader.problems(), [&](TableReader& table) {
    std::uint64_t most = kMaxDraftTokens;
    table.read("max_tokens", most, {0, kMaxDraftTokens});
    profile.max_draft_tokens = most;
  });
}

void read_limits(TableReader& reader, ModelSettings& model) {
  reader.read("context_length", model.context_length, {64, 16'777'216});
  reader.read("slots", model.slots, {1, 256});
  reader.read("kv_tokens", model.kv_tokens, {64, 1e9});
  reader.read("max_checkpoints", model.max_checkpoints, {0, 1024});
  reader.read("max_tokens_per_step", model.max_tokens_per_step, {64, 8192});
  reader.read_duration_ms("max_step_time", model.max_step_time_ms);
  reader.read("scored_rows", model.scored_rows, {1, 512});
  reader.read("max_queue", model.max_queue, {1, 100'000});
  reader.read_duration_ms("stall_timeout", model.stall_timeout_ms);
  reader.read_duration_ms("step_timeout", model.step_timeout_ms);
}

/// Which backends can do it is known when the model is planned.
void read_stream_weights(TableReader& reader, ModelSettings& model) {
  if (!reader.has("stream_weights")) return reader.expect("stream_weights");
  const std::size_t before = reader.problems().size();
  std::uint64_t least = 0;
  reader.read("stream_weights", least, {0, 8192});
  if (reader.problems().size() != before) return;
  model.stream_weights = least;
  if (least == 0) return;
  const std::string name = reader.full_name("stream_weights");
  if (model.layers.size() < 2 && !model.fit) {
    reader.problem("stream_weights",
                   fmt::format("\"{}\": only \"layers\" of several backends and placement = "
                               "\"fit\" have a use for it",
                               name));
  }
  if (least > model.max_tokens_per_step) {
    reader.problem("stream_weights",
                   fmt::format("\"{}\": expected at most max_tokens_per_step, {}, or no step is so "
                               "large; found {}",
                               name, model.max_tokens_per_step, least));
  }
}

std::vector<std::string> tool_syntaxes() {
  std::vector<std::string> names = answer_families();
  names.insert(names.begin(), "auto");
  return names;
}

/// The key is planned but does nothing yet, so accepting it would mislead.
void refuse_prefix_cache(TableReader& reader) {
  if (!reader.has("prefix_cache")) return;
  reader.expect("prefix_cache");
  reader.problem("prefix_cache",
                 fmt::format("\"{}\": there is no prefix cache yet; a later version brings it. "
                             "Leave the key out",
                             reader.full_name("prefix_cache")));
}

}  // namespace

ModelSettings read_model(TableReader& reader, const std::string& name) {
  Problems& problems = reader.problems();
  ModelSettings model;
  model.name = name;
  model.place = reader.place();
  reader.read_path("path", model.path);
  model.path_place = reader.place("path");
  reader.require("path", "the GGUF file");
  check_model_file(reader, model);
  read_placement(reader, model, problems);
  read_fit(reader, model);
  read_limits(reader, model);
  read_stream_weights(reader, model);
  refuse_prefix_cache(reader);
  read_kv_cache(reader, model.kv_cache, problems);
  reader.read("host_tensors", model.host_tensors);
  reader.read_choice("lock_memory", model.lock_memory, {"never", "preferred", "required"});
  reader.read("architecture", model.architecture);
  read_chat_template(reader, model);
  reader.read_choice("tool_syntax", model.tool_syntax, tool_syntaxes());
  read_sampling(reader, model.sampling, problems);
  reader.read_choice("thinking", model.thinking, {"auto", "on", "off"});
  reader.read_choice("pooling", model.pooling, {"none", "last", "mean"});
  read_speculation(reader, model, problems);
  read_messages(reader, model, problems);
  reader.read("aliases", model.aliases);
  model.aliases_place = reader.place("aliases");
  reader.finish();
  return model;
}

ProfileSettings read_profile(TableReader& reader, const std::string& name) {
  ProfileSettings profile;
  profile.name = name;
  profile.place = reader.place();
  reader.read("model", profile.model);
  profile.model_place = reader.place("model");
  reader.require("model", "the name of a [models.NAME]");
  read_sampling(reader, profile.sampling, reader.problems());
  reader.read_choice("thinking", profile.thinking, {"auto", "on", "off"});
  reader.read("aliases", profile.aliases);
  read_speculation(reader, profile);
  profile.aliases_place = reader.place("aliases");
  reader.finish();
  return profile;
}

}  // namespace vernal
