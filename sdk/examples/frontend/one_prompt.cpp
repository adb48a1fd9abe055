// The smallest frontend: it sends one prompt to one model and writes the answer to a file.
//
//   [frontends.ask]
//   plugin = "one_prompt"
//   model = "qwen"
//   prompt = "Why is the sky blue?"
//   file = "answer.txt"
//
// A frontend owns its threads; this one has one thread, from start to stop. A frontend turns its
// protocol into request documents, and events back into its protocol. Here the protocol is these
// keys, and the bytes of a file.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "vernal/engine_client.hpp"
#include "vernal/frontend_plugin.hpp"
#include "vernal/json/json_text.hpp"
#include "vernal/plugin.hpp"

namespace {

constexpr std::uint64_t kWaitMs = 100;  // a stop is noticed within this time

constexpr vernal_config_row kRows[] = {
    vernal::to_abi({.path = "model",
                    .type = VERNAL_CONFIG_STRING,
                    .help = "Model of this deployment that answers.",
                    .flags = VERNAL_CONFIG_REQUIRED | VERNAL_CONFIG_MODEL_NAMES}),
    vernal::to_abi({.path = "prompt",
                    .type = VERNAL_CONFIG_STRING,
                    .help = "Text to continue.",
                    .flags = VERNAL_CONFIG_REQUIRED}),
    vernal::to_abi({.path = "file",
                    .type = VERNAL_CONFIG_PATH,
                    .help = "File the answer is written to; an existing one is replaced.",
                    .flags = VERNAL_CONFIG_REQUIRED}),
    vernal::to_abi({.path = "max_tokens",
                    .type = VERNAL_CONFIG_INT,
                    .help = "Most tokens of the answer.",
                    .default_value = "64",
                    .minimum = 1,
                    .maximum = 1e6}),
};

class OnePrompt final : public vernal::Frontend {
 public:
  explicit OnePrompt(const vernal::Config& config)
      : model_(config.find_string("model").value()),
        document_("{\"prompt\": " + vernal::json_text(config.find_string("prompt").value()) +
                  ", \"max_tokens\": " + std::to_string(config.find_int("max_tokens").value()) +
                  ", \"sampling\": {\"temperature\": 0}}"),
        path_(config.find_string("file").value()) {}

  void start() override {
    file_.open(path_, std::ios::binary | std::ios::trunc);
    if (!file_) throw vernal::Error(VERNAL_UNAVAILABLE, path_ + " cannot be opened for writing");
    is_active_ = true;
    thread_ = std::thread([this] { run(); });
  }
  void begin_drain(std::uint64_t) override {}  // the only request goes on
  std::uint64_t active() const override { return is_active_ ? 1 : 0; }
  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    stopping_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  std::string info() const override { return "writes one answer to " + path_; }

 private:
  // The frontend's thread. An exception that left it would end the whole process.
  void run() noexcept {
    const std::int32_t status = vernal::guard([this] {
      wait_for_model();
      answer();
    });
    if (status != VERNAL_OK) {
      vernal::plugin_host().log(VERNAL_LOG_ERROR, VERNAL_PLUGIN_NAME,
                                vernal::plugin_host().last_error());
    }
    is_active_ = false;
  }

  bool is_stopping() {
    const std::lock_guard lock(mutex_);
    return is_stopping_;
  }

  // Frontends run already while models load.
  void wait_for_model() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_ && state_of_model() == VERNAL_MODEL_LOADING) {
      stopping_.wait_for(lock, std::chrono::milliseconds(kWaitMs));
    }
  }
  std::uint32_t state_of_model() const {
    for (const vernal::ModelInfo& model : engine_.models()) {
      if (model.id == model_) return model.state;
    }
    return VERNAL_MODEL_FAILED;
  }

  void answer() {
    const vernal::Submission sent = engine_.submit({.model = model_, .request_json = document_});
    if (!sent.accepted()) throw vernal::Error(sent.status, sent.reason);
    vernal_event event{};
    while (!is_stopping()) {
      if (!sent.request.wait(kWaitMs, event)) continue;
      if (event.type == VERNAL_EVENT_ERROR) {
        throw vernal::Error(event.code, std::string(vernal::view(event.text)));
      }
      if (event.type == VERNAL_EVENT_DELTA) file_ << vernal::view(event.text) << std::flush;
      if (event.type == VERNAL_EVENT_FINISHED) break;
    }
    file_.close();
    if (!file_) throw vernal::Error(VERNAL_UNAVAILABLE, path_ + " cannot be written");
  }  // releasing the request cancels what still runs

  vernal::EngineClient engine_;
  std::string model_;
  std::string document_;
  std::string path_;
  std::ofstream file_;
  std::thread thread_;
  std::mutex mutex_;  // guards is_stopping_
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::atomic<bool> is_active_ = false;
};

constexpr vernal_frontend_api kTable = vernal::frontend_table<OnePrompt>();

}  // namespace

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{.frontend = &kTable, .frontend_rows = kRows});
