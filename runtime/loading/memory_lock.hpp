// lock_memory: keeping what is read in each step from being swapped out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "loading/resident_model.hpp"
#include "observe/log.hpp"

namespace vernal {

/// How much memory this process may lock.
struct LockLimit {
  static constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

  std::uint64_t soft_bytes = 0;    ///< RLIMIT_MEMLOCK as it is
  std::uint64_t hard_bytes = 0;    ///< up to which the process may raise it itself
  std::uint64_t locked_bytes = 0;  ///< of them already locked
  bool is_privileged = false;      ///< CAP_IPC_LOCK: no limit counts

  /// Whether so many bytes more may be locked, at the soft limit or at the hard one.
  bool allows(std::uint64_t bytes) const noexcept;
};

/// Reads the limits of this process. Any thread.
LockLimit read_lock_limit();

/// Bytes that a model would lock, after plan(): what the backends of its segments own, and the pages
/// of its file that they use in place.
/// Errors  UNSUPPORTED: a backend has memory in the host that it cannot lock
std::uint64_t lockable_bytes(const ResidentModel& model);

/// Why so many bytes cannot be locked, with the lines for systemd and limits.conf that allow it.
///   user   whom the line of limits.conf is for
std::string lock_refusal(std::uint64_t bytes, const LockLimit& limit, const std::string& user);

/// Before anything is loaded: looks whether the models that say lock_memory may lock what they need
/// together, and raises the process' soft limit for it if that is allowed. Warns where it is only
/// preferred. Control thread.
/// Errors  RESOURCE_EXHAUSTED, UNSUPPORTED: a model says "required", and it cannot be done
void require_lockable(std::span<const ResidentModel* const> models, Log& log);

/// Locks the pages of the model file that a backend kept mapped. Returns why it cannot; empty: done.
std::string lock_kept_weights(const GgufWeightStore& weights);

}  // namespace vernal
