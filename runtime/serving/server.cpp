#include "serving/server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "config/units.hpp"
#include "engine/engine_service.hpp"
#include "serving/model_host.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

using std::chrono::milliseconds;

// How often the control thread checks whether a drain is over.
constexpr milliseconds kDrainPoll{20};
// How long a step that still runs after the drain may take.
constexpr milliseconds kStopTimeout{10'000};

}  // namespace

Server::Server(OpenDeployment& open, ControlSignals& signals)
    : open_(open),
      signals_(signals),
      console_(signals),
      engine_(std::make_unique<Engine>(EngineOptions{}, open.log())) {
  plugin::CoreHost& host = open_.host();
  host.add_service(VERNAL_SERVICE_ENGINE, &engine_service_api(), engine_service_object(*engine_));
  host.add_service(VERNAL_SERVICE_TEXT, &text_service_api(), text_service_object(*engine_));
  host.add_service(VERNAL_SERVICE_CONSOLE, ConsoleService::api(), &console_);
}

Server::~Server() { stop(); }

void Server::plan() {
  if (is_planned_) return;
  open_.prepare(has_frontends_);
  for (const auto& model : open_.models()) {
    std::uint64_t bytes = 0;
    for (const MemoryRow& row : model->rows()) bytes += row.bytes;
    open_.log().info("model " + model->settings().name,
                     "plan: {} in {} objects (see `vernal plan`)", format_size(bytes),
                     model->rows().size());
  }
  declare_models(open_, *engine_);
  is_planned_ = true;
}

bool Server::load() {
  plan();
  try {
    load_models(open_, *engine_, [this] { return wants_to_end(); });
  } catch (const std::exception& error) {
    const auto* known = dynamic_cast<const Error*>(&error);
    // Models that are ready may be answering requests.
    if (known == nullptr || known->code() != VERNAL_CANCELLED) {
      if (engine_->num_open_requests() > 0) {
        open_.log().error("server", "{}", error.what());
        drain();
      }
      throw;
    }
    open_.log().info("server", "stopped while loading");
    drain();
    return false;
  }
  return true;
}

bool Server::has_only_consoles() const {
  return std::ranges::all_of(frontends_, &Running::is_console);
}

std::optional<ControlEvent> Server::next_event(milliseconds timeout) {
  const auto event = signals_.wait(timeout);
  if (event != ControlEvent::kHangUp) return event;
  if (has_only_consoles() && !signals_.ignores_hang_up()) return event;
  open_.log().info("server",
                   "SIGHUP: the deployment is not read again, this version cannot; "
                   "serving goes on");
  return std::nullopt;
}

bool Server::wants_to_end() {
  const auto event = next_event(milliseconds(0));
  return event && *event != ControlEvent::kConsoleFinished;
}

void Server::start_frontends() {
  const Deployment& deployment = open_.deployment();
  has_frontends_ = true;
  plan();
  for (const PluginInstance& instance : deployment.frontends) {
    if (!open_.is_console(instance)) start_frontend(instance);
  }
}

void Server::start_consoles() {
  const bool is_needed = frontends_.empty();
  for (const PluginInstance& instance : open_.deployment().frontends) {
    if (!open_.is_console(instance)) continue;
    if (!is_needed && ::isatty(STDIN_FILENO) != 1) {
      open_.log().info("console", "standard input is no terminal: [frontends.{}] is not started",
                       instance.name);
      continue;
    }
    start_frontend(instance);
  }
}

void Server::start_frontend(const PluginInstance& instance) {
  const bool is_console = open_.is_console(instance);
  const plugin::PluginLibrary& library =
      open_.registry().open(instance.plugin, VERNAL_KIND_FRONTEND);
  auto frontend = std::make_unique<plugin::FrontendInstance>(library.frontend(), instance.name,
                                                             config_view(instance.settings));
  frontend->start();
  if (!is_console) open_.log().info(instance.name, "{}", frontend->info());
  frontends_.push_back({std::move(frontend), is_console});
}

int Server::run() {
  for (;;) {
    const auto event = next_event(milliseconds(60'000));
    if (!event) continue;
    if (*event == ControlEvent::kInterrupt && console_.interrupt()) continue;
    if (*event == ControlEvent::kConsoleFinished && !has_only_consoles()) continue;
    if (*event != ControlEvent::kConsoleFinished) drain();
    break;
  }
  stop();
  return console_.has_failed() ? 1 : 0;
}

void Server::drain() {
  const auto timeout = milliseconds(open_.deployment().runtime.drain_timeout_ms);
  open_.log().info("server", "draining: {} requests in flight, at most {:.0f} s",
                   engine_->num_open_requests(), std::chrono::duration<double>(timeout).count());
  engine_->begin_drain();
  for (const Running& running : frontends_) {
    try {
      running.frontend->begin_drain(static_cast<std::uint64_t>(timeout.count()));
    } catch (const std::exception& error) {
      open_.log().error(running.frontend->name(), "{}", error.what());  // stop() will end it
    }
  }
  const auto limit = std::chrono::steady_clock::now() + timeout;
  const auto is_active = [&] {
    return engine_->num_open_requests() != 0 ||
           std::ranges::any_of(frontends_,
                               [](const Running& r) { return r.frontend->active() != 0; });
  };
  while (is_active() && std::chrono::steady_clock::now() < limit) {
    const auto event = next_event(kDrainPoll);
    if (event && *event != ControlEvent::kConsoleFinished) break;  // a second signal: stop now
  }
}

void Server::stop() noexcept {
  if (is_stopped_) return;
  is_stopped_ = true;
  for (const Running& running : frontends_) {
    try {
      running.frontend->stop();
    } catch (const std::exception& error) {
      open_.log().error(running.frontend->name(), "{}", error.what());
    }
  }
  frontends_.clear();
  if (!engine_->stop(kStopTimeout)) {
    // The backend has not returned from a step, so nothing that it uses may be unloaded. No client
    // waits any more.
    open_.log().error("server", "a step did not end; leaving without closing its backend");
    std::_Exit(1);
  }
}

}  // namespace vernal
