// Modules made up for tests: weights in memory, nodes by the builder that architectures use.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "module/builder.hpp"
#include "module/module_view.hpp"
#include "module/weight_directory.hpp"
#include "plugin/weight_store.hpp"
#include "plugin_check/cases/random_numbers.hpp"
#include "vernal/builder.hpp"

namespace vernal::check {

/// Weights by name, with their stored bytes. Immutable once a module was made of it.
class MadeWeights final : public WeightDirectory {
 public:
  MadeWeights() = default;
  MadeWeights(MadeWeights&& other) noexcept
      : WeightDirectory(), entries_(std::move(other.entries_)) {}

  /// Random weights in `format` ("f32", "ggml.q4_k/1"), about `scale` large.
  void add(const std::string& name, const Dims& dims, RandomNumbers& random, double scale = 0.3,
           std::string_view format = "f32");
  /// f32 weights with these values.
  void add_values(const std::string& name, const Dims& dims, const std::vector<float>& values);
  /// Stored bytes as they are.
  void add_bytes(const std::string& name, const Dims& dims, std::string_view format,
                 std::vector<std::byte> bytes);

  const StoredWeight* find(std::string_view name) const override;
  std::vector<std::string> names() const override;
  const std::vector<std::byte>& bytes(std::string_view name) const;

 private:
  struct Entry {
    StoredWeight stored;
    std::vector<std::byte> bytes;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

/// Random bytes that are sound blocks of a format: every value is finite and about `scale` large.
///   rows, columns   of the weight; columns a multiple of the block
std::vector<std::byte> random_blocks(std::string_view format, std::int64_t rows,
                                     std::int64_t columns, RandomNumbers& random, double scale);

/// A module with its weights; what is made from it borrows it.
struct MadeModule {
  std::shared_ptr<const Module> module;
  std::unique_ptr<ModuleView> view;
  std::shared_ptr<const MadeWeights> weights;

  /// Memory behind its table of functions is unreadable.
  vernal_module_ref ref() const;
};

/// Builds "main" with `body`; a module that is not sound is a defect of the test and throws
/// Error(INTERNAL).
MadeModule make_module(MadeWeights weights, const std::function<void(const Builder&)>& body);
/// The same module with its first node of operation `op` changed.
MadeModule change_node(const MadeModule& made, std::string_view op,
                       const std::function<void(Node&)>& change);

/// Serves the weights of a made module to a backend. A mapped weight lies in pages of its own,
/// which only can be read, and not even that after its last unmap.
class MadeStore : public plugin::WeightStore {
 public:
  explicit MadeStore(const MadeModule& made);
  ~MadeStore() override;
  void read(std::uint64_t index, std::uint64_t offset, std::span<std::byte> destination) override;
  std::span<const std::byte> map(std::uint64_t index) override;
  void unmap(std::uint64_t index) override;

 private:
  struct Lent;

  const std::vector<std::byte>& bytes_of(std::uint64_t index) const;

  std::shared_ptr<const Module> module_;
  std::shared_ptr<const MadeWeights> weights_;
  std::map<std::uint64_t, std::unique_ptr<Lent>> lent_;
  std::vector<std::unique_ptr<Lent>> taken_back_;
};

}  // namespace vernal::check
