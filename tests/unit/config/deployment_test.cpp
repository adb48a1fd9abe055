// What is read from sound deployment files.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "deployment_text.hpp"
#include "text/request/sampling_bounds.hpp"

namespace vernal {
namespace {

using testing::DeploymentText;
using ::testing::ElementsAre;
using testing::kSmallest;

TEST_F(DeploymentText, GivesDefaultsToWhatIsLeftOut) {
  const Deployment deployment = parse(kSmallest);
  EXPECT_EQ(deployment.file, folder() / "a.toml");
  EXPECT_EQ(deployment.runtime.log_level, "info");
  EXPECT_EQ(deployment.runtime.log_format, "text");
  EXPECT_EQ(deployment.runtime.drain_timeout_ms, 30'000U);
  EXPECT_FALSE(deployment.runtime.overcommit);
  ASSERT_EQ(deployment.models.size(), 1U);
  const ModelSettings& model = deployment.models[0];
  EXPECT_EQ(model.name, "m");
  EXPECT_EQ(model.path, folder() / "model.gguf");
  EXPECT_EQ(model.context_length, 0U);
  EXPECT_EQ(model.slots, 4U);
  EXPECT_EQ(model.kv_cache.keys, "f16");
  EXPECT_EQ(model.chat_template, "file");
  EXPECT_EQ(model.lock_memory, "never");
  EXPECT_FALSE(model.stream_weights);
  EXPECT_EQ(model.sampling.temperature, 1.0);
  ASSERT_EQ(model.layers.size(), 1U);
  EXPECT_EQ(model.layers[0].backend, "cpu");
  EXPECT_EQ(model.layers[0].last, -1);
  EXPECT_TRUE(deployment.frontends.empty());
}

TEST_F(DeploymentText, ReadsEveryKeyOfAModel) {
  const Deployment deployment = parse(R"(schema = 1
[runtime]
plugin_paths = ["../lib/plugins", "/opt/plugins"]
log_level = "debug"
log_format = "json"
require_secure_paths = true
overcommit = true
drain_timeout = "5s"
[backends.gpu]
plugin = "calc"
[backends.cpu]
plugin = "calc"
[models.big]
path = "model.gguf"
layers = [{ backend = "gpu", first = 0, last = 9 }, { backend = "cpu", first = 10, last = 11 }]
context_length = 65536
slots = 2
kv_tokens = 81920
max_checkpoints = 3
max_tokens_per_step = 256
max_step_time = "0.5s"
stream_weights = 200
max_queue = 8
stall_timeout = "10s"
step_timeout = "1m"
kv_cache = { keys = "q8_0", values = "q4_0", rotate = true }
host_tensors = ["token_embd.weight"]
lock_memory = "preferred"
architecture = "toy"
chat_template = "chat.jinja"
tool_syntax = "glm"
speculation = { draft = "ngram", max_tokens = 5 }
sampling = { temperature = 1, top_p = 0.95, top_k = 20, min_p = 0.05, repetition_penalty = 1.1, presence_penalty = -1, frequency_penalty = 0.5 }
thinking = "off"
aliases = ["gpt-4o", "a b"]
)");
  EXPECT_THAT(deployment.runtime.plugin_paths,
              ElementsAre((folder() / "../lib/plugins").lexically_normal(), "/opt/plugins"));
  EXPECT_EQ(deployment.runtime.log_level, "debug");
  EXPECT_EQ(deployment.runtime.log_format, "json");
  EXPECT_TRUE(deployment.runtime.require_secure_paths);
  EXPECT_TRUE(deployment.runtime.overcommit);
  EXPECT_EQ(deployment.runtime.drain_timeout_ms, 5'000U);
  const ModelSettings& model = deployment.models.at(0);
  ASSERT_EQ(model.layers.size(), 2U);
  EXPECT_EQ(model.layers[1].backend, "cpu");
  EXPECT_EQ(model.layers[1].first, 10);
  EXPECT_EQ(model.layers[1].last, 11);
  EXPECT_EQ(model.context_length, 65536U);
  EXPECT_EQ(model.slots, 2U);
  EXPECT_EQ(model.kv_tokens, 81920U);
  EXPECT_EQ(model.max_checkpoints, 3U);
  EXPECT_EQ(model.max_tokens_per_step, 256U);
  EXPECT_EQ(model.max_step_time_ms, 500U);
  EXPECT_EQ(model.stream_weights, 200U);
  EXPECT_EQ(model.max_queue, 8U);
  EXPECT_EQ(model.stall_timeout_ms, 10'000U);
  EXPECT_EQ(model.step_timeout_ms, 60'000U);
  EXPECT_EQ(model.kv_cache.keys, "q8_0");
  EXPECT_EQ(model.kv_cache.values, "q4_0");
  EXPECT_EQ(model.kv_cache.rotate, true);
  EXPECT_THAT(model.host_tensors, ElementsAre("token_embd.weight"));
  EXPECT_EQ(model.lock_memory, "preferred");
  EXPECT_EQ(model.architecture, "toy");
  EXPECT_EQ(model.chat_template, (folder() / "chat.jinja").string());
  EXPECT_EQ(model.tool_syntax, "glm");
  EXPECT_EQ(model.draft, "ngram");
  EXPECT_EQ(model.max_draft_tokens, 5U);
  EXPECT_EQ(model.sampling.temperature, 1.0);
  EXPECT_EQ(model.sampling.top_k, 20);
  EXPECT_EQ(model.sampling.presence_penalty, -1.0);
  EXPECT_EQ(model.thinking, "off");
  EXPECT_THAT(model.aliases, ElementsAre("gpt-4o", "a b"));
}

TEST_F(DeploymentText, ReadsABackendForWhatDoesNotFit) {
  const Deployment deployment = parse(std::string(kSmallest) + R"([backends.gpu]
plugin = "calc"
[models.a]
path = "model.gguf"
backend = "gpu"
placement = "fit"
host_backend = "cpu"
[models.b]
path = "model.gguf"
backend = "gpu"
placement = "fixed"
)");
  const auto model = [&](std::string_view name) {
    return *std::ranges::find(deployment.models, name, &ModelSettings::name);
  };
  ASSERT_TRUE(model("a").fit);
  EXPECT_EQ(model("a").fit->host_backend, "cpu");
  ASSERT_EQ(model("a").layers.size(), 1U);
  EXPECT_EQ(model("a").layers[0].backend, "gpu");
  EXPECT_FALSE(model("b").fit);
}

TEST_F(DeploymentText, KeepsTheOrderOfTheFile) {
  const Deployment deployment = parse(std::string(kSmallest) + R"([models.a]
path = "model.gguf"
backend = "cpu"
[frontends.z]
plugin = "web"
listen = "a"
[frontends.b]
plugin = "web"
listen = "b"
)");
  ASSERT_EQ(deployment.models.size(), 2U);
  EXPECT_EQ(deployment.models[0].name, "m");
  EXPECT_EQ(deployment.models[1].name, "a");
  ASSERT_EQ(deployment.frontends.size(), 2U);
  EXPECT_EQ(deployment.frontends[0].name, "z");
  EXPECT_EQ(deployment.frontends[1].place.text(), (folder() / "a.toml").string() + ":14:1");
}

TEST_F(DeploymentText, ReadsEverySettingOfSampling) {
  std::string text(kSmallest);
  text += "sampling = { ";
  for (const SamplingNumber& setting : kSamplingNumbers) {
    text += fmt::format("{} = {}, ", setting.name, setting.bounds.most);
  }
  for (const SamplingCount& setting : kSamplingCounts) {
    text += fmt::format("{} = {}, ", setting.name, setting.bounds.least);
  }
  text += R"(dry_sequence_breakers = ["x"], samplers = ["temperature", "min_p"] })";
  const SamplingOptions sampling = parse(text + "\n").models.at(0).sampling;
  for (const SamplingNumber& setting : kSamplingNumbers) {
    EXPECT_EQ(sampling.*setting.member, setting.bounds.most) << setting.name;
  }
  for (const SamplingCount& setting : kSamplingCounts) {
    EXPECT_EQ(sampling.*setting.member, setting.bounds.least) << setting.name;
  }
  EXPECT_THAT(sampling.dry_sequence_breakers, ElementsAre("x"));
  EXPECT_THAT(sampling.samplers, ElementsAre(SamplerStage::kTemperature, SamplerStage::kMinP));
  EXPECT_TRUE(sampling.has_own_order);
}

TEST_F(DeploymentText, ReadsProfilesAndLetsFrontendsNameThem) {
  const Deployment deployment = parse(std::string(kSmallest) + R"([profiles."m-fast"]
model = "m"
sampling = { temperature = 0.6 }
thinking = "off"
speculation = { max_tokens = 0 }
[frontends.http]
plugin = "web"
listen = "x"
models = ["m", "m-fast"]
main_model = "m-fast"
)");
  ASSERT_EQ(deployment.profiles.size(), 1U);
  EXPECT_EQ(deployment.profiles[0].name, "m-fast");
  EXPECT_EQ(deployment.profiles[0].model, "m");
  EXPECT_EQ(deployment.profiles[0].sampling.temperature, 0.6);
  EXPECT_EQ(deployment.profiles[0].max_draft_tokens, 0U);
}

TEST_F(DeploymentText, ReadsAFile) {
  std::ofstream(folder() / "good.toml") << "\xEF\xBB\xBF" << kSmallest;  // with a byte order mark
  EXPECT_EQ(file_refusal("good.toml"), "accepted");
}

TEST_F(DeploymentText, TakesNamesInAnyScript) {
  EXPECT_EQ(refusal(std::string(kSmallest) +
                    "[models.\"größer:7b/q4\"]\npath = \"model.gguf\"\nbackend = \"cpu\"\n"),
            "accepted");
}

}  // namespace
}  // namespace vernal
