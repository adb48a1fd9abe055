#include "plugin_check/subject/elf_file.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "vernal/error.hpp"

namespace vernal::check {
namespace {

/// The bytes of the file with checked access.
class Image {
 public:
  explicit Image(const std::filesystem::path& file) : name_(file.string()) {
    std::ifstream in(file, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
  }

  template <class T>
  T at(std::uint64_t offset) const {
    require(offset, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }
  std::string text(std::uint64_t offset) const {
    require(offset, 1);
    return std::string(bytes_.data() + offset,
                       ::strnlen(bytes_.data() + offset, bytes_.size() - offset));
  }
  void require(std::uint64_t offset, std::uint64_t size) const {
    if (offset <= bytes_.size() && size <= bytes_.size() - offset) return;
    throw Error(VERNAL_INCOMPATIBLE, fmt::format("{}: cut off: {} bytes at {} expected, it has {}",
                                                 name_, size, offset, bytes_.size()));
  }

 private:
  std::string name_;
  std::vector<char> bytes_;
};

/// Tables of section headers, by their types.
std::vector<Elf64_Shdr> sections(const Image& image, const Elf64_Ehdr& header) {
  std::vector<Elf64_Shdr> out;
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    out.push_back(image.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr)));
  }
  return out;
}

void read_segments(const Image& image, const Elf64_Ehdr& header, ElfFile& out) {
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = image.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_GNU_RELRO) out.has_relro = true;
    if (segment.p_type == PT_GNU_STACK) out.has_executable_stack = (segment.p_flags & PF_X) != 0;
  }
}

void read_dynamic(const Image& image, const Elf64_Shdr& section, std::uint64_t strings,
                  ElfFile& out) {
  for (std::uint64_t i = 0; i < section.sh_size / sizeof(Elf64_Dyn); ++i) {
    const auto entry = image.at<Elf64_Dyn>(section.sh_offset + i * sizeof(Elf64_Dyn));
    const std::uint64_t value = entry.d_un.d_val;
    if (entry.d_tag == DT_NEEDED) out.needed.push_back(image.text(strings + value));
    if (entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH) {
      out.run_path = image.text(strings + value);
    }
    if (entry.d_tag == DT_TEXTREL) out.has_text_relocations = true;
    if (entry.d_tag == DT_BIND_NOW) out.has_bind_now = true;
    if (entry.d_tag == DT_FLAGS) out.flags = value;
    if (entry.d_tag == DT_FLAGS_1) out.flags_1 = value;
  }
  if ((out.flags & DF_BIND_NOW) != 0 || (out.flags_1 & DF_1_NOW) != 0) out.has_bind_now = true;
  if ((out.flags & DF_TEXTREL) != 0) out.has_text_relocations = true;
}

void read_symbols(const Image& image, const Elf64_Shdr& section, std::uint64_t strings,
                  ElfFile& out) {
  for (std::uint64_t i = 1; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
    const auto symbol = image.at<Elf64_Sym>(section.sh_offset + i * sizeof(Elf64_Sym));
    const unsigned binding = ELF64_ST_BIND(symbol.st_info);
    const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    if (symbol.st_shndx == SHN_UNDEF || binding == STB_LOCAL) continue;
    if (visibility != STV_DEFAULT && visibility != STV_PROTECTED) continue;
    // A version's own name is an absolute symbol that nobody binds to.
    if (symbol.st_shndx == SHN_ABS && symbol.st_value == 0) continue;
    const std::string name = image.text(strings + symbol.st_name);
    out.exports.push_back(name);
    if (binding == STB_GNU_UNIQUE) out.unique_symbols.push_back(name);
  }
}

}  // namespace

ElfFile read_elf(const std::filesystem::path& file) {
  const Image image(file);
  const auto header = image.at<Elf64_Ehdr>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_shentsize != sizeof(Elf64_Shdr) ||
      header.e_phentsize != sizeof(Elf64_Phdr)) {
    throw Error(VERNAL_INCOMPATIBLE,
                file.string() + ": expected a shared object of 64 bits with section headers");
  }
  ElfFile out;
  read_segments(image, header, out);
  const std::vector<Elf64_Shdr> all = sections(image, header);
  for (const Elf64_Shdr& section : all) {
    if (section.sh_type != SHT_DYNAMIC && section.sh_type != SHT_DYNSYM) continue;
    if (section.sh_link >= all.size()) {
      throw Error(VERNAL_INCOMPATIBLE, file.string() + ": a section without its names");
    }
    const std::uint64_t strings = all[section.sh_link].sh_offset;
    if (section.sh_type == SHT_DYNAMIC) read_dynamic(image, section, strings, out);
    if (section.sh_type == SHT_DYNSYM) read_symbols(image, section, strings, out);
  }
  return out;
}

}  // namespace vernal::check
