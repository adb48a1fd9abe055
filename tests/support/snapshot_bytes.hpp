// Snapshots of a pool as bytes in memory.
#pragma once

#include <cstring>
#include <string>

#include "plugin/backend_client.hpp"
#include "vernal/sink.hpp"

namespace vernal::test {

/// Gives `bytes` piece by piece. A read beyond them fails.
struct SnapshotSource {
  const std::string& bytes;
  std::size_t at = 0;  // bytes that were read

  /// Borrows this object.
  vernal_reader reader() {
    return {[](void* user, void* destination, std::uint64_t size) noexcept -> std::int32_t {
              auto& source = *static_cast<SnapshotSource*>(user);
              if (size > source.bytes.size() - source.at) return VERNAL_UNAVAILABLE;
              std::memcpy(destination, source.bytes.data() + source.at, size);
              source.at += size;
              return VERNAL_OK;
            },
            this};
  }
};

/// The snapshot of a sequence or a checkpoint. The other id is 0.
inline std::string export_bytes(plugin::BackendPool& pool, vernal_sequence_id sequence,
                                vernal_checkpoint_id checkpoint) {
  std::string bytes;
  pool.snapshot_export(sequence, checkpoint, append_to(bytes));
  return bytes;
}

inline vernal_sequence_id import_bytes(plugin::BackendPool& pool, const std::string& bytes) {
  SnapshotSource source{bytes, 0};
  return pool.snapshot_import(source.reader());
}

}  // namespace vernal::test
