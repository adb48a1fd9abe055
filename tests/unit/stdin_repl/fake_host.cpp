#include "unit/stdin_repl/fake_host.hpp"

#include <mutex>
#include <utility>

#include "vernal/host.hpp"

namespace vernal {
namespace stdin_repl {
namespace {

std::mutex log_mutex;
std::vector<LogLine> log_lines;
thread_local std::string error_text;

constexpr vernal_host_api kApi = {
    .struct_size = sizeof(vernal_host_api),
    .log =
        [](vernal_host*, std::uint32_t level, vernal_str, vernal_str, std::uint32_t,
           vernal_str text) {
          const std::lock_guard lock(log_mutex);
          log_lines.push_back({level, std::string(view(text))});
          return VERNAL_OK;
        },
    .log_level =
        [](vernal_host*, std::uint32_t* out) {
          *out = VERNAL_LOG_TRACE;
          return VERNAL_OK;
        },
    .set_error =
        [](vernal_host*, std::int32_t, vernal_str text) {
          error_text = view(text);
          return VERNAL_OK;
        },
    .last_error =
        [](vernal_host*, vernal_str* out) {
          *out = to_str(error_text);
          return VERNAL_OK;
        },
    .thread_role = [](vernal_host*, std::uint32_t*) { return VERNAL_UNIMPLEMENTED; },
    .now_ns = [](vernal_host*, std::uint64_t*) { return VERNAL_UNIMPLEMENTED; },
    .get_service = [](vernal_host*, vernal_str, const void**, void**) { return VERNAL_NOT_FOUND; },
    .get_extension = [](vernal_host*, vernal_str, const void**) { return VERNAL_NOT_FOUND; },
    .report_fatal = [](vernal_host*, vernal_str, vernal_str) { return VERNAL_OK; },
};

}  // namespace

std::vector<LogLine> take_log() {
  const std::lock_guard lock(log_mutex);
  return std::exchange(log_lines, {});
}

std::string stored_error() { return error_text; }

}  // namespace stdin_repl

Host& plugin_host() noexcept {
  static Host host(nullptr, &stdin_repl::kApi);
  return host;
}

}  // namespace vernal
