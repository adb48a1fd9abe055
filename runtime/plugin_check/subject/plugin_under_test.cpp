#include "plugin_check/subject/plugin_under_test.hpp"

#include <toml++/toml.h>

#include <sstream>

#include "config/deployment.hpp"
#include "config/plugin_table.hpp"
#include "observe/log.hpp"
#include "plugin/core_host.hpp"
#include "plugin/manifest.hpp"
#include "plugin_check/subject/guarded_memory.hpp"
#include "plugin_check/subject/mock_engine.hpp"
#include "vernal/host.hpp"

namespace vernal::check {
namespace {

/// A table of "key=value": the value as TOML if it is that, else as a text.
toml::table parse_settings(const std::vector<std::string>& settings) {
  toml::table whole;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    const std::string key = setting.substr(0, equals);
    const std::string value = equals == std::string::npos ? "true" : setting.substr(equals + 1);
    toml::table one;
    try {
      one = toml::parse(key + " = " + value);
    } catch (const toml::parse_error&) {
      one.insert_or_assign(key, value);
    }
    for (const auto& [name, node] : one) whole.insert_or_assign(name, node);
  }
  return whole;
}

}  // namespace

/// A host whose log nobody reads.
struct PluginUnderTest::Host {
  std::ostringstream stream;
  Log log{LogLevel::kDebug, stream};
  plugin::CoreHost core{log};
};

PluginUnderTest::PluginUnderTest(const Options& options, Start start)
    : options_(options), host_(std::make_unique<Host>()) {
  const std::filesystem::path file = std::filesystem::canonical(options.plugin);
  library_ =
      std::make_unique<plugin::PluginLibrary>(file, plugin::read_manifest(file), host_->core);
  if (manifest().has_kind(VERNAL_KIND_FRONTEND)) mock_engine().offer(host_->core);
  if (start == Start::kInit) library_->init();
}

PluginUnderTest::~PluginUnderTest() { library_->shutdown(); }

plugin::CoreHost& PluginUnderTest::host() { return host_->core; }

vernal_config_view PluginUnderTest::config(std::uint32_t kind) {
  std::vector<SchemaRow> rows;
  for (const vernal_config_row& row : library_->config_schema(kind)) {
    const std::vector<SchemaRow> one = read_schema(&row, 1, sizeof(row));
    rows.insert(rows.end(), one.begin(), one.end());
  }
  const toml::table table = parse_settings(options_.settings);
  Problems problems;
  const auto file = std::make_shared<const std::string>("--set");
  TableReader reader(fmt::format("{}s.check", plugin::kind_name(kind)), table, file, problems);
  PluginInstance instance;
  instance.name = "check";
  read_plugin_table(reader, rows, {kMockModel}, instance);
  reader.finish();
  if (!problems.empty()) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}; give what is required by --set:\n{}",
                                                     kUnfitTable, problems.text()));
  }
  settings_ = std::move(instance.settings);
  const vernal_config_view view = config_view(settings_);
  static const Guarded<vernal_config_api> kApi(*view.api);
  return {kApi.get(), view.config};
}

void expect_status(std::string_view name, std::int32_t expected, std::int32_t found) {
  const std::string text = plugin_host().last_error();
  plugin_host().set_error(VERNAL_OK, {});
  expect(found == expected, "{}: expected {}, found {}{}{}", name, status_name(expected),
         status_name(found), text.empty() ? "" : ": ", text);
  expect(found == VERNAL_OK || !text.empty(), "{}: {} without a text that says why", name,
         status_name(found));
}

void expect_error(std::string_view name, std::int32_t found) {
  const std::string text = plugin_host().last_error();
  plugin_host().set_error(VERNAL_OK, {});
  expect(found != VERNAL_OK, "{}: expected an error, found OK", name);
  expect(status_name(found) != "UNKNOWN", "{}: expected a status, found {}", name, found);
  expect(!text.empty(), "{}: {} without a text that says why", name, status_name(found));
}

}  // namespace vernal::check
