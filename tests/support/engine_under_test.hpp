// A whole deployment in this process: takes requests, gives tokens, and reads the engine's
// counters.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "engine/engine.hpp"
#include "serving/server.hpp"
#include "vernal/error.hpp"

namespace vernal::test {

using Tokens = std::vector<std::int32_t>;

/// An engine that serves a golden model on one backend.
class EngineUnderTest {
 public:
  /// `model_keys` are the lines of the model's table, without its path. The backend's table is
  /// "main".
  EngineUnderTest(const std::string& backend, const std::string& model,
                  const std::string& model_keys)
      : log_(LogLevel::kOff) {
    const auto file = std::filesystem::temp_directory_path() /
                      ("vernal-engine-" + std::to_string(::getpid()) + ".toml");
    std::ofstream(file) << "schema = 1\n[runtime]\nplugin_paths = [\"" VERNAL_PLUGIN_DIR
                           "\"]\nlog_level = \"off\"\n[backends.main]\nplugin = \""
                        << backend << "\"\n[models.tested]\npath = \"" VERNAL_GOLDEN_DIR "/models/"
                        << model << ".gguf\"\n"
                        << model_keys;
    open_ = std::make_unique<OpenDeployment>(file, log_);
    std::filesystem::remove(file);
    server_ = std::make_unique<Server>(*open_, signals_);
    if (!server_->load()) throw Error(VERNAL_CANCELLED, "a signal came while loading");
  }

  RequestId submit(const boost::json::object& document) {
    const std::string text = boost::json::serialize(document);
    SubmitArguments arguments;
    arguments.model = "tested";
    arguments.document = text;
    return server_->engine().submit(arguments);
  }

  /// Sends a greedy request for these tokens.
  RequestId submit(const Tokens& prompt, int max_tokens) {
    const std::string text = boost::json::serialize(boost::json::object{
        {"kind", "generate"}, {"max_tokens", max_tokens}, {"sampling", {{"temperature", 0}}}});
    SubmitArguments arguments;
    arguments.model = "tested";
    arguments.document = text;
    arguments.tokens = prompt;
    arguments.has_tokens = true;
    return server_->engine().submit(arguments);
  }

  /// The greedy answer to these tokens.
  Tokens answer(const Tokens& prompt, int max_tokens) {
    return read(submit(prompt, max_tokens))[0];
  }

  std::uint64_t metric(std::string_view name) {
    double found = -1;
    server_->engine().visit_metrics([&](const MetricSample& sample) {
      if (sample.name == name) found = sample.value;
    });
    return static_cast<std::uint64_t>(found);
  }
  /// The number of prompt tokens that steps processed while `run` ran.
  template <class Run>
  std::uint64_t processed(Run&& run) {
    const std::uint64_t before = metric("vernal_prompt_tokens_total");
    run();
    return metric("vernal_prompt_tokens_total") - before;
  }

  /// Reads an answer to its end. Returns its tokens by choice.
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

/// The document of a greedy request.
inline boost::json::object greedy(std::string_view prompt, int max_tokens) {
  return {{"kind", "generate"},
          {"prompt", prompt},
          {"max_tokens", max_tokens},
          {"sampling", {{"temperature", 0}}}};
}

inline Tokens made_up(std::size_t count, std::int32_t seed) {
  Tokens tokens;
  for (std::size_t i = 0; i < count; ++i) {
    tokens.push_back(20 + (seed * 31 + static_cast<std::int32_t>(i * i)) % 200);
  }
  return tokens;
}

inline Tokens operator+(Tokens a, const Tokens& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace vernal::test
