#include "loading/memory_lock.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "config/units.hpp"
#include "loading/memory_verdict.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kKiB = 1024;
// Number of CAP_IPC_LOCK in the masks of /proc/self/status.
constexpr unsigned kIpcLock = 14;
// What is locked is whole pages; each region of a plan takes up to two more than its bytes.
constexpr std::uint64_t kSlack = kMiB;

/// The rest of the line "NAME: REST" of /proc/self/status.
std::string status_line(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':') {
      return line.substr(name.size() + 1);
    }
  }
  return {};
}

std::uint64_t bytes_of(rlim_t limit) {
  return limit == RLIM_INFINITY ? LockLimit::kUnlimited : static_cast<std::uint64_t>(limit);
}

/// The user as limits.conf names it.
std::string user_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const uid_t id = ::geteuid();
  if (::getpwuid_r(id, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return fmt::format("{}:{}", id, id);  // a range of one id
}

std::string limit_text(std::uint64_t bytes) {
  return bytes == LockLimit::kUnlimited ? "no limit" : format_size(bytes);
}

/// Lets the process lock so many bytes more, where its hard limit allows it.
void raise_soft_limit(std::uint64_t bytes, const LockLimit& limit) {
  const std::uint64_t wanted = limit.locked_bytes + bytes;
  if (limit.is_privileged || wanted <= limit.soft_bytes) return;
  rlimit now{};
  if (::getrlimit(RLIMIT_MEMLOCK, &now) != 0) return;
  now.rlim_cur = now.rlim_max;
  ::setrlimit(RLIMIT_MEMLOCK, &now);
}

}  // namespace

bool LockLimit::allows(std::uint64_t bytes) const noexcept {
  const std::uint64_t most = std::max(soft_bytes, hard_bytes);
  if (is_privileged || most == kUnlimited) return true;
  return locked_bytes <= most && bytes <= most - locked_bytes;
}

LockLimit read_lock_limit() {
  LockLimit out;
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
    out.soft_bytes = bytes_of(limit.rlim_cur);
    out.hard_bytes = bytes_of(limit.rlim_max);
  }
  out.locked_bytes = std::strtoull(status_line("VmLck").c_str(), nullptr, 10) * kKiB;
  const std::uint64_t capabilities = std::strtoull(status_line("CapEff").c_str(), nullptr, 16);
  out.is_privileged = ((capabilities >> kIpcLock) & 1U) != 0;
  return out;
}

std::uint64_t lockable_bytes(const ResidentModel& model) {
  std::uint64_t sum = 0;
  for (const ModelSegment& segment : model.segments()) {
    const std::vector<MemoryRow> rows = segment.plan->rows();
    std::uint64_t in_place = 0;
    for (const MemoryRow& row : rows) {
      if (row.category == VERNAL_MEMORY_MAPPED_FILE) in_place += row.bytes;
    }
    const std::optional<std::uint64_t> own = segment.plan->lockable_bytes();
    if (!own && bytes_on(rows, kHostDevice) > in_place) {
      throw Error(VERNAL_UNSUPPORTED,
                  fmt::format("backend \"{}\" cannot lock its memory", segment.backend));
    }
    sum += in_place + own.value_or(0);
    if (segment.stream) sum += segment.stream->file_bytes;
  }
  return sum;
}

std::string lock_refusal(std::uint64_t bytes, const LockLimit& limit, const std::string& user) {
  const std::uint64_t wanted = (limit.locked_bytes + bytes + kMiB - 1) / kMiB * kMiB;
  return fmt::format(
      "{} have to be locked, RLIMIT_MEMLOCK is {}. One of these lines allows it:\n"
      "    LimitMEMLOCK={}            in [Service] of its systemd unit\n"
      "    {} - memlock {}            in /etc/security/limits.conf, in KiB",
      format_size(bytes), limit_text(std::max(limit.soft_bytes, limit.hard_bytes)), wanted, user,
      wanted / kKiB);
}

void require_lockable(std::span<const ResidentModel* const> models, Log& log) {
  const LockLimit limit = read_lock_limit();
  std::uint64_t sum = 0;
  for (const ResidentModel* model : models) {
    const ModelSettings& settings = model->settings();
    if (settings.lock_memory == "never") continue;
    std::string refusal;
    std::int32_t code = VERNAL_RESOURCE_EXHAUSTED;
    try {
      sum += lockable_bytes(*model) + kSlack;
      if (!limit.allows(sum)) refusal = lock_refusal(sum, limit, user_name());
    } catch (const Error& error) {
      code = error.code();
      refusal = error.what();
    }
    if (refusal.empty()) continue;
    const std::string text = fmt::format("lock_memory = \"{}\": {}", settings.lock_memory, refusal);
    if (settings.lock_memory == "required") {
      throw Error(code,
                  fmt::format("{}: [models.{}]: {}", settings.place.text(), settings.name, text));
    }
    log.warning("model " + settings.name, "{}", text);
  }
  raise_soft_limit(sum, limit);
}

std::string lock_kept_weights(const GgufWeightStore& weights) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (const std::span<const std::byte> bytes : weights.kept()) {
    const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data()) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size();
    if (::mlock(reinterpret_cast<const void*>(begin), end - begin) != 0) {
      return fmt::format("{} of the model file cannot be locked: {}", format_size(bytes.size()),
                         std::strerror(errno));
    }
  }
  return {};
}

}  // namespace vernal
