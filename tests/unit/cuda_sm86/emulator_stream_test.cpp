// Streams, events and graphs of the emulator: work runs as late as it may, so that what a program
// forgets to wait for is found.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include "emulator_fixture.hpp"
#include "sample_kernels.hpp"

namespace vernal::cuda_sm86 {
namespace {

using ::testing::Each;

constexpr std::size_t kCount = 300;
constexpr std::size_t kBytes = kCount * sizeof(float);

class EmulatorStreams : public EmulatorTest {
 protected:
  void SetUp() override {
    EmulatorTest::SetUp();
    EXPECT_EQ(cudaStreamCreateWithFlags(&other_, cudaStreamNonBlocking), cudaSuccess);
    EXPECT_EQ(cudaEventCreateWithFlags(&event_, cudaEventDefault), cudaSuccess);
    values_ = device_array(std::vector<float>(kCount, 1.0F));
    result_ = device_array<float>(kCount);
    pinned_ = pinned_array<float>(kCount);
  }

  cudaError_t add(cudaStream_t stream, const float* from, float* to) {
    return sample_add(stream, from, to, static_cast<int>(kCount), 1.0F);
  }
  cudaError_t read_back(cudaStream_t stream, const float* from) {
    return cudaMemcpyAsync(pinned_, from, kBytes, cudaMemcpyDeviceToHost, stream);
  }
  std::vector<float> pinned() const { return {pinned_, pinned_ + kCount}; }

  cudaStream_t other_ = nullptr;
  cudaEvent_t event_ = nullptr;
  float* values_ = nullptr;
  float* result_ = nullptr;
  float* pinned_ = nullptr;
};

TEST_F(EmulatorStreams, RunNothingBeforeSomebodyWaits) {
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  ASSERT_EQ(read_back(stream_, result_), cudaSuccess);
  EXPECT_EQ(emulator::counters().kernels, 0U);
  EXPECT_TRUE(std::isnan(pinned_[0]));
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_THAT(pinned(), Each(2.0F));
}

TEST_F(EmulatorStreams, RunALittleWhenSomebodyAsks) {
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  ASSERT_EQ(read_back(stream_, result_), cudaSuccess);
  EXPECT_EQ(cudaStreamQuery(stream_), cudaErrorNotReady);
  EXPECT_EQ(emulator::counters().kernels, 1U);
  EXPECT_TRUE(std::isnan(pinned_[0]));
  EXPECT_EQ(cudaStreamQuery(stream_), cudaSuccess);
  EXPECT_THAT(pinned(), Each(2.0F));
}

TEST_F(EmulatorStreams, AnEventIsReachedByAsking) {
  EXPECT_EQ(cudaEventQuery(event_), cudaSuccess) << "never recorded";
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(event_), cudaErrorNotReady);
  EXPECT_EQ(cudaEventQuery(event_), cudaSuccess);
  EXPECT_EQ(emulator::counters().kernels, 1U) << "what comes behind the event has not run";
}

TEST_F(EmulatorStreams, WaitingForAnEventRunsWhatItNeedsAndNoMore) {
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  ASSERT_EQ(add(stream_, values_, values_), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(other_, event_), cudaSuccess);
  ASSERT_EQ(read_back(other_, result_), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(other_), cudaSuccess);
  EXPECT_THAT(pinned(), Each(2.0F));
  EXPECT_EQ(emulator::counters().kernels, 1U);
}

TEST_F(EmulatorStreams, AMissingEventWaitBetweenStreamsIsFound) {
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  ASSERT_EQ(read_back(other_, result_), cudaSuccess);  // does not wait for the event
  ASSERT_EQ(cudaStreamSynchronize(other_), cudaSuccess);
  EXPECT_TRUE(std::isnan(pinned_[0]));
}

TEST_F(EmulatorStreams, AWaitIsForTheRecordBeforeItAndForNoLaterOne) {
  ASSERT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(other_, event_), cudaSuccess);
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  ASSERT_EQ(read_back(other_, result_), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(other_), cudaSuccess);
  EXPECT_EQ(emulator::counters().kernels, 0U);
  ASSERT_EQ(cudaEventSynchronize(event_), cudaSuccess);
  EXPECT_EQ(emulator::counters().kernels, 1U);
}

TEST_F(EmulatorStreams, APinnedBufferThatIsReusedTooEarlyIsFound) {
  for (const bool waits : {true, false}) {
    std::fill_n(pinned_, kCount, 5.0F);
    ASSERT_EQ(cudaMemcpyAsync(values_, pinned_, kBytes, cudaMemcpyHostToDevice, stream_),
              cudaSuccess);
    if (waits) {
      ASSERT_EQ(wait(), cudaSuccess);
    }
    std::fill_n(pinned_, kCount, 6.0F);
    ASSERT_EQ(wait(), cudaSuccess);
    EXPECT_THAT(host_copy(values_, kCount), Each(waits ? 5.0F : 6.0F));
  }
}

TEST_F(EmulatorStreams, APinnedBufferThatIsFilledTooLateIsFoundByEagerStreams) {
  std::fill_n(pinned_, kCount, 5.0F);
  emulator::set_pace(emulator::Pace::kEager);
  ASSERT_EQ(cudaMemcpyAsync(values_, pinned_, kBytes, cudaMemcpyHostToDevice, stream_),
            cudaSuccess);
  std::fill_n(pinned_, kCount, 6.0F);
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_THAT(host_copy(values_, kCount), Each(5.0F));
}

TEST_F(EmulatorStreams, PageableMemoryIsReadAndWrittenDuringTheCall) {
  std::vector<float> host(kCount, 5.0F);
  ASSERT_EQ(cudaMemcpyAsync(values_, host.data(), kBytes, cudaMemcpyHostToDevice, stream_),
            cudaSuccess);
  std::fill(host.begin(), host.end(), 6.0F);
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(host.data(), result_, kBytes, cudaMemcpyDeviceToHost, stream_),
            cudaSuccess);
  EXPECT_THAT(host, Each(6.0F));  // 5 + 1
  EXPECT_EQ(emulator::counters().kernels, 1U);
}

TEST_F(EmulatorStreams, ABlockingCopyWaitsForNoOtherStream) {
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  EXPECT_TRUE(std::isnan(host_copy(result_, 1)[0]));
  ASSERT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(host_copy(result_, 1)[0], 2.0F);
}

TEST_F(EmulatorStreams, FreeingMemoryEndsTheWorkThatMayUseIt) {
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  EXPECT_EQ(cudaFree(values_), cudaSuccess);
  EXPECT_EQ(emulator::counters().kernels, 1U);
  EXPECT_EQ(host_copy(result_, 1)[0], 2.0F);
}

TEST_F(EmulatorStreams, EventsMeasureTime) {
  cudaEvent_t end = nullptr;
  float ms = -1.0F;
  ASSERT_EQ(cudaEventCreateWithFlags(&end, cudaEventDefault), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(end, stream_), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&ms, event_, end), cudaErrorNotReady);
  ASSERT_EQ(cudaEventSynchronize(end), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&ms, event_, end), cudaSuccess);
  EXPECT_GT(ms, 0.0F);
}

TEST_F(EmulatorStreams, HandlesThatAreGoneAreRefused) {
  ASSERT_EQ(cudaStreamDestroy(other_), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(other_), cudaErrorInvalidResourceHandle);
  ASSERT_EQ(cudaEventDestroy(event_), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(event_, stream_), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamCreateWithFlags(&other_, cudaStreamDefault), cudaErrorNotSupported);
}

TEST_F(EmulatorStreams, TwoThreadsUseTwoStreams) {
  const auto work = [&](cudaStream_t stream, float* to) {
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(add(stream, i == 0 ? values_ : to, to), cudaSuccess);
      EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    }
  };
  auto* const second = device_array<float>(kCount);
  std::thread thread([&] { work(other_, second); });
  work(stream_, result_);
  thread.join();
  EXPECT_THAT(host_copy(result_, kCount), Each(51.0F));
  EXPECT_THAT(host_copy(second, kCount), Each(51.0F));
}

// ---- graphs

/// A graph that adds 1 to all numbers, twice, and copies them to pinned memory.
class EmulatorGraphs : public EmulatorStreams {
 protected:
  void begin(cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal) {
    ASSERT_EQ(cudaStreamBeginCapture(stream_, mode), cudaSuccess);
  }

  cudaGraphExec_t record() {
    begin();
    EXPECT_EQ(add(stream_, values_, result_), cudaSuccess);
    EXPECT_EQ(add(stream_, result_, values_), cudaSuccess);
    EXPECT_EQ(read_back(stream_, values_), cudaSuccess);
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph_), cudaSuccess);
    cudaGraphExec_t executable = nullptr;
    EXPECT_EQ(cudaGraphInstantiate(&executable, graph_, 0), cudaSuccess);
    return executable;
  }

  // The capture is over, and was in vain.
  void expect_invalid() {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    EXPECT_EQ(cudaStreamIsCapturing(stream_, &status), cudaSuccess);
    EXPECT_EQ(status, cudaStreamCaptureStatusInvalidated);
    EXPECT_EQ(add(stream_, values_, result_), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph_), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph_, nullptr);
    EXPECT_EQ(wait(), cudaSuccess);
  }

  cudaGraph_t graph_ = nullptr;
};

TEST_F(EmulatorGraphs, ReplayWhatWasRecorded) {
  const cudaGraphExec_t executable = record();
  EXPECT_EQ(wait(), cudaSuccess);
  EXPECT_EQ(emulator::counters().kernels, 0U) << "recording runs nothing";
  for (int launch = 1; launch <= 3; ++launch) {
    ASSERT_EQ(cudaGraphLaunch(executable, stream_), cudaSuccess);
    ASSERT_EQ(wait(), cudaSuccess);
    EXPECT_THAT(pinned(), Each(1.0F + 2.0F * static_cast<float>(launch)));
  }
  EXPECT_EQ(emulator::counters().kernels, 6U);
  EXPECT_EQ(emulator::counters().graph_launches, 3U);
}

TEST_F(EmulatorGraphs, RunAfterTheirSourceIsGone) {
  const cudaGraphExec_t executable = record();
  std::size_t count = 0;
  ASSERT_EQ(cudaGraphGetNodes(graph_, nullptr, &count), cudaSuccess);
  EXPECT_EQ(count, 3U);
  std::vector<cudaGraphNode_t> nodes(4);
  count = nodes.size();
  ASSERT_EQ(cudaGraphGetNodes(graph_, nodes.data(), &count), cudaSuccess);
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(nodes[3], nullptr);
  ASSERT_EQ(cudaGraphDestroy(graph_), cudaSuccess);
  ASSERT_EQ(cudaGraphLaunch(executable, other_), cudaSuccess);
  ASSERT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(other_), cudaSuccess);
  EXPECT_THAT(pinned(), Each(3.0F));
}

TEST_F(EmulatorGraphs, WaitingDuringACaptureInvalidatesIt) {
  begin(cudaStreamCaptureModeRelaxed);
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  EXPECT_EQ(wait(), cudaErrorStreamCaptureUnsupported);
  expect_invalid();
}

TEST_F(EmulatorGraphs, AllocatingDuringACaptureInvalidatesIt) {
  begin();
  void* at = nullptr;
  EXPECT_EQ(cudaMalloc(&at, 16), cudaErrorStreamCaptureUnsupported);
  expect_invalid();
}

TEST_F(EmulatorGraphs, PageableMemoryInACaptureInvalidatesIt) {
  begin();
  std::vector<float> host(kCount);
  EXPECT_EQ(cudaMemcpyAsync(values_, host.data(), kBytes, cudaMemcpyHostToDevice, stream_),
            cudaErrorStreamCaptureUnsupported);
  expect_invalid();
}

TEST_F(EmulatorGraphs, AnEventFromOutsideInACaptureInvalidatesIt) {
  ASSERT_EQ(cudaEventRecord(event_, other_), cudaSuccess);
  begin();
  EXPECT_EQ(cudaStreamWaitEvent(stream_, event_), cudaErrorStreamCaptureIsolation);
  expect_invalid();
}

TEST_F(EmulatorGraphs, AnEventOfACaptureIsNoMoment) {
  begin();
  ASSERT_EQ(add(stream_, values_, result_), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(event_, stream_), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(stream_, event_), cudaSuccess);
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph_), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(event_), cudaErrorCapturedEvent);
}

TEST_F(EmulatorGraphs, TheModeSaysWhomACaptureConcerns) {
  begin(cudaStreamCaptureModeThreadLocal);
  std::thread([&] { EXPECT_EQ(cudaStreamSynchronize(other_), cudaSuccess); }).join();
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph_), cudaSuccess);

  begin(cudaStreamCaptureModeGlobal);
  std::thread([&] {
    EXPECT_EQ(cudaStreamSynchronize(other_), cudaErrorStreamCaptureUnsupported);
  }).join();
  expect_invalid();

  begin(cudaStreamCaptureModeRelaxed);
  EXPECT_EQ(cudaStreamSynchronize(other_), cudaSuccess);
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph_), cudaSuccess);
}

}  // namespace
}  // namespace vernal::cuda_sm86
