// The plugin: a conversation at the terminal, or one prompt from a pipe.
#include "vernal/plugin.hpp"

#include <memory>

#include "stdin_repl/session.hpp"
#include "vernal/frontend_plugin.hpp"

namespace vernal::stdin_repl {
namespace {

class ConsoleFrontend final : public Frontend {
 public:
  explicit ConsoleFrontend(const Config& config) : settings_(read_settings(config)) {}

  static void check(const Config& config) { check_settings(config); }

  void start() override {
    session_ = std::make_unique<Session>(settings_, EngineClient(), ConsoleClient());
    session_->start();
  }
  void begin_drain(std::uint64_t) override {
    if (session_) session_->begin_drain();
  }
  std::uint64_t active() const override { return session_ ? session_->active() : 0; }
  void stop() override {
    if (session_) session_->stop();
  }
  std::string info() const override { return "reading from standard input"; }

 private:
  Settings settings_;
  std::unique_ptr<Session> session_;
};

constexpr vernal_frontend_api kTable = frontend_table<ConsoleFrontend>();

}  // namespace
}  // namespace vernal::stdin_repl

VERNAL_DEFINE_PLUGIN(vernal::PluginDefinition{
    .frontend = &vernal::stdin_repl::kTable, .frontend_rows = vernal::stdin_repl::settings_rows()});
