// Runs a deployment: makes the engine and its services, loads models, starts and stops frontends.
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

/// Control thread only. When it is destroyed, frontends end first, then the engine. Models, backends
/// and plugins belong to the OpenDeployment and end after it.
class Server {
 public:
  /// `open` and `signals` outlive the server. Made before plugins are initialised, so that they find
  /// its services.
  Server(OpenDeployment& open, ControlSignals& signals);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Engine& engine() noexcept { return *engine_; }

  /// Creates and starts all frontends except consoles. Called before load(): clients learn at once
  /// that models are loading, and an address in use is found before the long part.
  void start_frontends();
  /// Opens backends, prices and loads every model. False: a signal came meanwhile, and the server
  /// has been drained.
  [[nodiscard]] bool load();
  /// Starts the consoles, whose users wait for a model. Called after load(). If standard input is no
  /// terminal and another frontend runs, consoles are left out.
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
  /// Whether all frontends that run are consoles. Also true if none runs.
  bool has_only_consoles() const;
  /// The next event of the control thread. A SIGHUP that the server survives is logged and skipped.
  std::optional<ControlEvent> next_event(std::chrono::milliseconds timeout);
  bool wants_to_end();
  void drain();
  void stop() noexcept;

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
