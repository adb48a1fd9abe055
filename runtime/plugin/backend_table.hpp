// What all objects of backend_client.hpp and backend_pool.hpp have: the table of their backend, and
// a handle.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vernal/abi/backend.h"

namespace vernal::plugin {

/// The function table of a backend and the name of an instance, "backend cpu". All objects of an
/// instance share it.
struct BackendTable {
  vernal_backend_api api;
  std::string name;

  /// Throws Error with the backend's text if `status` is not OK. `what` names the call.
  void check(std::int32_t status, std::string_view what) const;
  /// Throws Error(INTERNAL), which says that the call `what` answered OK and null.
  [[noreturn]] void refuse_null(std::string_view what) const;
};

/// Owns a handle, and destroys it with a function of its table.
template <class Handle>
class OwnedHandle {
 public:
  using Destroy = void (*)(Handle*);
  OwnedHandle() = default;
  OwnedHandle(Handle* handle, Destroy destroy) : handle_(handle, destroy) {}
  Handle* get() const noexcept { return handle_.get(); }
  void reset() noexcept { handle_.reset(); }

 private:
  std::unique_ptr<Handle, Destroy> handle_{nullptr, nullptr};
};

/// Returns `handle`, which the call `what` made.
/// Errors   INTERNAL: it is null
template <class Handle>
Handle* require_made(Handle* handle, const BackendTable& table, std::string_view what) {
  if (handle == nullptr) table.refuse_null(what);
  return handle;
}

/// A struct of the interface in which only struct_size is set.
template <class Struct>
Struct sized() {
  Struct out{};
  out.struct_size = sizeof(Struct);
  return out;
}

}  // namespace vernal::plugin
