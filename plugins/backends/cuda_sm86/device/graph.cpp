#include "device/graph.hpp"

namespace vernal::cuda_sm86 {

Graph::Graph(const Stream& stream, const std::function<void()>& put) {
  check_cuda(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
             "recording the graph of a step");
  cudaGraph_t recorded = nullptr;
  try {
    put();
  } catch (...) {
    // The capture must end before anything else can be put into the stream.
    static_cast<void>(cudaStreamEndCapture(stream.get(), &recorded));
    if (recorded != nullptr) static_cast<void>(cudaGraphDestroy(recorded));
    throw;
  }
  check_cuda(cudaStreamEndCapture(stream.get(), &recorded), "recording the graph of a step");
  cudaError_t error = cudaGraphGetNodes(recorded, nullptr, &num_nodes_);
  if (error == cudaSuccess) error = cudaGraphInstantiate(&graph_, recorded, 0);
  static_cast<void>(cudaGraphDestroy(recorded));
  check_cuda(error, "making the graph of a step");
}

Graph::~Graph() {
  if (graph_ != nullptr) static_cast<void>(cudaGraphExecDestroy(graph_));
}

}  // namespace vernal::cuda_sm86
