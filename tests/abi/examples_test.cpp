// The example plugins of the SDK do what their first lines say: those of this build, and binaries
// of an earlier interface version (VERNAL_EXAMPLES_DIR says which).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "abi/example_plugins.hpp"
#include "module/printer.hpp"
#include "plugin/backend_client.hpp"
#include "plugin/frontend_client.hpp"
#include "support/empty_config.hpp"
#include "support/fake_model.hpp"
#include "support/temporary_folder.hpp"

namespace vernal {
namespace {

using ::testing::HasSubstr;

// ---- backend --------------------------------------------------------------------------------

std::ptrdiff_t entries_of(const char* folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

TEST_F(Examples, ReferenceBackendOpensAndClosesAThousandTimesAndLeavesNothing) {
  plugin::PluginLibrary& library = plugins_.open("reference", VERNAL_KIND_BACKEND);
  plugins_.init_all();
  const auto open_and_close = [&] {
    plugin::BackendInstance(library.backend(), "cpu", testing::empty_config());
  };
  open_and_close();
  const std::ptrdiff_t descriptors = entries_of("/proc/self/fd");
  const std::ptrdiff_t threads = entries_of("/proc/self/task");
  for (int i = 0; i < 1000; ++i) open_and_close();
  EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
  EXPECT_EQ(entries_of("/proc/self/task"), threads);
}

// ---- architecture ---------------------------------------------------------------------------

class ToyArchitecture : public Examples {
 protected:
  ToyArchitecture() {
    metadata_.set("general.architecture", std::string("toy"));
    metadata_.set("toy.vocab_size", std::int64_t{50});
    metadata_.set("toy.embedding_length", std::int64_t{16});
    metadata_.set("toy.feed_forward_length", std::int64_t{24});
    metadata_.set("toy.attention.head_count", std::int64_t{2});
    weights_.set("token_embd.weight", {50, 16});
    weights_.set("output_norm.weight", {16});
    for (const std::string layer : {"blk.0.", "blk.1."}) {
      weights_.set(layer + "attn_norm.weight", {16});
      weights_.set(layer + "ffn_norm.weight", {16});
      for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
        weights_.set(layer + name + ".weight", {16, 16});
      }
      for (const char* name : {"ffn_gate", "ffn_up"})
        weights_.set(layer + name + ".weight", {24, 16});
      weights_.set(layer + "ffn_down.weight", {16, 24});
    }
  }

  ArchitecturePlugin toy() { return architecture("toy"); }

  test::FakeMetadata metadata_;
  test::FakeWeights weights_;
};

TEST_F(ToyArchitecture, BuildsASoundModuleOfTwoLayers) {
  const ArchitectureInput input{metadata_, weights_};
  EXPECT_EQ(probe_architecture(toy(), input).score, 100u);
  EXPECT_THAT(describe_architecture(toy(), input), HasSubstr("heads = 2"));
  const BuiltModule built = build_module(toy(), input, {.context_length = 128, .functions = {}});
  EXPECT_EQ(built.module->states.size(), 2u);
  EXPECT_EQ(built.module->weights.size(), 20u);
  EXPECT_THAT(dump_module(*built.module), HasSubstr("blk.1.attn_q"));
}

TEST_F(ToyArchitecture, NamesTheKeyThatIsWrong) {
  metadata_.set("toy.attention.head_count", std::int64_t{3});
  try {
    build_module(toy(), {metadata_, weights_}, {.context_length = 128, .functions = {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("toy.embedding_length: expected a multiple"));
  }
}

// ---- frontend -------------------------------------------------------------------------------

// An engine service with one model that becomes ready at the second look and answers in two pieces.
struct ScriptedEngine {
  int looks = 0;
  std::string document;
  int events = 0;
  bool refuses = false;
  bool is_released = false;
};

ScriptedEngine& scripted(vernal_engine* engine) {
  return *reinterpret_cast<ScriptedEngine*>(engine);
}

std::int32_t no_wait(vernal_engine* engine, vernal_request_id, std::uint64_t, vernal_event* out,
                     std::uint32_t* more) {
  constexpr std::uint32_t kTypes[] = {VERNAL_EVENT_ACCEPTED, VERNAL_EVENT_DELTA, VERNAL_EVENT_DELTA,
                                      VERNAL_EVENT_FINISHED};
  constexpr const char* kTexts[] = {"", "blue ", "sky", ""};
  vernal_event event{};
  event.type = kTypes[scripted(engine).events];
  event.text = to_str(kTexts[scripted(engine).events]);
  ++scripted(engine).events;
  *more = 1;
  copy_out(event, out);
  return VERNAL_OK;
}

constexpr vernal_engine_api kEngine = {
    .struct_size = sizeof(vernal_engine_api),
    .list_models =
        [](vernal_engine* engine, const vernal_model_sink* sink) {
          vernal_model_info model{};
          model.struct_size = sizeof(model);
          model.id = to_str("qwen");
          model.state = ++scripted(engine).looks < 2 ? VERNAL_MODEL_LOADING : VERNAL_MODEL_READY;
          return sink->add(sink->user, &model);
        },
    .submit =
        [](vernal_engine* engine, const vernal_submit_args* args, vernal_request_id* out) {
          if (scripted(engine).refuses) {
            plugin_host().set_error(VERNAL_QUEUE_FULL, "the queue is full");
            return VERNAL_QUEUE_FULL;
          }
          scripted(engine).document = view(args->request_json);
          *out = 1;
          if (args->on_ready != nullptr) args->on_ready(args->user, *out);
          return VERNAL_OK;
        },
    .poll_events = [](vernal_engine* engine, vernal_request_id id, vernal_event* out,
                      std::uint32_t* more) { return no_wait(engine, id, 0, out, more); },
    .wait_events = no_wait,
    .cancel = [](vernal_engine*, vernal_request_id, vernal_str) { return VERNAL_OK; },
    .release =
        [](vernal_engine* engine, vernal_request_id) {
          scripted(engine).is_released = true;
          return VERNAL_OK;
        },
    .stats = [](vernal_engine*, const vernal_metric_sink*) { return VERNAL_OK; },
    .health = [](vernal_engine*, std::uint32_t*, const vernal_sink*) { return VERNAL_OK; },
    .list_slots = nullptr,
};

// A table with the keys of [frontends.ask]; `config` is the path of the answer.
const vernal_config_api* ask_table() {
  static const vernal_config_api api = [] {
    vernal_config_api out{};
    out.struct_size = sizeof(out);
    out.get_string = [](const vernal_config* config, vernal_str path, vernal_str* value) {
      if (view(path) == "model") *value = to_str("qwen");
      if (view(path) == "prompt") *value = to_str("a \"b\"\n");
      if (view(path) == "file") *value = to_str(reinterpret_cast<const char*>(config));
      return VERNAL_OK;
    };
    out.get_int = [](const vernal_config*, vernal_str, std::int64_t* value) {
      *value = 8;
      return VERNAL_OK;
    };
    return out;
  }();
  return &api;
}

class PromptFrontend : public Examples, public ::testing::WithParamInterface<const char*> {
 protected:
  // Runs the frontend until it is idle; what it wrote to its file.
  std::string answer() {
    host_.add_service(VERNAL_SERVICE_ENGINE, &kEngine, &engine_);
    plugin::PluginLibrary& library = plugins_.open(GetParam(), VERNAL_KIND_FRONTEND);
    plugins_.init_all();
    out_.str({});  // what is said of the file of the plugin, say that its group may write it
    const std::string path = (folder_ / "answer.txt").string();
    plugin::FrontendInstance frontend(
        library.frontend(), "ask",
        {ask_table(), reinterpret_cast<const vernal_config*>(path.c_str())});
    frontend.start();
    while (frontend.active() != 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    frontend.stop();
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  testing::TemporaryFolder folder_;
  ScriptedEngine engine_;
};

TEST_P(PromptFrontend, WritesTheAnswerToItsFile) {
  EXPECT_EQ(answer(), "blue sky");
  EXPECT_EQ(engine_.document,
            "{\"prompt\": \"a \\\"b\\\"\\u000a\", \"max_tokens\": 8, \"sampling\": "
            "{\"temperature\": 0}}");
  EXPECT_TRUE(engine_.is_released);
  EXPECT_EQ(out_.str(), "");
}

TEST_P(PromptFrontend, LogsWhyThereIsNoAnswer) {
  engine_.refuses = true;
  EXPECT_EQ(answer(), "");
  EXPECT_THAT(out_.str(), HasSubstr(std::string("error ") + GetParam() + ": the queue is full"));
}

TEST_P(PromptFrontend, IsRefusedWithoutAnEngine) {
  plugin::PluginLibrary& library = plugins_.open(GetParam(), VERNAL_KIND_FRONTEND);
  const std::string path = (folder_ / "answer.txt").string();
  try {
    const plugin::FrontendInstance frontend(
        library.frontend(), "ask",
        {ask_table(), reinterpret_cast<const vernal_config*>(path.c_str())});
    FAIL() << frontend.name();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("this host offers no service \"vernal.svc.engine/1\""));
  }
}

// VERNAL_EXAMPLE_FRONTENDS is a list of names: all of them do the same.
INSTANTIATE_TEST_SUITE_P(Plugins, PromptFrontend, ::testing::Values(VERNAL_EXAMPLE_FRONTENDS),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace vernal
