// Deployment files with one mistake each in the core's own tables, and the whole message for it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "deployment_text.hpp"
#include "text/answer/answer_syntax.hpp"

namespace vernal {
namespace {

using testing::BrokenText;
using testing::DeploymentText;
using testing::kSmallest;

/// The smallest deployment with `text` appended. The text begins at line 8, in [models.m].
BrokenText appended(std::string name, std::string_view text, std::string message) {
  return {std::move(name), std::string(kSmallest) + std::string(text), std::move(message)};
}

class BrokenDeployment : public DeploymentText, public ::testing::WithParamInterface<BrokenText> {};

class BrokenSyntax : public DeploymentText, public ::testing::WithParamInterface<BrokenText> {};

TEST_P(BrokenSyntax, IsRefusedAtItsPlace) {
  EXPECT_THAT(refusal(GetParam().text), ::testing::StartsWith(GetParam().message));
}

TEST_P(BrokenDeployment, IsRefusedWithPlaceExpectationAndFinding) {
  EXPECT_EQ(refusal(GetParam().text), GetParam().message);
}

// The message for a mistake in the syntax is the parser's own. Only the place is checked.
const std::vector<BrokenText> kSyntax = {
    {"NoValue", "schema =\n", "a.toml:1:9: "},
    {"NoEquals", "schema 1\n", "a.toml:1:8: "},
    {"UnclosedString", "schema = 1\nx = \"abc\n", "a.toml:2:9: "},
    {"UnclosedTable", "schema = 1\n[models.m\n", "a.toml:2:10: "},
    {"UnclosedArray", "schema = 1\nx = [1, 2\n", "a.toml:2:11: "},
    {"KeyTwice", "schema = 1\nschema = 1\n", "a.toml:2:10: "},
    {"TableTwice", "schema = 1\n[a]\n[a]\n", "a.toml:3:1: "},
    {"BareWord", "schema = one\n", "a.toml:1:10: "},
    {"BadEscape", "schema = \"\\q\"\n", "a.toml:1:12: "},
    {"BadDate", "schema = 2024-13-01\n", "a.toml:1:17: "},
    {"LeadingZero", "schema = 01\n", "a.toml:1:12: "},
    {"TwoOnALine", "schema = 1 x = 2\n", "a.toml:1:12: "},
    {"JsonInstead", "{\"schema\": 1}\n", "a.toml:1:1: "},
    {"YamlInstead", "schema: 1\nmodels:\n  - m\n", "a.toml:1:7: "},
};

const std::vector<BrokenText> kShape = {
    {"Empty", "\n",
     "a.toml:1:1: the file must say \"schema = 1\"\na.toml:1:1: the file needs at least one "
     "[models.NAME]"},
    {"WrongSchema",
     "schema = 2\n[backends.cpu]\nplugin = \"calc\"\n[models.m]\npath = \"model.gguf\"\nbackend = "
     "\"cpu\"\n",
     "a.toml:1:10: \"schema\": expected 1, found 2"},
    {"NoModel", "schema = 1\n[backends.cpu]\nplugin = \"calc\"\n",
     "a.toml:1:1: the file needs at least one [models.NAME]"},
    appended("UnknownTable", "[model.x]\n",
             "a.toml:8:2: unknown key \"model\"; did you mean \"models\"?"),
    appended("UnknownTopKey", "[x]\n[extra]\na = 1\n",
             "a.toml:8:2: unknown key \"x\"\na.toml:9:2: unknown key \"extra\""),
    appended("ModelIsNoTable", "[models]\nx = 3\n",
             "a.toml:9:1: \"models.x\": expected a table [models.x], found integer 3"),
    {"ModelsIsANumber", "schema = 1\nmodels = 3\nbackends = [1]\n",
     "a.toml:2:10: \"models\": expected a table, found integer 3\na.toml:2:10: the file needs at "
     "least one [models.NAME]\na.toml:3:12: \"backends\": expected a table, found an array"},
    appended("EmptyName", "[models.'']\npath = \"model.gguf\"\nbackend = \"cpu\"\n",
             "a.toml:8:9: \"models.\": expected a name of 1 to 128 bytes without quotes, "
             "backslashes and control characters"),
    appended("NameWithNewline", "[profiles.\"a\\nb\"]\nmodel = \"m\"\n",
             "a.toml:8:11: \"profiles.a\\nb\": expected a name of 1 to 128 bytes without quotes, "
             "backslashes and control characters"),
    appended("RuntimeTypo", "[runtime]\nlog_leval = \"info\"\n",
             "a.toml:9:1: unknown key \"runtime.log_leval\"; did you mean \"log_level\"?"),
    appended("LogLevel", "[runtime]\nlog_level = \"inof\"\n",
             "a.toml:9:13: \"runtime.log_level\": expected one of \"trace\", \"debug\", \"info\", "
             "\"warning\", \"error\", \"off\", found \"inof\"; did you mean \"info\"?"),
    appended("LogFormat", "[runtime]\nlog_format = \"jsom\"\n",
             "a.toml:9:14: \"runtime.log_format\": expected one of \"text\", \"json\", found "
             "\"jsom\"; did you mean \"json\"?"),
    appended("DrainWithoutUnit", "[runtime]\ndrain_timeout = 30\n",
             "a.toml:9:17: \"runtime.drain_timeout\": expected a duration with its unit, such as "
             "\"30s\", found integer 30"),
    appended("DrainUnit", "[runtime]\ndrain_timeout = \"30 S\"\n",
             "a.toml:9:17: \"runtime.drain_timeout\": expected a number with a unit (ms, s, m, h), "
             "such as \"30s\", found \"30 S\"; did you mean \"30s\"?"),
    appended("PluginPathsIsText", "[runtime]\nplugin_paths = \"lib\"\n",
             "a.toml:9:16: \"runtime.plugin_paths\": expected an array of strings, found string "
             "\"lib\""),
    appended(
        "PluginPathsOfNumbers", "[runtime]\nplugin_paths = [\"lib\", 3]\n",
        "a.toml:9:16: \"runtime.plugin_paths\": expected an array of strings, found integer 3"),
    appended("BooleanAsText", "[runtime]\nrequire_secure_paths = \"yes\"\n",
             "a.toml:9:24: \"runtime.require_secure_paths\": expected true or false, found string "
             "\"yes\""),
};

const std::vector<BrokenText> kModel = {
    appended(
        "Typo", "context_lenght = 4096\n",
        "a.toml:8:1: unknown key \"models.m.context_lenght\"; did you mean \"context_length\"?"),
    appended("Case", "Slots = 2\n",
             "a.toml:8:1: unknown key \"models.m.Slots\"; did you mean \"slots\"?"),
    appended("NumberAsText", "slots = \"2\"\n",
             "a.toml:8:9: \"models.m.slots\": expected an integer, found string \"2\""),
    appended("TooSmall", "slots = 0\n",
             "a.toml:8:9: \"models.m.slots\": expected between 1 and 256, found 0"),
    appended(
        "TooLarge", "max_tokens_per_step = 10000\n",
        "a.toml:8:23: \"models.m.max_tokens_per_step\": expected between 64 and 8192, found 10000"),
    appended(
        "Negative", "context_length = -1\n",
        "a.toml:8:18: \"models.m.context_length\": expected between 64 and 16777216, found -1"),
    appended("FloatForInteger", "context_length = 4096.0\n",
             "a.toml:8:18: \"models.m.context_length\": expected an integer, found float 4096"),
    appended("DateForInteger", "context_length = 2024-01-01\n",
             "a.toml:8:18: \"models.m.context_length\": expected an integer, found a date or time"),
    appended(
        "PrefixCache", "prefix_cache = \"4GiB\"\n",
        "a.toml:8:16: \"models.m.prefix_cache\": there is no prefix cache yet; a later version "
        "brings it. Leave the key out"),
    appended(
        "PrefixCacheOfNothing", "prefix_cache = 0\n",
        "a.toml:8:16: \"models.m.prefix_cache\": there is no prefix cache yet; a later version "
        "brings it. Leave the key out"),
    appended("DurationOfSize", "step_timeout = \"4GiB\"\n",
             "a.toml:8:16: \"models.m.step_timeout\": expected a number with a unit (ms, s, m, h), "
             "such as \"30s\", found \"4GiB\""),
    appended(
        "UnitInTheKey", "step_timeout_ms = 5\n",
        "a.toml:8:1: unknown key \"models.m.step_timeout_ms\"; did you mean \"step_timeout\"?"),
    appended(
        "KvFormat", "kv_cache = { keys = \"q8\" }\n",
        "a.toml:8:21: \"models.m.kv_cache.keys\": expected one of \"f32\", \"f16\", \"bf16\", "
        "\"q8_0\", \"q6_0\", \"q5_0\", \"q5_1\", \"q4_0\", \"q4_1\", \"iq4_nl\", found \"q8\""),
    appended("KvUnknownKey", "kv_cache = { key = \"q8_0\" }\n",
             "a.toml:8:14: unknown key \"models.m.kv_cache.key\"; did you mean \"keys\"?"),
    appended("KvIsText", "kv_cache = \"q8_0\"\n",
             "a.toml:8:12: \"models.m.kv_cache\": expected a table, found string \"q8_0\""),
    appended("NotANumber", "sampling = { temperature = nan }\n",
             "a.toml:8:28: \"models.m.sampling.temperature\": expected a finite number, found "
             "float nan"),
    appended("Infinite", "sampling = { top_p = inf }\n",
             "a.toml:8:22: \"models.m.sampling.top_p\": expected a finite number, found float inf"),
    appended("OutOfRange", "sampling = { temperature = 2.5 }\n",
             "a.toml:8:28: \"models.m.sampling.temperature\": expected between 0 and 2, found 2.5"),
    appended("FractionalTopK", "sampling = { top_k = 1.5 }\n",
             "a.toml:8:22: \"models.m.sampling.top_k\": expected an integer, found float 1.5"),
    appended("UnknownSampler", "sampling = { samplers = [\"top_k\", \"top_q\"] }\n",
             "a.toml:8:25: \"models.m.sampling.samplers\": expected each name at most once, of "
             "penalties, dry, top_n_sigma, top_k, typical_p, top_p, min_p, xtc, temperature; found "
             "\"top_q\""),
    appended(
        "SamplingTypo", "sampling = { temprature = 1 }\n",
        "a.toml:8:14: unknown key \"models.m.sampling.temprature\"; did you mean \"temperature\"?"),
    appended(
        "HostTensorsMixed", "host_tensors = [\"a\", true]\n",
        "a.toml:8:16: \"models.m.host_tensors\": expected an array of strings, found boolean true"),
    appended("StreamWeightsOfOneBackend", "stream_weights = 256\n",
             "a.toml:8:18: \"models.m.stream_weights\": only \"layers\" of several backends and "
             "placement = \"fit\" have a use for it"),
    appended("StreamWeightsNegative", "stream_weights = -1\n",
             "a.toml:8:18: \"models.m.stream_weights\": expected between 0 and 8192, found -1"),
    appended(
        "StreamWeightsOfNoStep",
        "[backends.gpu]\nplugin = \"calc\"\n[models.n]\npath = \"model.gguf\"\n"
        "backend = \"gpu\"\nplacement = \"fit\"\nhost_backend = \"cpu\"\nstream_weights = "
        "513\n",
        "a.toml:15:18: \"models.n.stream_weights\": expected at most max_tokens_per_step, 512, "
        "or no step is so large; found 513"),
    appended("LockMemory", "lock_memory = true\n",
             "a.toml:8:15: \"models.m.lock_memory\": expected a string, found boolean true"),
    appended("Thinking", "thinking = \"maybe\"\n",
             "a.toml:8:12: \"models.m.thinking\": expected one of \"auto\", \"on\", \"off\", "
             "found \"maybe\""),
    appended("AliasTaken", "aliases = [\"m\"]\n",
             "a.toml:8:11: \"models.m.aliases\": \"m\" is the name of something else"),
    appended("AliasTwice", "aliases = [\"a\", \"a\"]\n",
             "a.toml:8:11: \"models.m.aliases\": \"a\" is the name of something else"),
    appended("AliasWithTwoStars", "aliases = [\"a**\"]\n",
             "a.toml:8:11: \"models.m.aliases\": \"a**\" has two '*' in a row; one stands for any "
             "text"),
    appended("ProfileWithTwoStars", "[profiles.\"a-**-b\"]\nmodel = \"m\"\n",
             "a.toml:8:1: \"profiles.a-**-b\": \"a-**-b\" has two '*' in a row; one stands for any "
             "text"),
    appended("PatternTwice", "aliases = [\"a*\", \"a*\"]\n",
             "a.toml:8:11: \"models.m.aliases\": \"a*\" is the name of something else"),
    appended("PatternAsModel", "[models.\"a*\"]\npath = \"model.gguf\"\nbackend = \"cpu\"\n",
             "a.toml:8:1: \"models.a*\": the name of a model has no '*'; a profile or an alias may "
             "stand for many names"),
    appended("AliasEmpty", "aliases = [\"\"]\n",
             "a.toml:8:11: \"models.m.aliases\": expected names of 1 to 128 bytes without quotes, "
             "backslashes and control characters"),
    appended("TemplateMissing", "chat_template = \"other.jinja\"\n",
             "a.toml:8:17: \"models.m.chat_template\": expected \"file\", \"none\" or a template "
             "file, found no file at other.jinja"),
    appended("TemplateUnnamed", "chat_template = \"file:\"\n",
             "a.toml:8:17: \"models.m.chat_template\": expected the name of a chat template behind "
             "\"file:\""),
    appended("ToolSyntaxUnknown", "tool_syntax = \"hermez\"\n",
             fmt::format("a.toml:8:15: \"models.m.tool_syntax\": expected one of \"auto\", \"{}\", "
                         "found \"hermez\"; did you mean \"hermes\"?",
                         fmt::join(answer_families(), "\", \""))),
    appended("TemplateEmpty", "chat_template = \"\"\n",
             "a.toml:8:17: \"models.m.chat_template\": expected a path, found \"\""),
    appended("TextWithNul", "architecture = \"a\\u0000b\"\n",
             "a.toml:8:16: \"models.m.architecture\": expected text without NUL characters"),
    appended("SecondModelWithoutPath", "[models.n]\nbackend = \"cpu\"\n",
             "a.toml:8:1: [models.n] needs \"path\": the GGUF file"),
    appended("FileMissing", "[models.n]\npath = \"missing.gguf\"\nbackend = \"cpu\"\n",
             "a.toml:9:8: \"models.n.path\": expected a GGUF file, found nothing at missing.gguf"),
    appended(
        "FileIsAFolder", "[models.n]\npath = \".\"\nbackend = \"cpu\"\n",
        "a.toml:9:8: \"models.n.path\": expected a GGUF file, found a directory or device at "),
    appended("PathIsEmpty", "[models.n]\npath = \"\"\nbackend = \"cpu\"\n",
             "a.toml:9:8: \"models.n.path\": expected a path, found \"\""),
};

const std::vector<BrokenText> kPlacement = {
    appended("NoBackend", "[models.n]\npath = \"model.gguf\"\n",
             "a.toml:8:1: [models.n] needs \"backend\": the name of a [backends.NAME]"),
    appended("EmptyBackend", "[models.n]\npath = \"model.gguf\"\nbackend = \"\"\n",
             "a.toml:10:11: \"models.n.backend\": expected the name of a [backends.NAME]"),
    appended("UnknownBackend", "[models.n]\npath = \"model.gguf\"\nbackend = \"cpus\"\n",
             "a.toml:10:11: \"models.n\": there is no [backends.cpus]; did you mean \"cpu\"?"),
    appended("BackendAndLayers", "layers = [{ backend = \"cpu\", first = 0, last = 1 }]\n",
             "a.toml:8:10: \"models.m.layers\": say either \"backend\" or \"layers\""),
    appended(
        "NoLayers", "[models.n]\npath = \"model.gguf\"\nlayers = []\n",
        "a.toml:10:10: \"models.n.layers\": expected at least one range of layers, found none"),
    appended("LayersOfNumbers", "[models.n]\npath = \"model.gguf\"\nlayers = [1, 2]\n",
             "a.toml:10:10: \"models.n.layers\": expected an array of tables, found integer "
             "1\na.toml:10:10: \"models.n.layers\": expected an array of tables, found integer 2"),
    appended("LayersIncomplete",
             "[models.n]\npath = \"model.gguf\"\nlayers = [{ backend = \"cpu\", first = 0 }]\n",
             "a.toml:10:11: [models.n.layers] needs \"last\": layers need all three"),
    appended("LayersWithGap",
             "[models.n]\npath = \"model.gguf\"\nlayers = [{ backend = \"cpu\", first = 0, last = "
             "3 }, { backend = "
             "\"cpu\", first = 5, last = 6 }]\n",
             "a.toml:10:53: \"models.n.layers\": expected layers from 4, without gaps or overlaps, "
             "found 5 to 6"),
    appended("LayersBackwards",
             "[models.n]\npath = \"model.gguf\"\nlayers = [{ backend = \"cpu\", first = 0, last = "
             "-1 }]\n",
             "a.toml:10:48: \"models.n.layers.last\": expected between 0 and 1000000, found -1"),
    appended(
        "LayersTypo",
        "[models.n]\npath = \"model.gguf\"\nlayers = [{ backend = \"cpu\", first = 0, lst = 3 }]\n",
        "a.toml:10:11: [models.n.layers] needs \"last\": layers need all three\na.toml:10:41: "
        "unknown key \"models.n.layers.lst\"; did you mean \"last\"?"),
    appended("LayersUnknownBackend",
             "[models.n]\npath = \"model.gguf\"\nlayers = [{ backend = \"gpu\", first = 0, last = "
             "3 }]\n",
             "a.toml:10:11: \"models.n\": there is no [backends.gpu]; did you mean \"cpu\"?"),
    appended("UnknownPlacement", "placement = \"fits\"\n",
             "a.toml:8:13: \"models.m.placement\": expected one of \"fixed\", \"fit\", found "
             "\"fits\"; did "
             "you mean \"fit\"?"),
    appended("FitWithoutHostBackend", "placement = \"fit\"\n",
             "a.toml:5:1: [models.m] needs \"host_backend\": the name of a [backends.NAME] that "
             "computes what does not fit"),
    appended("FitToTheSameBackend", "placement = \"fit\"\nhost_backend = \"cpu\"\n",
             "a.toml:9:16: \"models.m.host_backend\": expected the name of another [backends.NAME] "
             "than \"backend\""),
    appended("FitToAnUnknownBackend", "placement = \"fit\"\nhost_backend = \"cpus\"\n",
             "a.toml:9:16: \"models.m\": there is no [backends.cpus]; did you mean \"cpu\"?"),
    appended("HostBackendWithoutFit", "host_backend = \"cpu\"\n",
             "a.toml:8:16: \"models.m.host_backend\": only placement = \"fit\" has a use for it"),
    appended("FitAndLayers",
             "[models.n]\npath = \"model.gguf\"\nplacement = \"fit\"\nlayers = [{ backend = "
             "\"cpu\", first = 0, last = 3 }]\n",
             "a.toml:10:13: \"models.n.placement\": \"layers\" says already where layers are"),
    appended("ProfileWithoutModel", "[profiles.p]\nthinking = \"on\"\n",
             "a.toml:8:1: [profiles.p] needs \"model\": the name of a [models.NAME]"),
    appended("ProfileOfNoModel", "[profiles.p]\nmodel = \"n\"\n",
             "a.toml:9:9: \"profiles.p.model\": there is no [models.n]"),
    appended("ProfileNamedAsModel", "[profiles.m]\nmodel = \"m\"\n",
             "a.toml:8:1: \"profiles.m\": a model has the same name"),
    appended("ProfileOfProfile", "[profiles.p]\nmodel = \"m\"\n[profiles.q]\nmodel = \"p\"\n",
             "a.toml:11:9: \"profiles.q.model\": there is no [models.p]"),
    appended("ProfileKeyOfModel", "[profiles.p]\nmodel = \"m\"\nslots = 3\n",
             "a.toml:10:1: unknown key \"profiles.p.slots\""),
};

INSTANTIATE_TEST_SUITE_P(Syntax, BrokenSyntax, ::testing::ValuesIn(kSyntax), testing::name_of);
INSTANTIATE_TEST_SUITE_P(Shape, BrokenDeployment, ::testing::ValuesIn(kShape), testing::name_of);
INSTANTIATE_TEST_SUITE_P(Model, BrokenDeployment, ::testing::ValuesIn(kModel), testing::name_of);
INSTANTIATE_TEST_SUITE_P(Placement, BrokenDeployment, ::testing::ValuesIn(kPlacement),
                         testing::name_of);

TEST_F(DeploymentText, TellsAllMistakesAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(refusal(R"(schema = 1
[runtime]
log_level = 3
[backends.cpu]
plugin = "calc"
threads = 0
[models.m]
path = "model.gguf"
backend = "cqu"
slots = -2
tpyo = 1
[frontends.http]
plugin = "wep"
)"),
            "a.toml:3:13: \"runtime.log_level\": expected a string, found integer 3\n"
            "a.toml:6:11: \"backends.cpu.threads\": expected between 1 and 64, found 0\n"
            "a.toml:9:11: \"models.m\": there is no [backends.cqu]; did you mean \"cpu\"?\n"
            "a.toml:10:9: \"models.m.slots\": expected between 1 and 256, found -2\n"
            "a.toml:11:1: unknown key \"models.m.tpyo\"\n"
            "a.toml:13:10: plugin \"wep\": no such plugin; did you mean \"web\"?");
}

TEST_F(DeploymentText, CountsMistakesAfterTheHundredth) {
  std::string text(kSmallest);
  for (int i = 0; i < 250; ++i) text += "unknown_" + std::to_string(i) + " = 1\n";
  const std::string message = refusal(text);
  EXPECT_EQ(std::ranges::count(message, '\n'), 100);
  EXPECT_TRUE(message.ends_with("\na.toml: 150 more problems"))
      << message.substr(message.size() - 200);
}

}  // namespace
}  // namespace vernal
