// The plugin: an HTTP server that speaks the APIs of OpenAI, Anthropic and llama-server.
#include "vernal/plugin.hpp"

#include <memory>

#include "openai_http/checked_settings.hpp"
#include "openai_http/server/listener.hpp"
#include "vernal/frontend_plugin.hpp"

namespace vernal::openai_http {
namespace {

class HttpFrontend final : public Frontend {
 public:
  explicit HttpFrontend(const Config& config) : settings_(checked_settings(config)) {}

  static void check(const Config& config) { check_settings(config); }

  void start() override {
    listener_ = std::make_unique<Listener>(settings_, EngineClient(), TextClient());
    listener_->run();
  }
  void begin_drain(std::uint64_t) override {
    if (listener_) listener_->begin_drain();
  }
  std::uint64_t active() const override { return listener_ ? listener_->active() : 0; }
  void stop() override {
    if (listener_) listener_->stop();
  }
  std::string info() const override {
    return listener_ ? "listening on " + listener_->url() : "not listening";
  }

 private:
  Settings settings_;
  std::unique_ptr<Listener> listener_;
};

constexpr vernal_frontend_api kTable = frontend_table<HttpFrontend>();

}  // namespace
}  // namespace vernal::openai_http

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{
    .frontend = &vernal::openai_http::kTable,
    .frontend_rows = vernal::openai_http::settings_rows()});
