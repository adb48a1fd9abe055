// Stagings: no piece is overwritten before it has been copied and used, though nothing in the streams
// runs before somebody waits for it, and then copies or uses run first.
#include "device/stagings.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <memory>
#include <vector>

#include "emulator_fixture.hpp"

namespace vernal::cuda_sm86 {
namespace {

using ::testing::Each;

constexpr std::int64_t kBytes = 64;
constexpr int kMostPieces = 8;

class StagingsOfTwoStreams : public EmulatorTest {
 protected:
  void SetUp() override {
    EmulatorTest::SetUp();
    copies_ = std::make_unique<Stream>();
    uses_ = std::make_unique<Stream>();
    stagings_ = std::make_unique<Stagings>(*copies_, *uses_, kBytes);
    used_ = Buffer(MemoryPlace::kPinned, kMostPieces * kBytes, "what was used");
  }
  void TearDown() override {
    used_ = Buffer();
    stagings_.reset();
    uses_.reset();
    copies_.reset();
    EmulatorTest::TearDown();
  }

  /// Puts in a piece whose bytes are all `number`.
  void put(int number) {
    stagings_->put(kBytes, [&](std::byte* pinned) { std::memset(pinned, number, kBytes); });
  }
  /// Takes a piece and has it copied to place `number`.
  void take(int number) {
    stagings_->take([&](const std::byte* copy) {
      return cudaMemcpyAsync(used_.data() + number * kBytes, copy, kBytes, cudaMemcpyDeviceToHost,
                             uses_->get());
    });
  }
  /// What was taken as that number, after uses_->wait().
  std::vector<int> taken(int number) const {
    const auto* const begin = used_.as<const unsigned char>(number * kBytes);
    return {begin, begin + kBytes};
  }

  std::unique_ptr<Stream> copies_;
  std::unique_ptr<Stream> uses_;
  std::unique_ptr<Stagings> stagings_;
  Buffer used_;
};

TEST_F(StagingsOfTwoStreams, GivePiecesInTheirOrder) {
  put(0);
  for (int i = 0; i < kMostPieces; ++i) {
    if (i + 1 < kMostPieces) put(i + 1);
    EXPECT_EQ(stagings_->is_full(), i + 1 < kMostPieces);
    take(i);
  }
  uses_->wait();
  for (int i = 0; i < kMostPieces; ++i) EXPECT_THAT(taken(i), Each(i));
}

TEST_F(StagingsOfTwoStreams, KeepAPieceUntilItIsUsed) {
  put(0);
  put(1);
  take(0);
  put(2);
  take(1);
  put(3);
  copies_->wait();  // as if the device did its copies long before its products
  uses_->wait();
  EXPECT_THAT(taken(0), Each(0));
  EXPECT_THAT(taken(1), Each(1));
}

TEST_F(StagingsOfTwoStreams, ForgetWhatIsDropped) {
  put(0);
  put(1);
  stagings_->drop();
  put(2);
  put(3);
  take(0);
  take(1);
  uses_->wait();
  EXPECT_THAT(taken(0), Each(2));
  EXPECT_THAT(taken(1), Each(3));
}

TEST_F(StagingsOfTwoStreams, SayWhatTheyTake) {
  EXPECT_EQ(stagings_->pinned_bytes(), 2 * kBytes);
  EXPECT_EQ(stagings_->device_bytes(), 2 * kBytes);
}

}  // namespace
}  // namespace vernal::cuda_sm86
