// The launches of a step, recorded once and put into a stream as one.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <utility>

#include "device/stream.hpp"

namespace vernal::cuda_sm86 {

/// Launches with the parameters that they had when they were recorded.
class Graph {
 public:
  Graph() = default;
  /// Records what `put` puts into the stream. Nothing of it runs.
  /// Errors  those of `put`; INTERNAL: it did what cannot be recorded
  Graph(const Stream& stream, const std::function<void()>& put);
  Graph(Graph&& other) noexcept { swap(other); }
  Graph& operator=(Graph&& other) noexcept {
    swap(other);
    return *this;
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph();

  /// Puts all of it into the stream.
  void launch(const Stream& stream) const {
    check_cuda(cudaGraphLaunch(graph_, stream.get()), "launching the graph of a step");
  }
  /// How many launches it has.
  std::size_t num_nodes() const { return num_nodes_; }

 private:
  void swap(Graph& other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(num_nodes_, other.num_nodes_);
  }

  cudaGraphExec_t graph_ = nullptr;
  std::size_t num_nodes_ = 0;
};

}  // namespace vernal::cuda_sm86
