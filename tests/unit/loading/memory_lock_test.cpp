// How much may be locked, and what an operator is told to allow more.
#include "loading/memory_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vernal {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

TEST(LockLimit, CountsWhatIsLockedAlready) {
  const LockLimit limit{8 * kMiB, 8 * kMiB, 5 * kMiB, false};
  EXPECT_TRUE(limit.allows(3 * kMiB));
  EXPECT_FALSE(limit.allows(3 * kMiB + 1));
  EXPECT_FALSE((LockLimit{8 * kMiB, 8 * kMiB, 9 * kMiB, false}).allows(1));
}

TEST(LockLimit, MayBeRaisedToTheHardLimit) {
  EXPECT_TRUE((LockLimit{8 * kMiB, 64 * kMiB, 0, false}).allows(64 * kMiB));
  EXPECT_FALSE((LockLimit{8 * kMiB, 64 * kMiB, 0, false}).allows(64 * kMiB + 1));
  EXPECT_TRUE((LockLimit{0, LockLimit::kUnlimited, 0, false}).allows(~std::uint64_t{0}));
}

TEST(LockLimit, DoesNotCountForThePrivileged) {
  EXPECT_TRUE((LockLimit{0, 0, 0, true}).allows(kMiB));
}

TEST(LockRefusal, HasTheLinesThatAllowIt) {
  const std::string text = lock_refusal(100 * kMiB + 1, {8 * kMiB, 8 * kMiB, 0, false}, "vernal");
  EXPECT_THAT(text, HasSubstr("RLIMIT_MEMLOCK is 8.00 MiB"));
  EXPECT_THAT(text, HasSubstr("LimitMEMLOCK=105906176 "));
  EXPECT_THAT(text, HasSubstr("vernal - memlock 103424 "));
}

}  // namespace
}  // namespace vernal
