#include "model/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "model/printable.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

/// Closes the descriptor when opening ends. The mapping does not need it any more.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) noexcept : number_(number) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }

 private:
  int number_;
};

[[noreturn]] void refuse_file(std::int32_t code, const std::filesystem::path& path,
                              std::string_view finding) {
  throw Error(code, fmt::format("{}: {}", printable(path.native(), 1024), finding));
}

std::string text_of(int error_number) { return std::generic_category().message(error_number); }

std::string_view name_of_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "a directory";
    case S_IFIFO:
      return "a pipe";
    case S_IFCHR:
      return "a character device";
    case S_IFBLK:
      return "a block device";
    case S_IFSOCK:
      return "a socket";
    default:
      return "of an unknown type";
  }
}

std::uint64_t size_of_regular_file(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    refuse_file(VERNAL_INVALID_ARGUMENT, path, "cannot be examined: " + text_of(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    refuse_file(
        VERNAL_INVALID_ARGUMENT, path,
        fmt::format("expected a regular file, but this is {}", name_of_type(status.st_mode)));
  }
  if (status.st_size <= 0) refuse_file(VERNAL_INVALID_ARGUMENT, path, "the file is empty");
  return static_cast<std::uint64_t>(status.st_size);
}

int advice_number(MappingAdvice advice) noexcept {
  switch (advice) {
    case MappingAdvice::kWillNeed:
      return MADV_WILLNEED;
    case MappingAdvice::kSequential:
      return MADV_SEQUENTIAL;
    case MappingAdvice::kNotNeeded:
      return MADV_DONTNEED;  // nothing is lost: the next read maps the file's page again
    case MappingAdvice::kNormal:
      break;
  }
  return MADV_NORMAL;
}

/// munmap and madvise take a mutable pointer although they do not write through it.
void* mutable_address(const std::byte* address) noexcept { return const_cast<std::byte*>(address); }

}  // namespace

MappedFile MappedFile::open(const std::filesystem::path& path, MappingAdvice advice) {
  // O_NONBLOCK: without it, opening a pipe that nobody writes to would wait for ever. O_NOCTTY: a
  // terminal does not become this process's controlling terminal.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) {
    const int reason = errno;
    const bool is_missing = reason == ENOENT || reason == ENOTDIR;
    refuse_file(is_missing ? VERNAL_NOT_FOUND : VERNAL_INVALID_ARGUMENT, path,
                "cannot be opened: " + text_of(reason));
  }
  const std::uint64_t size = size_of_regular_file(file, path);
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) {
    refuse_file(VERNAL_RESOURCE_EXHAUSTED, path,
                fmt::format("{} bytes cannot be mapped: {}", size, text_of(errno)));
  }
  MappedFile mapped({static_cast<const std::byte*>(address), size});
  mapped.advise(mapped.bytes(), advice);
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(mutable_address(bytes_.data()), bytes_.size());
}

void MappedFile::advise(std::span<const std::byte> part, MappingAdvice advice) const noexcept {
  if (part.empty()) return;
  // The system call wants an address at the border of a page. The mapping starts at one, so going
  // back to it stays inside the mapping.
  const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<std::uint64_t>(part.data() - bytes_.data());
  const std::uint64_t into_page = offset % page_bytes;
  ::madvise(mutable_address(part.data() - into_page), part.size() + into_page,
            advice_number(advice));
}

}  // namespace vernal
