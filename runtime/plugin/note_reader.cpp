#include "plugin/note_reader.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "vernal/error.hpp"

namespace vernal::plugin {
namespace {

constexpr std::uint64_t kMaxProgramHeaders = 256;
constexpr std::uint64_t kMaxNoteSegmentBytes = 65'536;

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#endif

// A regular file that is open for reading. Reads outside it are refused.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path)
      // O_NONBLOCK: opening a FIFO must not wait for a writer.
      : path_(path.string()), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) {
      const int error = errno;
      throw Error(VERNAL_NOT_FOUND, fmt::format("{}: cannot be opened: {}", path_,
                                                std::generic_category().message(error)));
    }
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      throw Error(VERNAL_INCOMPATIBLE, fmt::format("{}: expected a regular file", path_));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~InputFile() { ::close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // Refuses the file if it has fewer than `bytes` bytes at `offset`. `what` names them.
  void require(std::uint64_t offset, std::uint64_t bytes, std::string_view what) const {
    if (offset > size_ || bytes > size_ - offset) {
      refuse(
          fmt::format("truncated: {} at {} + {} bytes, file has {}", what, offset, bytes, size_));
    }
  }

  // Fills `destination` with `bytes` from `offset`.
  void read(std::uint64_t offset, void* destination, std::uint64_t bytes,
            std::string_view what) const {
    require(offset, bytes, what);
    auto* out = static_cast<char*>(destination);
    while (bytes != 0) {
      const ssize_t count = ::pread(descriptor_, out, bytes, static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) refuse(fmt::format("{} cannot be read", what));
      out += count;
      offset += static_cast<std::uint64_t>(count);
      bytes -= static_cast<std::uint64_t>(count);
    }
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(VERNAL_INCOMPATIBLE, path_ + ": " + why);
  }

 private:
  std::string path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

Elf64_Ehdr read_header(const InputFile& file) {
  Elf64_Ehdr header{};
  file.read(0, &header, sizeof(header), "ELF header");
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    file.refuse("not an ELF file: expected a shared object");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    file.refuse(
        fmt::format("ELF class and byte order: expected 64 bit little endian, found {} and {}",
                    header.e_ident[EI_CLASS], header.e_ident[EI_DATA]));
  }
  if (header.e_machine != kMachine) {
    file.refuse(fmt::format("ELF machine: expected {}, found {}", kMachine, header.e_machine));
  }
  if (header.e_type != ET_DYN) {
    file.refuse(
        fmt::format("ELF type: expected {} (shared object), found {}", ET_DYN, header.e_type));
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxProgramHeaders) {
    file.refuse(fmt::format("ELF program headers: expected at most {} of {} bytes, found {} of {}",
                            kMaxProgramHeaders, sizeof(Elf64_Phdr), header.e_phnum,
                            header.e_phentsize));
  }
  return header;
}

std::uint64_t rounded_up(std::uint64_t size, std::uint64_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

// Finds a note in the bytes of one segment.
std::optional<std::string> find_note(const std::vector<char>& bytes, std::uint64_t alignment,
                                     std::string_view owner, std::uint32_t type) {
  std::uint64_t at = 0;
  Elf64_Nhdr note{};
  while (bytes.size() - at >= sizeof(note)) {
    std::memcpy(&note, bytes.data() + at, sizeof(note));
    at += sizeof(note);
    const std::uint64_t name_bytes = rounded_up(note.n_namesz, alignment);
    const std::uint64_t rest = bytes.size() - at;
    if (name_bytes > rest || note.n_descsz > rest - name_bytes) return std::nullopt;
    // The stored name includes its NUL.
    const std::string_view name(bytes.data() + at, note.n_namesz);
    const std::string_view text(bytes.data() + at + name_bytes, note.n_descsz);
    if (note.n_type == type && name.size() == owner.size() + 1 && name.starts_with(owner) &&
        name.back() == '\0') {
      return std::string(text.substr(0, text.find_last_not_of('\0') + 1));
    }
    const std::uint64_t next = name_bytes + rounded_up(note.n_descsz, alignment);
    if (next > rest) return std::nullopt;
    at += next;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_note(const std::filesystem::path& path, std::string_view owner,
                                     std::uint32_t type) {
  const InputFile file(path);
  const Elf64_Ehdr header = read_header(file);
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  file.read(header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr),
            "program headers");
  std::optional<std::string> text;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD) {
      file.require(segment.p_offset, segment.p_filesz, "loadable segment");
    }
    if (segment.p_type != PT_NOTE) continue;
    if (segment.p_filesz > kMaxNoteSegmentBytes) {
      file.refuse(fmt::format("ELF note segment: expected at most {} bytes, found {}",
                              kMaxNoteSegmentBytes, segment.p_filesz));
    }
    std::vector<char> bytes(segment.p_filesz);
    file.read(segment.p_offset, bytes.data(), bytes.size(), "note segment");
    if (!text) text = find_note(bytes, segment.p_align == 8 ? 8 : 4, owner, type);
  }
  return text;
}

}  // namespace vernal::plugin
