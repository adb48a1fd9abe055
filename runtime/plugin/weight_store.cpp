#include "plugin/weight_store.hpp"

#include "vernal/host.hpp"

namespace vernal::plugin {
namespace {

WeightStore& store(void* user) { return *static_cast<WeightStore*>(user); }

}  // namespace

vernal_weight_source weight_source(WeightStore& weights) {
  vernal_weight_source source{};
  source.struct_size = sizeof(source);
  source.user = &weights;
  source.read = [](void* user, std::uint64_t index, std::uint64_t offset, std::uint64_t size,
                   void* destination) noexcept -> std::int32_t {
    return guard([&] {
      store(user).read(index, offset, {static_cast<std::byte*>(destination), size});
    });
  };
  source.map = [](void* user, std::uint64_t index, const void** out_data,
                  std::uint64_t* out_bytes) noexcept -> std::int32_t {
    return guard([&] {
      const std::span<const std::byte> bytes = store(user).map(index);
      *out_data = bytes.data();
      *out_bytes = bytes.size();
    });
  };
  source.unmap = [](void* user, std::uint64_t index) noexcept -> std::int32_t {
    return guard([&] { store(user).unmap(index); });
  };
  source.release = [](void* user, std::uint64_t index, std::uint64_t offset,
                      std::uint64_t size) noexcept -> std::int32_t {
    return guard([&] { store(user).release(index, offset, size); });
  };
  return source;
}

}  // namespace vernal::plugin
