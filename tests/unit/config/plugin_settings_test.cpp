// What a plugin reads from its table: values without units, defaults, and places.
#include "config/plugin_settings.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <optional>
#include <type_traits>

#include "deployment_text.hpp"

namespace vernal {
namespace {

using testing::DeploymentText;
using ::testing::ElementsAre;
using testing::kSmallest;

constexpr std::string_view kEverything = R"([frontends.http]
plugin = "web"
listen = "127.0.0.1:80"
models = ["m"]
cors = false
ratio = 1
keys_file = "sub/keys.txt"
max_body = "2KiB"
timeout = "1.5s"
mode = "fancy"
cores = [3, 1]
token = "abc"
tls = { certificate = "c.pem", versions = { lowest = 13 } }
)";

/// A table, read through the functions that a plugin calls.
class SeenTable {
 public:
  explicit SeenTable(const PluginSettings& settings) : seen_(config_view(settings)) {}

  std::string name() const {
    return *get<std::string>([&](vernal_str* out) { return seen_.api->name(seen_.config, out); });
  }
  std::string origin(std::string_view key) const {
    return *get<std::string>(
        [&](vernal_str* out) { return seen_.api->origin(seen_.config, to_str(key), out); });
  }
  std::optional<std::string> find_string(std::string_view key) const {
    return get<std::string>(
        [&](vernal_str* out) { return seen_.api->get_string(seen_.config, to_str(key), out); });
  }
  std::optional<bool> find_bool(std::string_view key) const {
    return get<bool>(
        [&](std::uint32_t* out) { return seen_.api->get_bool(seen_.config, to_str(key), out); });
  }
  std::optional<std::int64_t> find_int(std::string_view key) const {
    return get<std::int64_t>(
        [&](std::int64_t* out) { return seen_.api->get_int(seen_.config, to_str(key), out); });
  }
  std::optional<double> find_float(std::string_view key) const {
    return get<double>(
        [&](double* out) { return seen_.api->get_float(seen_.config, to_str(key), out); });
  }
  std::optional<std::uint64_t> find_size(std::string_view key) const {
    return get<std::uint64_t>(
        [&](std::uint64_t* out) { return seen_.api->get_size(seen_.config, to_str(key), out); });
  }
  std::optional<std::uint64_t> find_duration_ms(std::string_view key) const {
    return get<std::uint64_t>([&](std::uint64_t* out) {
      return seen_.api->get_duration(seen_.config, to_str(key), out);
    });
  }
  std::vector<std::string> strings(std::string_view key) const {
    std::vector<std::string> out;
    vernal_str text{};
    while (seen_.api->list_string(seen_.config, to_str(key), out.size(), &text) == VERNAL_OK)
      out.emplace_back(view(text));
    return out;
  }
  std::vector<std::int64_t> integers(std::string_view key) const {
    std::vector<std::int64_t> out;
    std::int64_t number = 0;
    while (seen_.api->list_int(seen_.config, to_str(key), out.size(), &number) == VERNAL_OK)
      out.push_back(number);
    return out;
  }

 private:
  /// The value that `call` writes, converted. nullopt if the key is absent.
  template <class T, class F>
  static std::optional<T> get(F&& call) {
    return convert<T>(std::function(call));
  }
  template <class T, class Raw>
  static std::optional<T> convert(const std::function<std::int32_t(Raw*)>& call) {
    Raw raw{};
    const std::int32_t status = call(&raw);
    if (status == VERNAL_NOT_FOUND) return std::nullopt;
    EXPECT_EQ(status, VERNAL_OK);
    if constexpr (std::is_same_v<Raw, vernal_str>) {
      return T(view(raw));
    } else if constexpr (std::is_same_v<T, bool>) {
      return raw != 0;
    } else {
      return raw;
    }
  }

  vernal_config_view seen_;
};

class PluginSettingsOf : public DeploymentText {
 public:
  /// The settings of the frontend `table`, which is appended to the smallest deployment.
  const PluginSettings& of(std::string_view table) {
    deployment_ = parse(std::string(kSmallest) + std::string(table));
    return deployment_.frontends.at(0).settings;
  }

 private:
  Deployment deployment_;
};

TEST_F(PluginSettingsOf, AllTypesAreSeenWithTheirUnitsResolved) {
  const PluginSettings& settings = of(kEverything);
  const SeenTable config(settings);
  EXPECT_EQ(config.name(), "frontends.http");
  EXPECT_EQ(config.find_string("listen"), "127.0.0.1:80");
  EXPECT_THAT(config.strings("models"), ElementsAre("m"));
  EXPECT_EQ(config.find_bool("cors"), false);
  EXPECT_EQ(config.find_float("ratio"), 1.0);
  EXPECT_EQ(config.find_string("keys_file"), (folder() / "sub/keys.txt").string());
  EXPECT_EQ(config.find_size("max_body"), 2048U);
  EXPECT_EQ(config.find_duration_ms("timeout"), 1500U);
  EXPECT_EQ(config.find_string("mode"), "fancy");
  EXPECT_THAT(config.integers("cores"), ElementsAre(3, 1));
  EXPECT_EQ(config.find_string("token"), "abc");
  EXPECT_EQ(config.find_string("tls.certificate"), (folder() / "c.pem").string());
  EXPECT_EQ(config.find_int("tls.versions.lowest"), 13);
}

TEST_F(PluginSettingsOf, DefaultsAreFilledInAndTheRestIsAbsent) {
  const PluginSettings& settings = of("[frontends.http]\nplugin = \"web\"\nlisten = \"x\"\n");
  const SeenTable config(settings);
  EXPECT_EQ(config.find_bool("cors"), true);
  EXPECT_EQ(config.find_size("max_body"), 1U << 20);
  EXPECT_EQ(config.find_duration_ms("timeout"), 30'000U);
  EXPECT_EQ(config.find_string("keys_file"), (folder() / "keys.txt").string());
  EXPECT_EQ(config.find_string("mode"), "plain");
  EXPECT_EQ(config.find_string("token"), std::nullopt);
  EXPECT_EQ(config.find_string("tls.certificate"), std::nullopt);
  EXPECT_EQ(config.find_int("tls.versions.lowest"), 12);
  EXPECT_EQ(config.find_string("plugin"), std::nullopt);
}

TEST_F(PluginSettingsOf, AKeyTellsItsPlaceInTheFile) {
  const PluginSettings& settings = of(kEverything);
  const SeenTable config(settings);
  const std::string file = (folder() / "a.toml").string();
  EXPECT_EQ(config.origin("listen"), file + ":10:10");
  EXPECT_EQ(config.origin("main_model"), file + ":8:1");
}

TEST_F(PluginSettingsOf, AnotherTypeThanTheSchemasIsAnError) {
  const PluginSettings& settings = of(kEverything);
  const vernal_config_view seen = config_view(settings);
  std::int64_t number = 0;
  std::uint64_t size = 0;
  vernal_str text{};
  EXPECT_EQ(seen.api->get_int(seen.config, to_str("listen"), &number), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(seen.api->get_size(seen.config, to_str("timeout"), &size), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(seen.api->get_duration(seen.config, to_str("max_body"), &size),
            VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(seen.api->get_string(seen.config, to_str("models"), &text), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(seen.api->list_size(seen.config, to_str("listen"), &size), VERNAL_INVALID_ARGUMENT);
  EXPECT_EQ(seen.api->list_string(seen.config, to_str("models"), 1, &text), VERNAL_NOT_FOUND);
  EXPECT_EQ(seen.api->get_string(seen.config, to_str("nothing"), &text), VERNAL_NOT_FOUND);
}

}  // namespace
}  // namespace vernal
