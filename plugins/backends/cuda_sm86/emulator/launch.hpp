// Puts kernels into streams.
#pragma once

#include <functional>
#include <source_location>
#include <tuple>
#include <type_traits>

#include "emulator/include/cuda_runtime_api.h"
#include "emulator/warp.hpp"

namespace vernal::cuda_sm86::emulator {

/// A stream, and the place of the launch in the source. A template with a pack cannot have an
/// argument for the place, so the conversion from a stream finds it.
struct LaunchStream {
  LaunchStream(cudaStream_t to, Place from = Place::current()) : stream(to), place(from) {}

  cudaStream_t stream;
  Place place;
};

/// A launch with the values that its parameters had.
struct Launch {
  dim3 grid;
  dim3 block;
  std::function<void()> body;      ///< what each thread runs
  const void* kernel = nullptr;    ///< the function, to find its name
  Place place = Place::current();  ///< where it was launched
};

/// Errors  cudaErrorInvalidConfiguration: a size is 0 or more than the device allows;
///         those of a stream
cudaError_t put_launch(cudaStream_t stream, Launch launch);
/// Errors  cudaErrorInvalidValue: `argument` is neither null nor an address that the device reaches
cudaError_t check_pointer(const void* argument, const LaunchStream& stream);

template <class Parameter>
cudaError_t check_parameter(const Parameter& argument, const LaunchStream& stream) {
  if constexpr (std::is_pointer_v<Parameter> &&
                std::is_object_v<std::remove_pointer_t<Parameter>>) {
    return check_pointer(argument, stream);
  } else {
    return cudaSuccess;
  }
}

/// Puts a kernel into a stream; see kernels/device.hpp. Pointers among the arguments are checked;
/// pointers within structures are not.
template <class... Parameters, class... Arguments>
cudaError_t launch(LaunchStream stream, dim3 grid, dim3 block, void (*kernel)(Parameters...),
                   const Arguments&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments));
  static_assert((std::is_trivially_copyable_v<Parameters> && ...),
                "CUDA copies parameters byte by byte");
  static_assert(!(std::is_reference_v<Parameters> || ...),
                "the device cannot reach host variables");
  const std::tuple<std::remove_cv_t<Parameters>...> values(arguments...);
  cudaError_t error = cudaSuccess;
  std::apply(
      [&](const auto&... value) {
        ((error = error == cudaSuccess ? check_parameter(value, stream) : error), ...);
      },
      values);
  if (error != cudaSuccess) {
    return error;
  }
  return put_launch(stream.stream, {.grid = grid,
                                    .block = block,
                                    .body = [kernel, values] { std::apply(kernel, values); },
                                    .kernel = reinterpret_cast<const void*>(kernel),
                                    .place = stream.place});
}

}  // namespace vernal::cuda_sm86::emulator
