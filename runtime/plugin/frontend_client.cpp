#include "plugin/frontend_client.hpp"

#include <fmt/format.h>

#include <utility>

#include "vernal/host.hpp"
#include "vernal/sink.hpp"

namespace vernal::plugin {

FrontendInstance::FrontendInstance(const vernal_frontend_api& api, std::string name,
                                   vernal_config_view config)
    : api_(api), name_(std::move(name)), frontend_(nullptr, api.destroy) {
  vernal_frontend* made = nullptr;
  check(api_.create(config, &made), "create");
  frontend_.reset(made);
  if (made == nullptr) {
    throw Error(VERNAL_INTERNAL,
                fmt::format("frontend {}: create: expected a handle, found null", name_));
  }
}

FrontendInstance::~FrontendInstance() {
  if (frontend_ && is_running_) api_.stop(frontend_.get());
}

void FrontendInstance::check(std::int32_t status, std::string_view what) const {
  if (status == VERNAL_OK) return;
  throw Error(status,
              fmt::format("frontend {}: {}: {}", name_, what, plugin_host().take_error(status)));
}

void FrontendInstance::start() {
  check(api_.start(frontend_.get()), "start");
  is_running_ = true;
}

void FrontendInstance::begin_drain(std::uint64_t deadline_ms) {
  check(api_.begin_drain(frontend_.get(), deadline_ms), "begin_drain");
}

std::uint64_t FrontendInstance::active() const {
  std::uint64_t active = 0;
  check(api_.active(frontend_.get(), &active), "active");
  return active;
}

void FrontendInstance::stop() {
  is_running_ = false;
  check(api_.stop(frontend_.get()), "stop");
}

std::string FrontendInstance::info() const {
  std::string text;
  const vernal_sink sink = append_to(text);
  check(api_.info(frontend_.get(), &sink), "info");
  return text;
}

bool check_frontend(const vernal_frontend_api& api, vernal_config_view config) {
  const std::int32_t status = api.check(config);
  if (status == VERNAL_UNIMPLEMENTED) {
    plugin_host().set_error(VERNAL_OK, {});
    return false;
  }
  if (status == VERNAL_OK) return true;
  throw Error(status, plugin_host().take_error(status));
}

}  // namespace vernal::plugin
