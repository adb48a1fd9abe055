#include "config/text_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "vernal/error.hpp"
#include "vernal/frontend/byte_order_mark.hpp"

namespace vernal {
namespace {

class Descriptor {
 public:
  // NONBLOCK: opening a pipe that nobody writes to must not wait.
  explicit Descriptor(const std::filesystem::path& file)
      : value_(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const noexcept { return value_; }

 private:
  int value_;
};

/// Reads up to text.size() bytes; false with errno if that fails.
bool read_bytes(int descriptor, std::string& text) {
  std::size_t size = 0;
  ssize_t count = 0;
  do {
    count = ::read(descriptor, text.data() + size, text.size() - size);
    if (count > 0) size += static_cast<std::size_t>(count);
  } while ((count > 0 && size < text.size()) || (count < 0 && errno == EINTR));
  text.resize(size);
  return count >= 0;
}

}  // namespace

std::string read_text_file(const std::filesystem::path& file, std::string_view kind,
                           std::uint64_t largest) {
  const auto refuse = [&](std::string_view why) {
    throw Error(VERNAL_INVALID_ARGUMENT, fmt::format("{}: {}", file.string(), why));
  };
  const Descriptor descriptor(file);
  struct stat info {};
  if (descriptor.value() < 0 || ::fstat(descriptor.value(), &info) != 0) {
    refuse(std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) {
    refuse(fmt::format("expected {}, found a directory or device", kind));
  }
  if (static_cast<std::uint64_t>(info.st_size) > largest) {
    refuse(fmt::format("expected {} of at most {} bytes, found {} bytes", kind, largest,
                       info.st_size));
  }
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  if (!read_bytes(descriptor.value(), text)) refuse(std::strerror(errno));
  if (is_utf16(text)) refuse(fmt::format("expected {} in UTF-8, found UTF-16", kind));
  return std::string(without_byte_order_mark(text));
}

}  // namespace vernal
