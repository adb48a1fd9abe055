#include "plugin/core_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <thread>

#include "vernal/host.hpp"

namespace vernal::plugin {
namespace {

using ::testing::HasSubstr;

struct SomeExtension {
  std::uint64_t struct_size;
  std::uint64_t answer;
};

/// The functions of the core's host, to change some.
const vernal_host_api* plugin_host_table() {
  static std::ostringstream out;
  static Log log(LogLevel::kInfo, out);
  static const CoreHost host(log);
  return host.api();
}

class CoreHostTest : public ::testing::Test {
 protected:
  std::ostringstream out_;
  Log log_{LogLevel::kInfo, out_};
  CoreHost core_{log_};
  Host plugin_side_{core_.handle(), core_.api()};  // what a plugin holds
};

TEST_F(CoreHostTest, WritesPluginsLinesToTheLog) {
  plugin_side_.log(VERNAL_LOG_WARNING, "cpu", "slow");
  EXPECT_THAT(out_.str(), HasSubstr("warning cpu: slow"));
  core_.api()->log(core_.handle(), VERNAL_LOG_ERROR, to_str("cpu"), to_str("pool.cpp"), 12,
                   to_str("bad"));
  EXPECT_THAT(out_.str(), HasSubstr("error cpu: bad (pool.cpp:12)"));
  core_.api()->log(core_.handle(), 900, to_str("cpu"), to_str(""), 0, to_str("unknown level"));
  EXPECT_THAT(out_.str(), HasSubstr("error cpu: unknown level"));
}

TEST_F(CoreHostTest, TellsTheLevelThatIsWritten) {
  EXPECT_EQ(plugin_side_.log_level(), VERNAL_LOG_INFO);
  log_.set_level(LogLevel::kOff);
  EXPECT_EQ(plugin_side_.log_level(), VERNAL_LOG_OFF);
}

TEST_F(CoreHostTest, KeepsErrorTextsPerThread) {
  plugin_side_.set_error(VERNAL_INTERNAL, "mine");
  std::thread([&] {
    EXPECT_EQ(plugin_side_.last_error(), "");
    plugin_side_.set_error(VERNAL_INTERNAL, "other");
  }).join();
  EXPECT_EQ(plugin_side_.last_error(), "mine");
  plugin_side_.set_error(VERNAL_OK, {});
}

TEST_F(CoreHostTest, KeepsErrorTextsOfAnyLength) {
  for (const std::size_t size : {1UL, 999UL, 1000UL, 1001UL, 100'000UL, 5UL, 1001UL}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    plugin_side_.set_error(VERNAL_INTERNAL, text);
    EXPECT_EQ(plugin_side_.last_error(), text);
    plugin_side_.set_error(VERNAL_INTERNAL, plugin_side_.last_error());
    EXPECT_EQ(plugin_side_.last_error(), text);
  }
  plugin_side_.set_error(VERNAL_OK, {});
  EXPECT_EQ(plugin_side_.last_error(), "");
}

TEST_F(CoreHostTest, GivesTheCoreThePluginsTextOnce) {
  plugin_side_.set_error(VERNAL_UNSUPPORTED, "no iq1_s");
  try {
    plugin_host().check(VERNAL_UNSUPPORTED, "backend cpu");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "backend cpu: no iq1_s");
    EXPECT_EQ(error.code(), VERNAL_UNSUPPORTED);
  }
  EXPECT_THROW(
      {
        try {
          plugin_host().check(VERNAL_INTERNAL, "backend cpu");
        } catch (const Error& error) {
          EXPECT_STREQ(error.what(), "backend cpu: INTERNAL");
          throw;
        }
      },
      Error);
}

TEST_F(CoreHostTest, BoundsTextsThatLie) {
  core_.api()->set_error(core_.handle(), VERNAL_INTERNAL, {nullptr, 5000});
  EXPECT_EQ(plugin_side_.last_error(), "INTERNAL");
  core_.api()->set_error(core_.handle(), VERNAL_OK, {nullptr, 0});
  EXPECT_EQ(plugin_side_.last_error(), "");
}

TEST_F(CoreHostTest, KnowsTheThreadsRole) {
  const auto role = [&] {
    std::uint32_t role = 99;
    core_.api()->thread_role(core_.handle(), &role);
    return role;
  };
  EXPECT_EQ(role(), VERNAL_ROLE_UNKNOWN);
  {
    const ScopedThreadRole control(VERNAL_ROLE_CONTROL);
    EXPECT_EQ(role(), VERNAL_ROLE_CONTROL);
    {
      const ScopedThreadRole engine(VERNAL_ROLE_ENGINE);
      EXPECT_EQ(role(), VERNAL_ROLE_ENGINE);
    }
    EXPECT_EQ(role(), VERNAL_ROLE_CONTROL);
    std::thread([&] { EXPECT_EQ(role(), VERNAL_ROLE_UNKNOWN); }).join();
  }
  EXPECT_EQ(role(), VERNAL_ROLE_UNKNOWN);
}

TEST_F(CoreHostTest, OffersServicesById) {
  const int table = 1;
  int object = 2;
  core_.add_service("vernal.svc.test/1", &table, &object);
  void* found = nullptr;
  EXPECT_EQ(plugin_side_.service<int>("vernal.svc.test/1", &found), &table);
  EXPECT_EQ(found, &object);
  try {
    plugin_side_.service<int>("vernal.svc.test/2", &found);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_NOT_FOUND);
    EXPECT_THAT(error.what(), HasSubstr("vernal.svc.test/2"));
  }
}

TEST_F(CoreHostTest, HasNoExtension) {
  EXPECT_EQ(plugin_side_.extension<SomeExtension>("org.example.some/1"), nullptr);
  EXPECT_EQ(plugin_side_.last_error(), "");  // a normal answer leaves no text
  EXPECT_EQ(Host().extension<SomeExtension>("org.example.some/1"), nullptr);
}

TEST(HostExtension, IsFoundByIdAndRefusedIfItIsTooSmall) {
  static SomeExtension offered{sizeof(SomeExtension), 42};
  vernal_host_api functions = *plugin_host_table();
  functions.get_extension = [](vernal_host*, vernal_str id, const void** out) -> std::int32_t {
    *out = view(id) == "org.example.some/1" ? &offered : nullptr;
    return *out != nullptr ? VERNAL_OK : VERNAL_NOT_FOUND;
  };
  const Host host(nullptr, &functions);
  const auto* found = host.extension<SomeExtension>("org.example.some/1");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->answer, 42u);
  EXPECT_EQ(host.extension<SomeExtension>("org.example.some/2"), nullptr);
  offered.struct_size = 8;
  try {
    host.extension<SomeExtension>("org.example.some/1");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_INCOMPATIBLE);
    EXPECT_STREQ(error.what(),
                 "org.example.some/1: expected a table of at least 16 bytes, found 8");
  }
}

TEST_F(CoreHostTest, KeepsTheFirstFatalReport) {
  EXPECT_EQ(core_.fatal_report("cpu"), std::nullopt);
  core_.api()->report_fatal(core_.handle(), to_str("cpu"), to_str("device fell off"));
  core_.api()->report_fatal(core_.handle(), to_str("cpu"), to_str("again"));
  EXPECT_EQ(core_.fatal_report("cpu"), "device fell off");
  EXPECT_THAT(out_.str(), HasSubstr("fatal: device fell off"));
}

TEST_F(CoreHostTest, HasAMonotonicClock) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  core_.api()->now_ns(core_.handle(), &first);
  core_.api()->now_ns(core_.handle(), &second);
  EXPECT_GE(second, first);
  EXPECT_NE(first, 0u);
}

TEST(Guard, TurnsEverythingThrownIntoAStatusAndText) {
  EXPECT_EQ(guard([] {}), VERNAL_OK);
  EXPECT_EQ(guard([] { throw Error(VERNAL_QUEUE_FULL, "full"); }), VERNAL_QUEUE_FULL);
  EXPECT_EQ(plugin_host().last_error(), "full");
  EXPECT_EQ(guard([] { throw std::bad_alloc(); }), VERNAL_RESOURCE_EXHAUSTED);
  EXPECT_EQ(guard([] { throw std::out_of_range("index"); }), VERNAL_INTERNAL);
  EXPECT_EQ(plugin_host().last_error(), "index");
  EXPECT_EQ(guard([] { throw 7; }), VERNAL_INTERNAL);
  EXPECT_EQ(plugin_host().take_error(VERNAL_INTERNAL), "an exception of unknown type");
  EXPECT_EQ(plugin_host().last_error(), "");
}

}  // namespace
}  // namespace vernal::plugin
