// Opens plugins that the build made: a sound one, and one for every fault
// (plugins/faulty_plugin.cpp).
#include "plugin/plugin_library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "plugin/backend_client.hpp"
#include "plugin/frontend_client.hpp"
#include "support/empty_config.hpp"
#include "vernal/host.hpp"

namespace vernal::plugin {
namespace {

using ::testing::AllOf;
using testing::empty_config;
using ::testing::HasSubstr;

class PluginLibraryTest : public ::testing::Test {
 protected:
  std::unique_ptr<PluginLibrary> open(const std::string& name) {
    const auto file = std::filesystem::path(VERNAL_PLUGIN_DIR) / (name + ".so");
    return std::make_unique<PluginLibrary>(file, read_manifest(file), host_);
  }
  std::string refusal(const std::string& name) {
    try {
      open(name);
      return {};
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr(name + ".so"), HasSubstr("plugin \"" + name + "\"")));
      return error.what();
    }
  }
  // Runs `body`, which must throw an Error, and returns its code and text.
  template <class Body>
  std::string thrown(Body&& body) {
    try {
      body();
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what();
    }
    return "nothing";
  }

  std::ostringstream out_;
  Log log_{LogLevel::kInfo, out_};
  CoreHost host_{log_};
};

TEST_F(PluginLibraryTest, LeadsAFrontendThroughItsLife) {
  const auto library = open("recording");
  EXPECT_EQ(out_.str(), "");  // opening runs no code of the plugin but its entry
  library->init();
  library->init();
  {
    FrontendInstance frontend(library->frontend(), "web", empty_config());
    frontend.start();
    EXPECT_EQ(frontend.active(), 7u);
    EXPECT_EQ(frontend.info(), "records calls");
    frontend.begin_drain(1500);
    frontend.stop();
  }
  library->shutdown();
  library->shutdown();
  std::string calls;
  for (std::istringstream lines(out_.str()); std::getline(lines, calls, '\n');) {
    EXPECT_THAT(calls, HasSubstr(" info recording: "));
  }
  std::size_t at = 0;
  for (const char* call : {"initialised", "created", "started", "draining for 1500", "stopped",
                           "destroyed", "shut down"}) {
    at = out_.str().find(call, at);
    EXPECT_NE(at, std::string::npos) << call;
  }
  EXPECT_EQ(out_.str().find("initialised"), out_.str().rfind("initialised"));
}

TEST_F(PluginLibraryTest, StopsAFrontendThatStillRuns) {
  const auto library = open("recording");
  library->init();
  {
    FrontendInstance frontend(library->frontend(), "web", empty_config());
    frontend.start();
  }
  EXPECT_LT(out_.str().find("stopped"), out_.str().find("destroyed"));
}

TEST_F(PluginLibraryTest, ChecksATableWithoutMakingAnything) {
  const auto library = open("recording");
  library->init();
  EXPECT_TRUE(check_frontend(library->frontend(), empty_config()));
  EXPECT_THAT(out_.str(), HasSubstr("checked"));
  EXPECT_EQ(out_.str().find("created"), std::string::npos);
  const auto refusing = open("throwing");
  EXPECT_EQ(thrown([&] { check_frontend(refusing->frontend(), empty_config()); }),
            "NOT_FOUND: keys.txt: cannot be read");
}

TEST_F(PluginLibraryTest, TakesAFrontendOfTheFirstInterfaceThatTellsNothing) {
  const auto library = open("recording");
  vernal_frontend_api first = library->frontend();
  first.struct_size = kFloorSize<vernal_frontend_api>;
  const vernal_frontend_api adopted = adopt_table(&first, "vernal_frontend_api");
  EXPECT_FALSE(check_frontend(adopted, empty_config()));
  EXPECT_EQ(out_.str().find("checked"), std::string::npos);
  EXPECT_EQ(plugin_host().last_error(), "");
}

TEST_F(PluginLibraryTest, FindsExtensionsOfAKindAndOfThePlugin) {
  const auto library = open("recording");
  const void* table = nullptr;
  ASSERT_EQ(library->frontend().get_extension(to_str("org.example.page/1"), &table), VERNAL_OK);
  EXPECT_EQ(static_cast<const std::uint64_t*>(table)[1], 12u);
  EXPECT_EQ(library->frontend().get_extension(to_str("org.example.cover/1"), &table),
            VERNAL_NOT_FOUND);
  EXPECT_EQ(table, nullptr);
  ASSERT_EQ(library->get_extension("org.example.cover/1", &table), VERNAL_OK);
  EXPECT_EQ(static_cast<const std::uint64_t*>(table)[1], 1u);
  EXPECT_EQ(library->get_extension("org.example.page/1", &table), VERNAL_NOT_FOUND);
  EXPECT_EQ(library->get_extension("org.example.broken/1", &table), VERNAL_INTERNAL);
  EXPECT_EQ(table, nullptr);
}

TEST_F(PluginLibraryTest, GivesTheSchemaBeforeInit) {
  const auto library = open("recording");
  const std::vector<vernal_config_row> rows = library->config_schema(VERNAL_KIND_FRONTEND);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(view(rows[0].path), "file");
  EXPECT_EQ(rows[0].flags, VERNAL_CONFIG_REQUIRED);
  EXPECT_EQ(view(rows[1].default_value), "3");
  EXPECT_TRUE(library->config_schema(VERNAL_KIND_BACKEND).empty());
}

TEST_F(PluginLibraryTest, RefusesToGiveTheTableOfAnotherKind) {
  const auto library = open("recording");
  EXPECT_THAT(thrown([&] { library->backend(); }), HasSubstr("kind backend expected"));
  EXPECT_THAT(thrown([&] { library->architecture(); }), HasSubstr("kind architecture expected"));
}

TEST_F(PluginLibraryTest, RefusesALibraryWithoutEntry) {
  EXPECT_THAT(refusal("fault_no_entry"),
              HasSubstr("entry symbol vernal_plugin_entry_v1 expected, found none"));
}

TEST_F(PluginLibraryTest, TellsWhyTheEntryFailed) {
  EXPECT_THAT(refusal("fault_entry_fails"), HasSubstr("entry: wrong phase of the moon"));
}

TEST_F(PluginLibraryTest, TellsWhatTheLinkerMissed) {
  EXPECT_THAT(refusal("fault_unresolved"), HasSubstr("vernal_test_symbol_that_nobody_defines"));
}

TEST_F(PluginLibraryTest, RefusesMalformedPluginTables) {
  EXPECT_THAT(refusal("fault_plugin_null"), HasSubstr("vernal_plugin_api: table is null"));
  EXPECT_THAT(refusal("fault_plugin_size_zero"),
              HasSubstr("expected at least 48 and a multiple of 8, found 0"));
  EXPECT_THAT(refusal("fault_plugin_size_short"), HasSubstr("found 40"));
  EXPECT_THAT(refusal("fault_plugin_size_odd"), HasSubstr("found 49"));
  EXPECT_THAT(refusal("fault_plugin_size_largest"), HasSubstr("found 18446744073709551615"));
  EXPECT_THAT(refusal("fault_plugin_null_function"),
              HasSubstr("function at offset 16 expected, found null"));
}

TEST_F(PluginLibraryTest, OpensAPluginOfALaterMinor) {
  EXPECT_EQ(refusal("fault_plugin_size_newer"), "");
}

TEST_F(PluginLibraryTest, RefusesMalformedKindTables) {
  EXPECT_THAT(refusal("fault_kind_not_found"),
              HasSubstr("the manifest says kind frontend, get_kind answers NOT_FOUND"));
  EXPECT_THAT(refusal("fault_kind_null"), HasSubstr("vernal_frontend_api: table is null"));
  EXPECT_THAT(refusal("fault_kind_size_zero"),
              HasSubstr("vernal_frontend_api: struct_size expected"));
  EXPECT_THAT(refusal("fault_kind_null_function"),
              HasSubstr("function at offset 32 expected, found null"));
}

TEST_F(PluginLibraryTest, RefusesMalformedSchemas) {
  for (const char* name : {"fault_schema_null", "fault_schema_stride"}) {
    const auto library = open(name);
    EXPECT_THAT(thrown([&] { library->config_schema(VERNAL_KIND_FRONTEND); }),
                HasSubstr("config_schema expected"));
  }
}

TEST_F(PluginLibraryTest, RefusesAFrontendThatMakesNothing) {
  const auto library = open("fault_schema_null");
  EXPECT_THAT(thrown([&] { FrontendInstance(library->frontend(), "web", empty_config()); }),
              HasSubstr("frontend web: create: expected a handle, found null"));
}

TEST_F(PluginLibraryTest, TellsWhyInitFailed) {
  const auto library = open("fault_init_fails");
  EXPECT_THAT(thrown([&] { library->init(); }),
              AllOf(HasSubstr("UNAVAILABLE"), HasSubstr("no device today")));
  EXPECT_FALSE(library->is_initialised());
}

TEST_F(PluginLibraryTest, ReportsWhatAThrowingPluginThrows) {
  const auto library = open("throwing");
  const std::string unknown = "an exception of unknown type";
  EXPECT_THAT(thrown([&] { library->init(); }), AllOf(HasSubstr("INTERNAL"), HasSubstr(unknown)));
  EXPECT_THAT(thrown([&] { BackendInstance(library->backend(), "cpu", empty_config()); }),
              HasSubstr("backend cpu: open: " + unknown));
  EXPECT_THAT(thrown([&] { BackendInstance::devices(library->backend()); }), HasSubstr(unknown));

  FrontendInstance frontend(library->frontend(), "web", empty_config());
  EXPECT_THAT(thrown([&] { frontend.start(); }), HasSubstr("frontend web: start: " + unknown));
  EXPECT_THAT(thrown([&] { frontend.begin_drain(1); }), HasSubstr("RESOURCE_EXHAUSTED"));
  EXPECT_THAT(thrown([&] { (void)frontend.active(); }),
              HasSubstr("UNAVAILABLE: frontend web: active: busy"));
  EXPECT_THAT(thrown([&] { (void)frontend.info(); }), HasSubstr("no info"));

  vernal_metadata_api metadata{};
  metadata.struct_size = sizeof(metadata);
  std::uint32_t score = 0;
  const std::int32_t status = library->architecture().probe({&metadata, nullptr}, &score, nullptr);
  EXPECT_THAT(thrown([&] { plugin_host().check(status, "probe"); }),
              HasSubstr("INTERNAL: probe: " + unknown));
}

}  // namespace
}  // namespace vernal::plugin
