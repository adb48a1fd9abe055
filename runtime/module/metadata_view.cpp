#include "module/metadata_view.hpp"

#include <algorithm>

#include "module/status_guard.hpp"
#include "vernal/tables.hpp"

namespace vernal {
namespace {

const MetadataView& self(const vernal_metadata* metadata) {
  return *reinterpret_cast<const MetadataView*>(metadata);
}

/// Stores what `read` finds in *out. NOT_FOUND if it finds nothing.
template <class Out, class Read>
std::int32_t answer(Out* out, Read&& read) noexcept {
  return status_guard([&]() -> std::int32_t {
    const auto value = read();
    if (!value) return VERNAL_NOT_FOUND;
    *out = static_cast<Out>(*value);
    return VERNAL_OK;
  });
}

std::int32_t get_int(const vernal_metadata* m, vernal_str key, std::int64_t* out) noexcept {
  return answer(out, [&] { return self(m).metadata().find_integer(view(key)); });
}
std::int32_t get_float(const vernal_metadata* m, vernal_str key, double* out) noexcept {
  return answer(out, [&] { return self(m).metadata().find_float(view(key)); });
}
std::int32_t get_bool(const vernal_metadata* m, vernal_str key, std::uint32_t* out) noexcept {
  return answer(out, [&] { return self(m).metadata().find_bool(view(key)); });
}
std::int32_t get_string(const vernal_metadata* m, vernal_str key, vernal_str* out) noexcept {
  return status_guard([&]() -> std::int32_t {
    const auto value = self(m).metadata().find_string(view(key));
    if (!value) return VERNAL_NOT_FOUND;
    *out = to_str(*value);
    return VERNAL_OK;
  });
}
std::int32_t array_size(const vernal_metadata* m, vernal_str key, std::uint64_t* out) noexcept {
  return answer(out, [&] { return self(m).metadata().find_array(view(key)); });
}
std::int32_t array_int(const vernal_metadata* m, vernal_str key, std::uint64_t index,
                       std::int64_t* out) noexcept {
  return answer(out, [&] { return self(m).metadata().find_array_integer(view(key), index); });
}
std::int32_t array_float(const vernal_metadata* m, vernal_str key, std::uint64_t index,
                         double* out) noexcept {
  return answer(out, [&] { return self(m).metadata().find_array_float(view(key), index); });
}

std::int32_t tensor(const vernal_metadata* m, vernal_str name, vernal_weight_view* out) noexcept {
  return status_guard([&]() -> std::int32_t {
    const StoredWeight* stored = self(m).weights().find(view(name));
    if (stored == nullptr) return VERNAL_NOT_FOUND;
    vernal_weight_view mine{};
    mine.name = name;
    mine.format = to_str(stored->format);
    std::copy(stored->shape.dims.begin(), stored->shape.dims.end(), mine.dims);
    mine.rank = stored->shape.rank;
    mine.bytes = stored->bytes;
    copy_out(mine, out);
    return VERNAL_OK;
  });
}

constexpr vernal_metadata_api kMetadataTable = {sizeof(vernal_metadata_api),
                                                get_int,
                                                get_float,
                                                get_bool,
                                                get_string,
                                                array_size,
                                                array_int,
                                                array_float,
                                                tensor};

}  // namespace

vernal_metadata_ref MetadataView::ref() const noexcept {
  return {&kMetadataTable, reinterpret_cast<const vernal_metadata*>(this)};
}

}  // namespace vernal
