#include "plugin/core_host.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <new>
#include <utility>

#include "vernal/error.hpp"
#include "vernal/host.hpp"

namespace vernal {
namespace {

thread_local std::uint32_t thread_role = VERNAL_ROLE_UNKNOWN;

// The text of a plugin may be too long: more is cut.
constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;

/// The text of a thread's last error. A short one takes no memory, not even for the thread to note
/// that something has to be destroyed at its end: "out of memory" must be told when there is none.
class ErrorText {
 public:
  /// A long text is cut if there is no memory for it.
  void set(std::string_view text) noexcept {
    is_long_ = text.size() > short_.size();
    try {
      if (is_long_) long_text().assign(text);
    } catch (const std::bad_alloc&) {
      is_long_ = false;
    }
    if (is_long_) return;
    size_ = std::min(text.size(), short_.size());
    std::copy_n(text.data(), size_, short_.data());
  }
  std::string_view get() const noexcept {
    return is_long_ ? std::string_view(long_text()) : std::string_view(short_.data(), size_);
  }

 private:
  static std::string& long_text() {
    thread_local std::string text;
    return text;
  }

  std::array<char, 1000> short_{};
  std::size_t size_ = 0;
  bool is_long_ = false;
};

constinit thread_local ErrorText thread_error;

std::string_view bounded(vernal_str text) noexcept {
  if (text.data == nullptr) return {};
  return {text.data, std::min<std::size_t>(text.size, kMaxTextBytes)};
}

std::int32_t set_error(vernal_host*, std::int32_t code, vernal_str text) noexcept {
  const std::string_view said = bounded(text);
  thread_error.set(said.empty() && code != VERNAL_OK ? status_name(code) : said);
  return VERNAL_OK;
}

std::int32_t last_error(vernal_host*, vernal_str* out_text) noexcept {
  *out_text = to_str(thread_error.get());
  return VERNAL_OK;
}

std::int32_t get_thread_role(vernal_host*, std::uint32_t* out_role) noexcept {
  *out_role = thread_role;
  return VERNAL_OK;
}

std::int32_t now_ns(vernal_host*, std::uint64_t* out_ns) noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  *out_ns =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  return VERNAL_OK;
}

}  // namespace

namespace plugin {

// The functions of the host table that need the object. The core's own view of the host,
// plugin_host() below, has no object: it has no log and no services.
struct HostFunctions {
  static CoreHost* core(vernal_host* host) noexcept { return reinterpret_cast<CoreHost*>(host); }

  static std::int32_t log(vernal_host* host, std::uint32_t level, vernal_str component,
                          vernal_str file, std::uint32_t line, vernal_str text) noexcept {
    if (host == nullptr) return VERNAL_NOT_FOUND;
    return guard([&] {
      Log& log = core(host)->log_;
      const auto log_level = static_cast<LogLevel>(std::min(level, VERNAL_LOG_ERROR));
      if (!log.writes(log_level)) return;
      if (file.size == 0) return log.write(log_level, bounded(component), bounded(text));
      log.write(log_level, bounded(component),
                fmt::format("{} ({}:{})", bounded(text), bounded(file), line));
    });
  }

  static std::int32_t log_level(vernal_host* host, std::uint32_t* out_level) noexcept {
    *out_level =
        host == nullptr ? VERNAL_LOG_OFF : static_cast<std::uint32_t>(core(host)->log_.level());
    return VERNAL_OK;
  }

  static std::int32_t get_service(vernal_host* host, vernal_str id, const void** out_table,
                                  void** out_object) noexcept {
    *out_table = nullptr;
    *out_object = nullptr;
    return guard([&] {
      if (host != nullptr) {
        const std::lock_guard lock(core(host)->mutex_);
        const auto found = core(host)->services_.find(bounded(id));
        if (found != core(host)->services_.end()) {
          *out_table = found->second.table;
          *out_object = found->second.object;
          return;
        }
      }
      throw Error(VERNAL_NOT_FOUND, fmt::format("this host offers no service \"{}\"", bounded(id)));
    });
  }

  static std::int32_t get_extension(vernal_host*, vernal_str id, const void** out_table) noexcept {
    *out_table = nullptr;
    return guard([&] {
      throw Error(VERNAL_NOT_FOUND, fmt::format("this host has no extension \"{}\"", bounded(id)));
    });
  }

  static std::int32_t report_fatal(vernal_host* host, vernal_str component,
                                   vernal_str text) noexcept {
    if (host == nullptr) return VERNAL_NOT_FOUND;
    return guard([&] {
      CoreHost* self = core(host);
      {
        const std::lock_guard lock(self->mutex_);
        self->fatal_reports_.try_emplace(std::string(bounded(component)), bounded(text));
      }
      self->log_.error(bounded(component), "fatal: {}", bounded(text));
    });
  }
};

namespace {

constexpr vernal_host_api kHostApi = {
    .struct_size = sizeof(vernal_host_api),
    .log = HostFunctions::log,
    .log_level = HostFunctions::log_level,
    .set_error = set_error,
    .last_error = last_error,
    .thread_role = get_thread_role,
    .now_ns = now_ns,
    .get_service = HostFunctions::get_service,
    .get_extension = HostFunctions::get_extension,
    .report_fatal = HostFunctions::report_fatal,
};

}  // namespace

CoreHost::CoreHost(Log& log) : log_(log) {}

const vernal_host_api* CoreHost::api() const noexcept { return &kHostApi; }

vernal_host* CoreHost::handle() noexcept { return reinterpret_cast<vernal_host*>(this); }

void CoreHost::add_service(std::string id, const void* table, void* object) {
  const std::lock_guard lock(mutex_);
  services_.insert_or_assign(std::move(id), Service{table, object});
}

std::optional<std::string> CoreHost::fatal_report(std::string_view component) const {
  const std::lock_guard lock(mutex_);
  const auto found = fatal_reports_.find(component);
  if (found == fatal_reports_.end()) return std::nullopt;
  return found->second;
}

ScopedThreadRole::ScopedThreadRole(std::uint32_t role) noexcept
    : previous_(std::exchange(thread_role, role)) {}

ScopedThreadRole::~ScopedThreadRole() { thread_role = previous_; }

}  // namespace plugin

// What guard() and check() use in the core. They share the thread's text of the last error with the
// plugins. There is no object, so this host neither logs nor finds services.
Host& plugin_host() noexcept {
  static Host core(nullptr, &plugin::kHostApi);
  return core;
}

}  // namespace vernal
