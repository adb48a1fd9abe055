// A hybrid model from deployment file to text: whatever the engine reuses, shares or starts anew,
// an answer is the one that the model gives alone.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <unistd.h>

#include "engine/engine.hpp"
#include "serving/server.hpp"
#include "vernal/error.hpp"

namespace vernal::test {
namespace {

using Tokens = std::vector<std::int32_t>;

/// The model on the reference backend, served by an engine.
class HybridEngine {
 public:
  /// `model_keys` are further lines of its table, `slots` among them.
  explicit HybridEngine(const std::string& model_keys) : log_(LogLevel::kOff) {
    const auto file = std::filesystem::temp_directory_path() /
                      ("vernal-hybrid-" + std::to_string(::getpid()) + ".toml");
    std::ofstream(file)
        << "schema = 1\n[runtime]\nplugin_paths = [\"" VERNAL_PLUGIN_DIR
           "\"]\nlog_level = \"off\"\n[backends.reference]\nplugin = \"reference\"\n"
           "[models.hybrid]\npath = \"" VERNAL_GOLDEN_DIR
           "/models/tiny-qwen35-iq4_ks.gguf\"\nbackend = \"reference\"\n"
           "kv_cache = { keys = \"f32\", values = \"f32\" }\n"
        << model_keys;
    open_ = std::make_unique<OpenDeployment>(file, log_);
    std::filesystem::remove(file);
    server_ = std::make_unique<Server>(*open_, signals_);
    server_->load();
  }

  RequestId submit(const boost::json::object& document) {
    const std::string text = boost::json::serialize(document);
    SubmitArguments arguments;
    arguments.model = "hybrid";
    arguments.document = text;
    return server_->engine().submit(arguments);
  }

  /// Tokens of the answer, by choice.
  std::map<std::uint32_t, Tokens> read(RequestId request) {
    std::map<std::uint32_t, Tokens> answer;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    for (bool is_over = false; !is_over && std::chrono::steady_clock::now() < limit;) {
      const auto event = server_->engine().wait(request, std::chrono::milliseconds(100));
      if (!event) continue;
      if (event->type == VERNAL_EVENT_ERROR) throw Error(event->code, event->text);
      if (event->type == VERNAL_EVENT_DELTA) {
        Tokens& tokens = answer[event->choice];
        tokens.insert(tokens.end(), event->tokens.begin(), event->tokens.end());
      }
      is_over = event->is_terminal();
    }
    server_->engine().release(request);
    return answer;
  }
  std::map<std::uint32_t, Tokens> ask(const boost::json::object& document) {
    return read(submit(document));
  }

 private:
  Log log_;
  ControlSignals signals_;
  std::unique_ptr<OpenDeployment> open_;
  std::unique_ptr<Server> server_;
};

/// A greedy request.
boost::json::object greedy(std::string_view prompt, int max_tokens) {
  return {{"kind", "generate"},
          {"prompt", prompt},
          {"max_tokens", max_tokens},
          {"sampling", {{"temperature", 0}}}};
}

/// Runs of another engine on this model: texts and the tokens it answered.
boost::json::array golden_runs() {
  std::ifstream stream(VERNAL_GOLDEN_DIR "/models/tiny-qwen35-iq4_ks.json");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return boost::json::parse(text).at("runs").as_array();
}

TEST(HybridEngine, AnswersWithTheTokensOfAnotherEngine) {
  HybridEngine engine("context_length = 512\nslots = 1\n");
  for (const auto& run : golden_runs()) {
    Tokens expected;
    for (const auto& token : run.at("greedy").as_array()) {
      expected.push_back(token.to_number<std::int32_t>());
    }
    const auto document = greedy(run.at("text").as_string(), static_cast<int>(expected.size()));
    EXPECT_EQ(engine.ask(document)[0], expected);
    EXPECT_EQ(engine.ask(document)[0], expected) << "the same prompt in the same slot";
  }
}

TEST(HybridEngine, NeverGoesOnFromTokensThatThePromptDoesNotHave) {
  const std::string text(golden_runs().at(1).at("text").as_string());
  const std::vector<std::string> prompts{text + " and so on", text.substr(0, text.size() / 2), text,
                                         text + " and so on",
                                         text.substr(0, text.size() / 2) + "x"};
  HybridEngine one_slot("context_length = 512\nslots = 1\n");
  for (const std::string& prompt : prompts) {
    HybridEngine fresh("context_length = 512\nslots = 1\n");
    EXPECT_EQ(one_slot.ask(greedy(prompt, 8)), fresh.ask(greedy(prompt, 8)));
  }
}

TEST(HybridEngine, GivesTheSameChoicesWithForksAndWithout) {
  const boost::json::object document{{"kind", "generate"},
                                     {"prompt", "Hello world, this is a hybrid"},
                                     {"n", 3},
                                     {"seed", 11},
                                     {"max_tokens", 12}};
  HybridEngine with_room("context_length = 256\nslots = 4\n");
  HybridEngine one_by_one("context_length = 256\nslots = 1\n");
  const auto expected = one_by_one.ask(document);
  EXPECT_EQ(expected.size(), 3U);
  EXPECT_NE(expected.at(0), expected.at(1));
  EXPECT_EQ(with_room.ask(document), expected);
}

TEST(HybridEngine, StartsAnewWhoeverHadToMakeRoom) {
  // Two answers of 100 tokens do not fit beside each other.
  HybridEngine tight("context_length = 160\nslots = 2\nkv_tokens = 160\n");
  HybridEngine roomy("context_length = 160\nslots = 1\n");
  const auto first = greedy("Hello world", 100);
  const auto second = greedy("The quick brown fox", 100);
  const RequestId a = tight.submit(first);
  const RequestId b = tight.submit(second);
  EXPECT_EQ(tight.read(a), roomy.ask(first));
  EXPECT_EQ(tight.read(b), roomy.ask(second));
}

}  // namespace
}  // namespace vernal::test
