// A deployment at work: engine, services, frontends, from the first byte loaded to the last thread
// joined.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "loading/open_deployment.hpp"
#include "plugin/frontend_client.hpp"
#include "serving/console_service.hpp"
#include "serving/control_signals.hpp"

namespace vernal {

/// Control thread. The object is destroyed in the order frontends, engine, models, backends,
/// plugins.
class Server {
 public:
  /// `open` and `signals` outlive the server. Services are offered before any plugin is
  /// initialised.
  Server(OpenDeployment& open, ControlSignals& signals);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Engine& engine() noexcept { return *engine_; }

  /// Creates and starts the frontends but consoles. Before load(), so that clients learn at once
  /// that models are loading, and an address in use is found before the long part.
  void start_frontends();
  /// Opens backends, prices and loads every model. Returns false if a signal came meanwhile; what
  /// ran has then been drained.
  [[nodiscard]] bool load();
  /// After load(): the consoles, whose users wait for a model. One without a terminal is left out
  /// when another frontend runs.
  void start_consoles();
  /// Serves until SIGTERM, an interrupt that no console takes, or the end of the only frontend,
  /// which is a console. Then drains. SIGHUP does not end a server; it ends one that has consoles
  /// alone, because their terminal has closed. Returns the exit status.
  int run();

 private:
  struct Running {
    std::unique_ptr<plugin::FrontendInstance> frontend;
    bool is_console = false;
  };

  /// Does all that needs no weights (OpenDeployment::prepare) and declares every model as loading,
  /// unless that is done.
  void plan();
  void start_frontend(const PluginInstance& instance);
  /// Of the frontends that run; also if none does.
  bool has_only_consoles() const;
  /// The next event of the control thread. A SIGHUP that the server survives is logged and skipped.
  std::optional<ControlEvent> next_event(std::chrono::milliseconds timeout);
  bool wants_to_end();
  void drain();
  void stop();

  OpenDeployment& open_;
  ControlSignals& signals_;
  ConsoleService console_;
  std::unique_ptr<Engine> engine_;
  std::vector<Running> frontends_;
  bool has_frontends_ = false;  // start_frontends() was called: it is a server
  bool is_planned_ = false;
  bool is_stopped_ = false;
};

}  // namespace vernal
