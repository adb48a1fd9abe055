// The plugin: an HTTP server that speaks the OpenAI API.
#include "vernal/plugin.hpp"

#include <memory>

#include "openai_http/checked_settings.hpp"
#include "openai_http/server/server.hpp"
#include "vernal/frontend_plugin.hpp"

namespace vernal::openai_http {
namespace {

class HttpFrontend final : public Frontend {
 public:
  explicit HttpFrontend(const Config& config) : settings_(checked_settings(config)) {}

  static void check(const Config& config) { check_settings(config); }

  void start() override {
    server_ = std::make_unique<Server>(settings_, EngineClient(), TextClient());
    server_->run();
  }
  void begin_drain(std::uint64_t) override {
    if (server_) server_->begin_drain();
  }
  std::uint64_t active() const override { return server_ ? server_->active() : 0; }
  void stop() override {
    if (server_) server_->stop();
  }
  std::string info() const override {
    return server_ ? "listening on " + server_->url() : "not listening";
  }

 private:
  Settings settings_;
  std::unique_ptr<Server> server_;
};

constexpr vernal_frontend_api kTable = frontend_table<HttpFrontend>();

}  // namespace
}  // namespace vernal::openai_http

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{
    .frontend = &vernal::openai_http::kTable,
    .frontend_rows = vernal::openai_http::settings_rows()});
