// Whether what a deployment plans has room on the devices it is planned for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loading/host_memory.hpp"
#include "loading/resident_model.hpp"

namespace vernal {

/// The name that backends give the memory of the host.
inline constexpr std::string_view kHostDevice = "cpu";

/// Host memory for what no plan counts: connections, requests and their answers.
inline constexpr std::uint64_t kRequestRoom = std::uint64_t{64} << 20;

/// A device that a plan needs more of than there is.
struct MemoryShortage {
  std::string device;        ///< "cpu": the host
  std::uint64_t needed = 0;  ///< bytes of the plan, and of the process where it is the host
  std::uint64_t own = 0;     ///< of them for the process itself: what it has, and room for requests
  std::uint64_t available = 0;    ///< bytes the process may use in all
  std::string limit_name;         ///< what `available` is, for people
  std::vector<std::string> fits;  ///< changes of the deployment, each of which is enough

  /// What is missing, on one line.
  std::string summary() const;
  /// The summary, and what would fit, a line each.
  std::string text() const;
};

/// What memory there is, and how a model is priced otherwise.
struct MemoryQuestion {
  HostMemory host;
  /// Devices other than the host, with their size in total_bytes.
  std::vector<DeviceInfo> devices;
  /// The rows of a model with other settings. Throws Error where those are refused.
  std::function<std::vector<MemoryRow>(const ModelSettings&)> price;
};

/// The first device whose planned rows, summed over the models, exceed it, and for each key of the
/// largest model that is able to mend it the value nearest to the deployment's own. Nothing: it
/// fits, or the size of the device is not known. Control thread.
std::optional<MemoryShortage> find_memory_shortage(std::span<const ResidentModel* const> models,
                                                   const MemoryQuestion& question);

/// The greatest context_length of `model` with which all of them fit, in steps of 256 tokens up to what
/// its file was trained for. Its slots stay; kv_tokens that are too few for it count as left out.
/// Nothing: none fits, or the size of a device is not known. Control thread.
std::optional<std::uint64_t> find_largest_context(std::span<const ResidentModel* const> models,
                                                  const ResidentModel& model,
                                                  const MemoryQuestion& question);

/// Bytes of the rows on one device.
std::uint64_t bytes_on(std::span<const MemoryRow> rows, std::string_view device);

}  // namespace vernal
