// The header and checksum of a snapshot, and the order in which a reader checks them
// (sdk/spec/state.md, section 5). Each backend decides what its payload holds.
//
//   offset        bytes  field (integers little-endian, texts padded with zeros)
//   0             8      "vernalsn"
//   8             4      version of this layout: 1
//   12            4      size of the header: 248 + 8 F
//   16            64     id of the plugin
//   80            32     its version
//   112           32     fingerprint of the module
//   144           3x16   formats of keys, values and recurrent states
//   192           16     convention of the rotation: "none" or "hadamard"
//   208           2x4    block sizes of the rotation of keys and of values; 0: not rotated
//   216           8      position: tokens of the first function
//   224           8      F, number of functions
//   232           8 F    tokens by function
//   232 + 8 F     8      bytes of the payload
//   240 + 8 F     8      checksum of header (with this field zero) and payload
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "vernal/abi/backend.h"
#include "vernal/backend_types.hpp"
#include "vernal/error.hpp"
#include "vernal/module.hpp"

namespace vernal {

/// A checksum of a stream of bytes. It does not depend on the pieces in which bytes are added. Each
/// step maps the sum one to one, for a given word, and the word one to one, for a given sum. So a
/// change within one word of 8 bytes always changes the result.
class SnapshotChecksum {
 public:
  /// Adds the next bytes.
  void add(const void* data, std::uint64_t size) noexcept {
    const auto* bytes = static_cast<const unsigned char*>(data);
    length_ += size;
    while (size > 0 && num_pending_ > 0) {
      pend(*bytes++);
      --size;
    }
    for (; size >= kWord; bytes += kWord, size -= kWord) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes, kWord);
      mix(word);
    }
    while (size-- > 0) pend(*bytes++);
  }
  /// The checksum of the bytes that were added so far.
  std::uint64_t value() const noexcept {
    SnapshotChecksum last = *this;
    last.mix(pending_);
    last.mix(length_);
    return last.sum_ ^ (last.sum_ >> 32U);
  }

 private:
  static constexpr std::size_t kWord = 8;

  void pend(unsigned char byte) noexcept {
    pending_ |= std::uint64_t{byte} << (8 * num_pending_);
    if (++num_pending_ < kWord) return;
    mix(pending_);
    pending_ = 0;
    num_pending_ = 0;
  }
  void mix(std::uint64_t word) noexcept {
    sum_ = std::rotl((sum_ ^ word) * 0x9E3779B97F4A7C15U, 29);
  }

  std::uint64_t sum_ = 0x76726E6C736E6170U;
  std::uint64_t pending_ = 0;  // bytes that do not make a word yet
  std::size_t num_pending_ = 0;
  std::uint64_t length_ = 0;
};

/// What made a snapshot, and for which module and formats. A reader accepts only its own kind.
struct SnapshotKind {
  std::string plugin;   ///< "com.example.backend"; at most 63 bytes, as VERNAL_PLUGIN_ID
  std::string version;  ///< at most 31 bytes, as VERNAL_PLUGIN_VERSION
  std::array<std::uint8_t, 32> fingerprint{};
  std::string keys;  ///< formats, at most 15 bytes each
  std::string values;
  std::string recurrent;
  std::string rotation = "none";
  std::uint32_t key_block = 0;
  std::uint32_t value_block = 0;
  std::uint64_t num_functions = 0;
};

/// The kind of a snapshot of a program with these options. Quantised formats are rotated by a
/// Hadamard matrix if the options say so. A block of the rotation is the greatest power of two that
/// divides the head size of the first KV state.
inline SnapshotKind snapshot_kind(std::string_view plugin, std::string_view version,
                                  const Module& module, const PlanOptions& options) {
  SnapshotKind kind;
  kind.plugin = plugin;
  kind.version = version;
  kind.fingerprint = module.fingerprint;
  kind.keys = options.kv_keys_format;
  kind.values = options.kv_values_format;
  kind.recurrent = options.recurrent_format.empty() ? "f32" : options.recurrent_format;
  kind.num_functions = module.functions.size();
  const auto block = [&](const std::string& format, std::int64_t dim) {
    const bool is_quantised = format != "f32" && format != "f16" && format != "bf16";
    return options.kv_rotate && is_quantised ? static_cast<std::uint32_t>(dim & -dim) : 0U;
  };
  for (const State& state : module.states) {
    if (state.kind != VERNAL_STATE_KV) continue;
    kind.key_block = block(kind.keys, state.key_dim);
    kind.value_block = block(kind.values, state.value_dim);
    if (kind.key_block + kind.value_block > 0) kind.rotation = "hadamard";
    break;
  }
  return kind;
}

namespace detail {

inline constexpr std::string_view kSnapshotMagic = "vernalsn";
inline constexpr std::uint32_t kSnapshotLayout = 1;
inline constexpr std::uint64_t kSnapshotPrefixBytes = 16;

inline std::uint64_t snapshot_header_bytes(std::uint64_t num_functions) {
  return 248 + 8 * num_functions;
}

inline void append_text(std::string& out, std::string_view text, std::size_t width) {
  if (text.size() >= width) {
    throw Error(VERNAL_INVALID_ARGUMENT, "snapshot: \"" + std::string(text) + "\" is longer than " +
                                             std::to_string(width - 1) + " bytes");
  }
  out.append(text).append(width - text.size(), '\0');
}

template <class Integer>
void append_integer(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(value); ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

template <class Integer>
Integer integer_at(std::string_view bytes, std::size_t offset) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[offset + i]);
    value = static_cast<Integer>(value | static_cast<Integer>(byte) << (8 * i));
  }
  return value;
}

/// The part of a header that a reader compares.
inline std::string snapshot_kind_bytes(const SnapshotKind& kind) {
  std::string out(kSnapshotMagic);
  append_integer(out, kSnapshotLayout);
  append_integer(out, static_cast<std::uint32_t>(snapshot_header_bytes(kind.num_functions)));
  append_text(out, kind.plugin, 64);
  append_text(out, kind.version, 32);
  out.append(reinterpret_cast<const char*>(kind.fingerprint.data()), kind.fingerprint.size());
  for (const std::string* format : {&kind.keys, &kind.values, &kind.recurrent, &kind.rotation}) {
    append_text(out, *format, 16);
  }
  append_integer(out, kind.key_block);
  append_integer(out, kind.value_block);
  return out;
}

/// A field of a header as messages show it: text in quotes, anything else as hexadecimal digits.
inline std::string shown_field(std::string_view field, bool is_text) {
  if (is_text) return '"' + std::string(field.substr(0, field.find('\0'))) + '"';
  std::string out = "0x";
  for (const char c : field) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 0xFU];
  }
  return out;
}

/// Compares the fields of two headers. `found` may be only the beginning of a header.
/// Errors  INCOMPATIBLE: names the first field that differs
inline void compare_snapshot_kind(std::string_view expected, std::string_view found) {
  struct Field {
    const char* name;
    std::size_t offset;
    std::size_t size;
    bool is_text;
  };
  constexpr std::array<Field, 12> kFields{{{"magic", 0, 8, true},
                                           {"version of the layout", 8, 4, false},
                                           {"size of the header", 12, 4, false},
                                           {"plugin", 16, 64, true},
                                           {"version of the plugin", 80, 32, true},
                                           {"fingerprint of the module", 112, 32, false},
                                           {"format of keys", 144, 16, true},
                                           {"format of values", 160, 16, true},
                                           {"format of recurrent states", 176, 16, true},
                                           {"rotation", 192, 16, true},
                                           {"rotation block of keys", 208, 4, false},
                                           {"rotation block of values", 212, 4, false}}};
  for (const Field& field : kFields) {
    if (field.offset + field.size > found.size()) return;
    const std::string_view want = expected.substr(field.offset, field.size);
    const std::string_view got = found.substr(field.offset, field.size);
    if (want == got) continue;
    throw Error(VERNAL_INCOMPATIBLE, std::string("snapshot: ") + field.name + ": expected " +
                                         shown_field(want, field.is_text) + ", found " +
                                         shown_field(got, field.is_text));
  }
}

}  // namespace detail

/// Writes a snapshot.
///   lengths   tokens by function
///   sink      receives the header, then the payload
///   payload   payload(piece) calls piece(data, bytes) for each part of the payload, in order. It
///             is called three times, for the size, the checksum and the sink, and must give the
///             same bytes each time.
/// Errors      the status that the sink answers
template <class Payload>
void write_snapshot(const SnapshotKind& kind, const std::vector<std::uint64_t>& lengths,
                    const vernal_sink& sink, Payload&& payload) {
  std::uint64_t payload_bytes = 0;
  payload([&](const void*, std::uint64_t size) { payload_bytes += size; });
  std::string header = detail::snapshot_kind_bytes(kind);
  detail::append_integer(header, lengths.at(0));
  detail::append_integer(header, kind.num_functions);
  for (const std::uint64_t length : lengths) detail::append_integer(header, length);
  detail::append_integer(header, payload_bytes);
  SnapshotChecksum sum;
  constexpr std::uint64_t kNoSum = 0;
  sum.add(header.data(), header.size());
  sum.add(&kNoSum, sizeof(kNoSum));
  payload([&](const void* data, std::uint64_t size) { sum.add(data, size); });
  detail::append_integer(header, sum.value());
  const auto write = [&](const void* data, std::uint64_t size) {
    const std::int32_t status = size == 0 ? VERNAL_OK : sink.write(sink.user, data, size);
    if (status != VERNAL_OK) throw Error(status, "snapshot: the receiver refused a part of it");
  };
  write(header.data(), header.size());
  payload(write);
}

/// Reads a snapshot in the specified order: header, payload, checksum.
class SnapshotReader {
 public:
  /// Reads the header. `source` must outlive this object.
  /// Errors  INCOMPATIBLE: made for something else; names the first field that differs
  ///         INVALID_ARGUMENT: the header contradicts itself
  ///         the status that the source answers
  SnapshotReader(const vernal_reader& source, const SnapshotKind& expected) : source_(source) {
    const std::string kind = detail::snapshot_kind_bytes(expected);
    std::string header(detail::kSnapshotPrefixBytes, '\0');
    fetch(header.data(), header.size());
    detail::compare_snapshot_kind(kind, header);
    header.resize(detail::snapshot_header_bytes(expected.num_functions));
    fetch(header.data() + detail::kSnapshotPrefixBytes,
          header.size() - detail::kSnapshotPrefixBytes);
    detail::compare_snapshot_kind(kind, header);
    const auto number = [&](std::size_t offset) {
      return detail::integer_at<std::uint64_t>(header, offset);
    };
    for (std::uint64_t f = 0; f < expected.num_functions; ++f) {
      lengths_.push_back(number(232 + 8 * f));
    }
    if (number(224) != expected.num_functions || number(216) != lengths_.at(0)) {
      throw Error(VERNAL_INVALID_ARGUMENT, "snapshot: position " + std::to_string(number(216)) +
                                               " and " + std::to_string(number(224)) +
                                               " functions do not fit the rest of the header");
    }
    payload_bytes_ = number(header.size() - 16);
    checksum_ = number(header.size() - 8);
    header.replace(header.size() - 8, 8, 8, '\0');
    sum_.add(header.data(), header.size());
  }

  /// Tokens by function. Their number is checked; their values are sure only after finish().
  const std::vector<std::uint64_t>& lengths() const { return lengths_; }

  /// Checks the size of the payload.
  /// Errors  INVALID_ARGUMENT: it is not `bytes`
  void require_payload(std::uint64_t bytes) const {
    if (bytes == payload_bytes_) return;
    throw Error(VERNAL_INVALID_ARGUMENT, "snapshot: expected a payload of " +
                                             std::to_string(bytes) + " bytes, found " +
                                             std::to_string(payload_bytes_));
  }
  /// Reads the next `size` bytes of the payload.
  /// Errors  the status that the source answers
  void read(void* destination, std::uint64_t size) {
    fetch(destination, size);
    sum_.add(destination, size);
  }
  /// Checks the checksum. Call it after the whole payload was read.
  /// Errors  INVALID_ARGUMENT: the checksum differs
  void finish() const {
    if (sum_.value() == checksum_) return;
    throw Error(VERNAL_INVALID_ARGUMENT,
                "snapshot: the checksum of its content differs from the one in its header");
  }

 private:
  void fetch(void* destination, std::uint64_t size) {
    const std::int32_t status =
        size == 0 ? VERNAL_OK : source_.read(source_.user, destination, size);
    if (status != VERNAL_OK) throw Error(status, "snapshot: its source ended or failed");
  }

  const vernal_reader& source_;
  std::vector<std::uint64_t> lengths_;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t checksum_ = 0;
  SnapshotChecksum sum_;
};

}  // namespace vernal
