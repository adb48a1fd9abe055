// Tables of plugins that break the plugin's schema.
#include "deployment_text.hpp"

namespace vernal {
namespace {

using testing::BrokenText;
using testing::DeploymentText;
using testing::kSmallest;

class BrokenPluginTable : public DeploymentText,
                          public ::testing::WithParamInterface<BrokenText> {};

/// A deployment whose [frontends.http] has only one mistake: `text`, which begins at line 11.
BrokenText web(std::string name, std::string_view text, std::string message) {
  return {std::move(name),
          std::string(kSmallest) + "[frontends.http]\nplugin = \"web\"\nlisten = \"x\"\n" +
              std::string(text),
          std::move(message)};
}

BrokenText frontend(std::string name, std::string_view text, std::string message) {
  return {std::move(name), std::string(kSmallest) + "[frontends.http]\n" + std::string(text),
          std::move(message)};
}

TEST_P(BrokenPluginTable, IsRefusedWithPlaceExpectationAndFinding) {
  EXPECT_EQ(refusal(GetParam().text), GetParam().message);
}

const std::vector<BrokenText> kTables = {
    frontend("WithoutPlugin", "listen = \"x\"\n",
             "a.toml:8:1: [frontends.http] needs \"plugin\": the name of a plugin (see `vernal "
             "plugins`)"),
    frontend("PluginIsANumber", "plugin = 3\n",
             "a.toml:9:10: \"frontends.http.plugin\": expected a string, found integer 3"),
    frontend("UnknownPlugin", "plugin = \"wab\"\n",
             "a.toml:9:10: plugin \"wab\": no such plugin; did you mean \"web\"?"),
    frontend("PluginOfAnotherKind", "plugin = \"calc\"\n",
             "a.toml:9:10: plugin \"calc\": no such plugin"),
    frontend("UnusablePlugin", "plugin = \"broken\"\n",
             "a.toml:9:10: plugin \"broken\": needs interface minor 7, found 0"),
    frontend("RequiredKeyMissing", "plugin = \"web\"\n",
             "a.toml:8:1: \"frontends.http.listen\" is missing: help of listen"),
    web("UnknownKey", "listten = \"y\"\n",
        "a.toml:11:1: unknown key \"frontends.http.listten\"; did you mean \"listen\"?"),
    web("KeyOfTheModel", "context_length = 5\n",
        "a.toml:11:1: unknown key \"frontends.http.context_length\""),
    web("BoolAsNumber", "cors = 1\n",
        "a.toml:11:8: \"frontends.http.cors\": expected true or false, found integer 1"),
    web("FloatAsText", "ratio = \"0.5\"\n",
        "a.toml:11:9: \"frontends.http.ratio\": expected a finite number, found string \"0.5\""),
    web("FloatOutOfRange", "ratio = 1.5\n",
        "a.toml:11:9: \"frontends.http.ratio\": expected between 0 and 1, found 1.5"),
    web("FloatNotANumber", "ratio = nan\n",
        "a.toml:11:9: \"frontends.http.ratio\": expected a finite number, found float nan"),
    web("PathAsList", "keys_file = [\"a\"]\n",
        "a.toml:11:13: \"frontends.http.keys_file\": expected a string, found an array"),
    web("PathEmpty", "keys_file = \"\"\n",
        "a.toml:11:13: \"frontends.http.keys_file\": expected a path, found \"\""),
    web("SizeWithoutUnit", "max_body = 1048576\n",
        "a.toml:11:12: \"frontends.http.max_body\": expected a size with its unit, such as "
        "\"4GiB\", found integer 1048576"),
    web("SizeOfWrongUnit", "max_body = \"4gib\"\n",
        "a.toml:11:12: \"frontends.http.max_body\": expected a number with a unit (B, KiB, MiB, "
        "GiB, TiB, KB, MB, GB, TB), such as \"4GiB\", found \"4gib\"; did you mean \"4GiB\"?"),
    web("SizeNegative", "max_body = \"-4GiB\"\n",
        "a.toml:11:12: \"frontends.http.max_body\": expected a number with a unit (B, KiB, MiB, "
        "GiB, TiB, KB, MB, GB, TB), such as \"4GiB\", found \"-4GiB\""),
    web("SizeTooSmall", "max_body = \"1B\"\n",
        "a.toml:11:12: \"frontends.http.max_body\": expected between 1024 and 1073741824 bytes, "
        "found 1"),
    web("DurationTooLong", "timeout = \"2h\"\n",
        "a.toml:11:11: \"frontends.http.timeout\": expected between 10 and 3600000 milliseconds, "
        "found 7200000"),
    web("DurationUnit", "timeout = \"2 hours\"\n",
        "a.toml:11:11: \"frontends.http.timeout\": expected a number with a unit (ms, s, m, h), "
        "such as \"30s\", found \"2 hours\""),
    web("EnumValue", "mode = \"fency\"\n",
        "a.toml:11:8: \"frontends.http.mode\": expected one of \"plain\", \"fancy\", found "
        "\"fency\"; did you mean \"fancy\"?"),
    web("EnumType", "mode = 1\n",
        "a.toml:11:8: \"frontends.http.mode\": expected a string, found integer 1"),
    web("ListOfWrongType", "cores = [1, \"2\"]\n",
        "a.toml:11:9: \"frontends.http.cores\": expected an array of integers, found string \"2\""),
    web("ListAsNumber", "cores = 1\n",
        "a.toml:11:9: \"frontends.http.cores\": expected an array of integers, found integer 1"),
    web("ListElementOutOfRange", "cores = [0, -1]\n",
        "a.toml:11:9: \"frontends.http.cores\": expected between 0 and 1023, found -1"),
    web("UnknownModel", "models = [\"m\", \"mm\"]\n",
        "a.toml:11:10: \"frontends.http.models\": no model or profile is called \"mm\"; did you "
        "mean \"m\"?"),
    web("UnknownMainModel", "main_model = \"gpt\"\n",
        "a.toml:11:14: \"frontends.http.main_model\": no model or profile is called \"gpt\""),
    web("DeprecatedKey", "port = 80\n",
        "a.toml:11:8: \"frontends.http.port\" is no longer used; write \"listen\""),
    web("NestedIsText", "tls = \"on\"\n",
        "a.toml:11:7: \"frontends.http.tls\": expected a table, found string \"on\""),
    web("NestedKeyMissing", "tls = {}\n",
        "a.toml:11:7: \"frontends.http.tls.certificate\" is missing: help of tls.certificate"),
    web("NestedUnknownKey", "tls = { certificate = \"a\", cetificate = \"b\" }\n",
        "a.toml:11:28: unknown key \"frontends.http.tls.cetificate\"; did you mean "
        "\"certificate\"?"),
    web("NestedTwiceOutOfRange", "tls = { certificate = \"a\", versions = { lowest = 9 } }\n",
        "a.toml:11:50: \"frontends.http.tls.versions.lowest\": expected between 10 and 13, found "
        "9"),
    web("SecretIsNotRepeated", "token = 123456\n",
        "a.toml:11:9: \"frontends.http.token\": expected a string, found something else"),
    web("SecretWithNul", "token = \"geheim\\u0000\"\n",
        "a.toml:11:9: \"frontends.http.token\": expected text without NUL characters"),
    {"BackendOutOfRange",
     "schema = 1\n[backends.cpu]\nplugin = \"calc\"\nthreads = 1000\n[models.m]\npath = "
     "\"model.gguf\"\nbackend = \"cpu\"\n",
     "a.toml:4:11: \"backends.cpu.threads\": expected between 1 and 64, found 1000"},
};

INSTANTIATE_TEST_SUITE_P(Tables, BrokenPluginTable, ::testing::ValuesIn(kTables), testing::name_of);

class FaultySchema : public SchemaSource {
 public:
  explicit FaultySchema(SchemaRow row) : row_(std::move(row)) {}
  std::vector<SchemaRow> schema(const std::string&, std::uint32_t) override { return {row_}; }
  std::vector<std::string> names(std::uint32_t) override { return {"calc"}; }

 private:
  SchemaRow row_;
};

TEST_F(DeploymentText, BlamesThePluginForADefaultThatBreaksItsOwnSchema) {
  const auto message_with = [&](const SchemaRow& row) {
    try {
      parse_deployment(
          "schema = 1\n[backends.cpu]\nplugin = \"calc\"\n[models.m]\npath = "
          "\"model.gguf\"\nbackend = \"cpu\"\n",
          folder() / "a.toml",
          [&](const RuntimeSettings&) { return std::make_unique<FaultySchema>(row); });
    } catch (const Error& error) {
      const std::string message = error.what();
      return message.substr(message.find("a.toml:") + 7);
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message_with(testing::row("threads", VERNAL_CONFIG_INT, "four")),
            "3:10: plugin \"calc\": the plugin's own default for \"threads\" is not TOML: four");
  EXPECT_EQ(
      message_with(testing::bounded(testing::row("threads", VERNAL_CONFIG_INT, "99"), 1, 64)),
      "3:10: plugin \"calc\": the plugin's own default for \"threads\" breaks its schema: 99");
  EXPECT_EQ(message_with(testing::row("threads", VERNAL_CONFIG_INT, "4")), "accepted");
}

}  // namespace
}  // namespace vernal
