// The runtime's functions about captures and graphs.

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "emulator/counters.hpp"
#include "emulator/device.hpp"
#include "emulator/include/cuda_runtime_api.h"

namespace vernal::cuda_sm86::emulator {

// A function of the C language is the same in each namespace.
extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return answer([&](Device& shared) {
    CUstream_st& queue = shared.stream(stream);
    if (stream == nullptr) {
      throw Refusal{cudaErrorStreamCaptureUnsupported, "the default stream cannot be captured"};
    }
    if (queue.capture != nullptr) {
      throw Refusal{cudaErrorIllegalState, "cudaStreamBeginCapture() in a capture"};
    }
    queue.capture = std::make_shared<Capture>();
    queue.capture->mode = mode;
    queue.capture->thread = std::this_thread::get_id();
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return answer([&](Device& shared) {
    const CUstream_st& queue = shared.stream(stream);
    *status = cudaStreamCaptureStatusNone;
    if (queue.capture != nullptr) {
      *status = queue.capture->is_invalid ? cudaStreamCaptureStatusInvalidated
                                          : cudaStreamCaptureStatusActive;
    }
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* recorded) {
  return answer([&](Device& shared) {
    CUstream_st& queue = shared.stream(stream);
    *recorded = nullptr;
    if (queue.capture == nullptr) {
      throw Refusal{cudaErrorIllegalState, "cudaStreamEndCapture() of a stream without a capture"};
    }
    if (queue.capture->mode != cudaStreamCaptureModeRelaxed &&
        queue.capture->thread != std::this_thread::get_id()) {
      return cudaErrorStreamCaptureWrongThread;
    }
    const std::shared_ptr<Capture> capture = std::exchange(queue.capture, nullptr);
    if (capture->is_invalid) {
      return cudaErrorStreamCaptureInvalidated;
    }
    *recorded = shared.add_graph();
    for (Action& action : capture->actions) {
      (*recorded)->nodes.push_back(std::make_unique<CUgraphNode_st>());
      (*recorded)->nodes.back()->run = std::move(action);
    }
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph,
                                 unsigned long long flags) {
  return answer([&](Device& shared) {
    const CUgraph_st& source = shared.graph(graph);
    if (flags != 0) {
      throw Refusal{cudaErrorNotSupported, "cudaGraphInstantiate() knows no flags"};
    }
    *made = shared.add_executable();
    for (const auto& node : source.nodes) {
      (*made)->actions.push_back(node->run);
    }
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  return answer([&](Device& shared) {
    CUstream_st& queue = shared.stream(stream);
    const CUgraphExec_st& source = shared.executable(graph);
    const auto count = [] { ++counters_in_kernel.graph_launches; };
    shared.put(queue, {.run = count, .after = nullptr});
    for (const Action& action : source.actions) {
      shared.put(queue, {.run = action, .after = nullptr});
    }
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* num_nodes) {
  return answer([&](Device& shared) {
    const CUgraph_st& source = shared.graph(graph);
    if (nodes == nullptr) {
      *num_nodes = source.nodes.size();
      return cudaSuccess;
    }
    const std::size_t count = std::min(*num_nodes, source.nodes.size());
    for (std::size_t i = 0; i < count; ++i) {
      nodes[i] = source.nodes[i].get();
    }
    std::fill(nodes + count, nodes + *num_nodes, nullptr);
    *num_nodes = count;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return answer([&](Device& shared) {
    shared.remove(graph);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return answer([&](Device& shared) {
    shared.remove(executable);
    return cudaSuccess;
  });
}

}  // extern "C"

}  // namespace vernal::cuda_sm86::emulator
