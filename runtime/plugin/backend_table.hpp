// What every object of backend_client.hpp and backend_pool.hpp has: the table of its backend, and a
// handle.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "vernal/abi/backend.h"

namespace vernal::plugin {

/// A table and the name of the instance it is used for, "backend cpu"; shared by all objects of an
/// instance.
struct BackendTable {
  vernal_backend_api api;
  std::string name;

  /// Throws Error with the backend's text if `status` is not OK. `what` is the failed call.
  void check(std::int32_t status, std::string_view what) const;
  /// Throws Error(INTERNAL): `what` answered OK and null.
  [[noreturn]] void refuse_null(std::string_view what) const;
};

/// A unique handle that its own table destroys.
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

/// The made object. Error INTERNAL: a backend says OK and hands over nothing.
template <class Handle>
Handle* require_made(Handle* handle, const BackendTable& table, std::string_view what) {
  if (handle == nullptr) table.refuse_null(what);
  return handle;
}

/// A struct of the interface, empty but for its size.
template <class Struct>
Struct sized() {
  Struct out{};
  out.struct_size = sizeof(Struct);
  return out;
}

}  // namespace vernal::plugin
