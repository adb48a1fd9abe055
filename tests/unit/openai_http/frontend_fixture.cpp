#include "frontend_fixture.hpp"

#include <stdexcept>

#include "vernal/error.hpp"

extern "C" std::int32_t vernal_plugin_entry_v1(vernal_entry_args* args);

namespace vernal::openai_http::testing {
namespace {

const ConfigValues& values_of(const vernal_config* config) {
  return *reinterpret_cast<const ConfigValues*>(config);
}

/// Answers NOT_FOUND if the key is absent, INVALID_ARGUMENT if it has another type.
template <class Value>
std::int32_t lookup(const vernal_config* config, vernal_str path, const Value** out) {
  const auto found = values_of(config).find(std::string(view(path)));
  if (found == values_of(config).end()) return VERNAL_NOT_FOUND;
  *out = std::get_if<Value>(&found->second);
  return *out != nullptr ? VERNAL_OK : VERNAL_INVALID_ARGUMENT;
}

std::int32_t get_number(const vernal_config* config, vernal_str path, std::uint64_t* out) {
  const std::int64_t* number = nullptr;
  const std::int32_t status = lookup(config, path, &number);
  if (status == VERNAL_OK) *out = static_cast<std::uint64_t>(*number);
  return status;
}

constexpr vernal_config_api kConfigApi = {
    sizeof(vernal_config_api),
    [](const vernal_config* config, vernal_str path, std::uint32_t* out) {
      const std::int64_t* number = nullptr;
      const std::int32_t status = lookup(config, path, &number);
      if (status == VERNAL_OK) *out = *number != 0 ? 1U : 0U;
      return status;
    },
    [](const vernal_config* config, vernal_str path, std::int64_t* out) {
      const std::int64_t* number = nullptr;
      const std::int32_t status = lookup(config, path, &number);
      if (status == VERNAL_OK) *out = *number;
      return status;
    },
    [](const vernal_config*, vernal_str, double*) { return VERNAL_NOT_FOUND; },
    [](const vernal_config* config, vernal_str path, vernal_str* out) {
      const std::string* text = nullptr;
      const std::int32_t status = lookup(config, path, &text);
      if (status == VERNAL_OK) *out = to_str(*text);
      return status;
    },
    get_number,
    get_number,
    [](const vernal_config* config, vernal_str path, std::uint64_t* out) {
      const std::vector<std::string>* list = nullptr;
      const std::int32_t status = lookup(config, path, &list);
      if (status == VERNAL_OK) *out = list->size();
      return status;
    },
    [](const vernal_config* config, vernal_str path, std::uint64_t index, vernal_str* out) {
      const std::vector<std::string>* list = nullptr;
      const std::int32_t status = lookup(config, path, &list);
      if (status == VERNAL_OK) *out = to_str(list->at(index));
      return status;
    },
    [](const vernal_config*, vernal_str, std::uint64_t, std::int64_t*) { return VERNAL_NOT_FOUND; },
    [](const vernal_config*, vernal_str* out) {
      *out = to_str("frontends.http");
      return VERNAL_OK;
    },
    [](const vernal_config*, vernal_str, vernal_str* out) {
      *out = to_str("test.toml:1:1");
      return VERNAL_OK;
    }};

void check(std::int32_t status, std::string_view what, const MockEngine& engine) {
  if (status == VERNAL_OK) return;
  vernal_str text{};
  engine.host_api()->last_error(nullptr, &text);
  throw Error(status, std::string(what) + ": " + std::string(view(text)));
}

}  // namespace

vernal_config_view config_view(const ConfigValues& values) {
  return {&kConfigApi, reinterpret_cast<const vernal_config*>(&values)};
}

const vernal_frontend_api& frontend_api(MockEngine& engine) {
  vernal_entry_args args{};
  args.struct_size = sizeof(args);
  args.host = engine.host();
  args.host_api = engine.host_api();
  check(vernal_plugin_entry_v1(&args), "entry", engine);
  const void* table = nullptr;
  check(args.plugin->get_kind(VERNAL_KIND_FRONTEND, &table), "get_kind", engine);
  return *static_cast<const vernal_frontend_api*>(table);
}

RunningFrontend::RunningFrontend(MockEngine& engine, ConfigValues values)
    : api_(frontend_api(engine)) {
  values.try_emplace("listen", "127.0.0.1:0");
  values.try_emplace("cors_origins", std::vector<std::string>{"*"});
  values.try_emplace("header_timeout", std::int64_t{1000});
  values.try_emplace("body_timeout", std::int64_t{1000});
  check(api_.create(config_view(values), &frontend_), "create", engine);
  const std::int32_t status = api_.start(frontend_);
  if (status != VERNAL_OK) {
    api_.destroy(frontend_);
    check(status, "start", engine);
  }
  const std::string line = info();
  port_ = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
}

RunningFrontend::~RunningFrontend() {
  stop();
  api_.destroy(frontend_);
}

std::string RunningFrontend::info() const {
  std::string text;
  const vernal_sink sink{[](void* user, const void* data, std::uint64_t size) {
                           static_cast<std::string*>(user)->append(static_cast<const char*>(data),
                                                                   size);
                           return VERNAL_OK;
                         },
                         &text};
  api_.info(frontend_, &sink);
  return text;
}

void RunningFrontend::begin_drain() { api_.begin_drain(frontend_, 10'000); }

std::uint64_t RunningFrontend::active() const {
  std::uint64_t active = 0;
  api_.active(frontend_, &active);
  return active;
}

void RunningFrontend::stop() {
  if (!is_stopped_) api_.stop(frontend_);
  is_stopped_ = true;
}

}  // namespace vernal::openai_http::testing
