#include "serving/console_service.hpp"

#include <unistd.h>

#include <cerrno>

#include "vernal/error.hpp"

namespace vernal {

/// The functions of the table. The handle is the service itself.
struct ConsoleFunctions {
  static ConsoleService& service(vernal_console* console) {
    return *reinterpret_cast<ConsoleService*>(console);
  }

  static std::int32_t is_terminal(vernal_console*, std::uint32_t* input,
                                  std::uint32_t* output) noexcept {
    *input = ::isatty(STDIN_FILENO) == 1 ? 1 : 0;
    *output = ::isatty(STDOUT_FILENO) == 1 ? 1 : 0;
    return VERNAL_OK;
  }

  static std::int32_t descriptors(vernal_console*, std::int32_t* input,
                                  std::int32_t* output) noexcept {
    *input = STDIN_FILENO;
    *output = STDOUT_FILENO;
    return VERNAL_OK;
  }

  static std::int32_t write(vernal_console*, vernal_str text) noexcept {
    std::string_view rest = view(text);
    while (!rest.empty()) {
      const ssize_t count = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return VERNAL_UNAVAILABLE;
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
    return VERNAL_OK;
  }

  static std::int32_t on_interrupt(vernal_console* console, void (*callback)(void*),
                                   void* user) noexcept {
    ConsoleService& self = service(console);
    const std::lock_guard lock(self.mutex_);
    self.on_interrupt_ = callback;
    self.user_ = user;
    return VERNAL_OK;
  }

  static std::int32_t finished(vernal_console* console, std::int32_t status) noexcept {
    if (status != VERNAL_OK) service(console).has_failed_ = true;
    service(console).signals_.console_finished();
    return VERNAL_OK;
  }
};

const vernal_console_api* ConsoleService::api() noexcept {
  static constexpr vernal_console_api kApi = {
      sizeof(vernal_console_api), ConsoleFunctions::is_terminal,  ConsoleFunctions::descriptors,
      ConsoleFunctions::write,    ConsoleFunctions::on_interrupt, ConsoleFunctions::finished};
  return &kApi;
}

bool ConsoleService::interrupt() {
  const std::lock_guard lock(mutex_);
  if (on_interrupt_ == nullptr) return false;
  on_interrupt_(user_);
  return true;
}

}  // namespace vernal
