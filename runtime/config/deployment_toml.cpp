// From TOML text to a Deployment: syntax, the core's own tables, and references between them.
#include <fmt/format.h>

#include <algorithm>

#include "config/deployment.hpp"
#include "config/model_tables.hpp"
#include "config/nesting.hpp"
#include "config/plugin_table.hpp"
#include "config/suggestion.hpp"
#include "config/table_reader.hpp"
#include "config/text_file.hpp"
#include "model/printable.hpp"
#include "vernal/abi/plugin.h"
#include "vernal/error.hpp"
#include "vernal/frontend/model_names.hpp"

namespace vernal {
namespace {

// Far above any real deployment. A wrong file, such as a model, is refused before it is read.
constexpr std::uint64_t kLargestFile = 4 * 1024 * 1024;
// Most tables of one kind. References between tables are found by linear search.
constexpr std::size_t kMostTables = 256;
constexpr std::uint64_t kLongestTableName = 128;

/// The parser's description with all control characters escaped; it escapes only some itself.
std::string on_one_line(std::string_view description) {
  const auto steers = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  return std::ranges::any_of(description, steers) ? printable(description, description.size())
                                                  : std::string(description);
}

/// The names of all models and profiles.
std::vector<std::string> model_names(const Deployment& deployment) {
  std::vector<std::string> names;
  for (const ModelSettings& model : deployment.models) names.push_back(model.name);
  for (const ProfileSettings& profile : deployment.profiles) names.push_back(profile.name);
  return names;
}

/// Reads one file. Used once.
class Reader {
 public:
  Reader(const toml::table& root, const std::filesystem::path& file,
         const std::function<SchemaSourceFactory>& make_schemas)
      : root_(root),
        file_(std::make_shared<const std::string>(file.string())),
        make_schemas_(make_schemas) {
    deployment_.file = file;
  }

  Deployment read() {
    TableReader reader("", root_, file_, problems_);
    std::int64_t schema = 0;
    if (!reader.has("schema")) reader.problem("schema", "the file must say \"schema = 1\"");
    reader.read("schema", schema, {1, 1});
    if (const toml::table* table = reader.table("runtime")) read_runtime(*table);
    schemas_ = make_schemas_(deployment_.runtime);
    const toml::table* backends = reader.table("backends");
    const toml::table* models = reader.table("models");
    const toml::table* profiles = reader.table("profiles");
    const toml::table* frontends = reader.table("frontends");
    reader.finish();
    if (backends != nullptr) read_plugins("backends", *backends, VERNAL_KIND_BACKEND);
    if (models != nullptr) {
      for_each_table("models", *models, [&](TableReader& table, const std::string& name) {
        deployment_.models.push_back(read_model(table, name));
      });
    }
    if (deployment_.models.empty())
      reader.problem("models", "the file needs at least one [models.NAME]");
    if (profiles != nullptr) {
      for_each_table("profiles", *profiles, [&](TableReader& table, const std::string& name) {
        deployment_.profiles.push_back(read_profile(table, name));
      });
    }
    check_references();
    if (frontends != nullptr) read_plugins("frontends", *frontends, VERNAL_KIND_FRONTEND);
    problems_.raise();
    return std::move(deployment_);
  }

 private:
  template <class F>
  void for_each_table(const std::string& group, const toml::table& tables, F&& f) {
    std::vector<std::pair<std::string, const toml::table*>> ordered;
    for (const auto& [key, value] : tables) {
      if (!is_good_name(group, key)) continue;
      if (const toml::table* table = value.as_table()) {
        ordered.emplace_back(std::string(key.str()), table);
      } else {
        const auto at = key.source().begin;
        problems_.add({*file_, at.line, at.column},
                      fmt::format("\"{}.{}\": expected a table [{}.{}], found {}", group, key.str(),
                                  group, key.str(), describe(value)));
      }
    }
    if (ordered.size() > kMostTables) {
      const auto at = tables.source().begin;
      problems_.add({*file_, at.line, at.column},
                    fmt::format("\"{}\": expected at most {} tables, found {}", group, kMostTables,
                                ordered.size()));
      return;
    }
    std::ranges::stable_sort(ordered, [](const auto& a, const auto& b) {
      return a.second->source().begin < b.second->source().begin;
    });
    for (const auto& [name, table] : ordered) {
      TableReader reader(fmt::format("{}.{}", group, name), *table, file_, problems_);
      f(reader, name);
    }
  }

  /// Names appear in messages, logs and addresses, so they are short and one printable line.
  bool is_good_name(const std::string& group, const toml::key& key) {
    const std::string_view name = key.str();
    const std::string shown = printable(name, kLongestTableName);
    if (!name.empty() && shown == name) return true;
    const auto at = key.source().begin;
    problems_.add({*file_, at.line, at.column},
                  fmt::format("\"{}.{}\": expected a name of 1 to {} bytes without quotes, "
                              "backslashes and control characters",
                              group, shown, kLongestTableName));
    return false;
  }

  void read_runtime(const toml::table& table) {
    TableReader reader("runtime", table, file_, problems_);
    reader.read_paths("plugin_paths", deployment_.runtime.plugin_paths);
    reader.read_choice("log_level", deployment_.runtime.log_level,
                       {"trace", "debug", "info", "warning", "error", "off"});
    reader.read_choice("log_format", deployment_.runtime.log_format, {"text", "json"});
    reader.read("require_secure_paths", deployment_.runtime.require_secure_paths);
    reader.read("overcommit", deployment_.runtime.overcommit);
    reader.read_duration_ms("drain_timeout", deployment_.runtime.drain_timeout_ms);
    reader.finish();
  }

  void read_plugins(const std::string& group, const toml::table& tables, std::uint32_t kind) {
    auto& target = kind == VERNAL_KIND_BACKEND ? deployment_.backends : deployment_.frontends;
    for_each_table(group, tables, [&](TableReader& reader, const std::string& name) {
      PluginInstance instance;
      instance.name = name;
      instance.place = reader.place();
      reader.read("plugin", instance.plugin);
      reader.require("plugin", "the name of a plugin (see `vernal plugins`)");
      if (!instance.plugin.empty()) read_settings(reader, kind, instance);
      target.push_back(std::move(instance));
    });
  }

  void read_settings(TableReader& reader, std::uint32_t kind, PluginInstance& instance) {
    try {
      const std::vector<SchemaRow> rows = schemas_->schema(instance.plugin, kind);
      read_plugin_table(reader, rows, model_names(deployment_), instance);
    } catch (const Error& error) {
      const std::vector<std::string> names = schemas_->names(kind);
      const std::vector<std::string_view> known(names.begin(), names.end());
      const bool is_known = std::ranges::find(names, instance.plugin) != names.end();
      reader.problem("plugin",
                     fmt::format("plugin \"{}\": {}{}", printable(instance.plugin), error.what(),
                                 is_known ? "" : did_you_mean(instance.plugin, known)));
    }
  }

  void check_references() {
    std::vector<std::string_view> backends;
    for (const PluginInstance& backend : deployment_.backends) backends.push_back(backend.name);
    for (const ModelSettings& model : deployment_.models) {
      const auto check = [&](const std::string& backend, const SourcePlace& place) {
        if (backend.empty() || std::ranges::find(backends, backend) != backends.end()) return;
        problems_.add(place, fmt::format("\"models.{}\": there is no [backends.{}]{}", model.name,
                                         printable(backend), did_you_mean(backend, backends)));
      };
      for (const LayerRange& range : model.layers) check(range.backend, range.place);
      if (model.fit) check(model.fit->host_backend, model.fit->place);
    }
    check_profiles();
    check_aliases();
  }

  void check_profiles() {
    std::vector<std::string_view> models;
    for (const ModelSettings& model : deployment_.models) {
      models.push_back(model.name);
      if (is_name_pattern(model.name)) {
        problems_.add(model.place, fmt::format("\"models.{}\": the name of a model has no '*'; "
                                               "a profile or an alias may stand for many names",
                                               model.name));
      }
    }
    for (const ProfileSettings& profile : deployment_.profiles) {
      if (std::ranges::find(models, profile.name) != models.end()) {
        problems_.add(profile.place,
                      fmt::format("\"profiles.{}\": a model has the same name", profile.name));
      }
      if (!profile.model.empty() && std::ranges::find(models, profile.model) == models.end()) {
        problems_.add(profile.model_place,
                      fmt::format("\"profiles.{}.model\": there is no [models.{}]{}", profile.name,
                                  printable(profile.model), did_you_mean(profile.model, models)));
      }
      check_pattern("profiles." + profile.name, profile.name, profile.place);
    }
  }

  /// Two '*' in a row say what one says, and two patterns that say the same are a mistake.
  void check_pattern(const std::string& key, const std::string& name, const SourcePlace& place) {
    if (name.find("**") == std::string::npos) return;
    problems_.add(place, fmt::format("\"{}\": \"{}\" has two '*' in a row; one stands for any text",
                                     key, name));
  }

  /// An alias that something else is called by would never be reached.
  void check_aliases() {
    std::vector<std::string> names = model_names(deployment_);
    const auto check = [&](const std::string& table, const std::vector<std::string>& aliases,
                           const SourcePlace& place) {
      for (const std::string& alias : aliases) {
        if (alias.empty() || printable(alias, kLongestTableName) != alias) {
          problems_.add(place,
                        fmt::format("\"{}.aliases\": expected names of 1 to {} bytes without "
                                    "quotes, backslashes and control characters",
                                    table, kLongestTableName));
        } else if (std::ranges::find(names, alias) != names.end()) {
          problems_.add(place, fmt::format("\"{}.aliases\": \"{}\" is the name of something else",
                                           table, alias));
        }
        check_pattern(table + ".aliases", alias, place);
        names.push_back(alias);
      }
    };
    for (const ModelSettings& model : deployment_.models) {
      check("models." + model.name, model.aliases, model.aliases_place);
    }
    for (const ProfileSettings& profile : deployment_.profiles) {
      check("profiles." + profile.name, profile.aliases, profile.aliases_place);
    }
  }

  const toml::table& root_;
  std::shared_ptr<const std::string> file_;
  const std::function<SchemaSourceFactory>& make_schemas_;
  std::unique_ptr<SchemaSource> schemas_;
  Problems problems_;
  Deployment deployment_;
};

}  // namespace

PluginInstance make_frontend(const Deployment& deployment, const std::string& name,
                             const std::string& plugin, const std::string& model,
                             SchemaSource& schemas) {
  const toml::table table{{"plugin", plugin}, {"model", model}};
  Problems problems;
  TableReader reader("frontends." + name, table,
                     std::make_shared<const std::string>(deployment.file.string()), problems);
  PluginInstance instance;
  instance.name = name;
  instance.place.file = deployment.file.string();
  reader.read("plugin", instance.plugin);
  read_plugin_table(reader, schemas.schema(plugin, VERNAL_KIND_FRONTEND), model_names(deployment),
                    instance);
  problems.raise();
  return instance;
}

Deployment parse_deployment(std::string_view text, const std::filesystem::path& file,
                            const std::function<SchemaSourceFactory>& make_schemas) {
  check_nesting(text, file.native());
  toml::table root;
  try {
    root = toml::parse(text, std::string_view(file.native()));
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    const SourcePlace place{file.string(), at.line, at.column};
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("{}: {}", place.text(), on_one_line(error.description())));
  }
  return Reader(root, file, make_schemas).read();
}

Deployment read_deployment(const std::filesystem::path& file,
                           const std::function<SchemaSourceFactory>& make_schemas) {
  return parse_deployment(read_text_file(file, "a TOML file", kLargestFile), file, make_schemas);
}

}  // namespace vernal
