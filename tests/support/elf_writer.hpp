// Minimal ELF64 shared objects in memory, to test readers of plugin manifests.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace vernal::testing {

/// What the file says. A test changes a member to make the file wrong in one place.
struct ElfSpec {
  std::string owner = "vernal";
  std::uint32_t note_type = 1;
  std::string text;  // the manifest
  Elf64_Half machine = EM_X86_64;
  Elf64_Half type = ET_DYN;
  unsigned char elf_class = ELFCLASS64;
  Elf64_Half num_segments = 1;
  std::uint64_t note_bytes = 0;        // size that the program header says; 0: the true size
  std::uint32_t descriptor_bytes = 0;  // size that the note says; 0: the true size
};

/// The lines of a manifest with `name` that this host accepts.
inline std::string valid_manifest(std::string_view name) {
  return "manifest=1\nabi_major=1\nabi_minor_min=0\nabi_minor_built=0\nkinds=backend\nname=" +
         std::string(name) + "\nid=org.example.test\nversion=1.2.3\nvendor=\nisa=\n";
}

/// `text` with another value of `key`. An empty value removes the line.
inline std::string with_key(std::string text, const std::string& key, const std::string& value) {
  const std::size_t begin = text.find(key + "=");
  const std::size_t end = begin == std::string::npos ? begin : text.find('\n', begin) + 1;
  if (begin != std::string::npos) text.erase(begin, end - begin);
  return value.empty() ? text : text + key + "=" + value + "\n";
}

/// The bytes of the file: header, one segment of notes, its note.
inline std::string elf_bytes(const ElfSpec& spec) {
  Elf64_Nhdr note{};
  note.n_namesz = static_cast<Elf64_Word>(spec.owner.size() + 1);
  note.n_descsz = spec.descriptor_bytes != 0 ? spec.descriptor_bytes
                                             : static_cast<Elf64_Word>(spec.text.size());
  note.n_type = spec.note_type;
  std::string body(reinterpret_cast<const char*>(&note), sizeof(note));
  body += spec.owner;
  do body += '\0';
  while (body.size() % 4 != 0);
  body += spec.text;
  while (body.size() % 4 != 0) body += '\0';

  Elf64_Phdr segment{};
  segment.p_type = PT_NOTE;
  segment.p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  segment.p_filesz = spec.note_bytes != 0 ? spec.note_bytes : body.size();
  segment.p_align = 4;

  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = spec.elf_class;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = spec.type;
  header.e_machine = spec.machine;
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = spec.num_segments;
  return std::string(reinterpret_cast<const char*>(&header), sizeof(header)) +
         std::string(reinterpret_cast<const char*>(&segment), sizeof(segment)) + body;
}

/// Writes bytes to a new file with mode 0644.
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::filesystem::permissions(path, std::filesystem::perms(0644));
}

}  // namespace vernal::testing
