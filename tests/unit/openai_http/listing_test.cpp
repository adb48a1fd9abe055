#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "openai_http/checked_settings.hpp"
#include "openai_http/http/api_keys.hpp"
#include "openai_http/http/cors.hpp"
#include "openai_http/openai/model_listing.hpp"
#include "openai_http/protocol/text_safety.hpp"
#include "openai_http/server/metrics_text.hpp"
#include "openai_http/settings.hpp"
#include "vernal/error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

std::vector<ModelInfo> two_models() {
  ModelInfo model;
  model.id = "org/a:1";
  model.context_length = 4096;
  model.created = 86400;
  model.state = VERNAL_MODEL_READY;
  ModelInfo other = model;
  other.id = "b";
  return {model, other};
}

TEST(ModelListing, PutsTheRealContextLengthFirst) {
  const json::value list = json::parse(render_model_list(two_models()));
  EXPECT_EQ(list.at("object"), "list");
  EXPECT_EQ(list.at("first_id"), "org/a:1");
  EXPECT_EQ(list.at("last_id"), "b");
  const json::object& entry = list.at("data").at(0).as_object();
  EXPECT_EQ(entry.at("context_length"), 4096);
  EXPECT_EQ(entry.at("max_model_len"), 4096);
  EXPECT_EQ(entry.at("created_at"), "1970-01-02T00:00:00Z");
  EXPECT_EQ(entry.at("type"), "model");
}

TEST(ModelListing, ShowsOnlyWhatIsAllowed) {
  EXPECT_EQ(visible_models(two_models(), {"b"}).size(), 1U);
  EXPECT_EQ(visible_models(two_models(), {}).size(), 2U);
  EXPECT_EQ(render_model(two_models(), "x"), std::nullopt);
  EXPECT_TRUE(render_model(two_models(), "b"));
}

TEST(MetricsText, GathersMetricsOfOneName) {
  const std::vector<Metric> metrics = {
      {"b_total", "Bs.\nAll", "model=\"x\"", 1, VERNAL_METRIC_COUNTER},
      {"a", "As.", "", 0.5, VERNAL_METRIC_GAUGE},
      {"b_total", "Bs.", "model=\"y\"", 1e18, VERNAL_METRIC_COUNTER},
      {"bad name", "", "", 1, VERNAL_METRIC_GAUGE}};
  EXPECT_EQ(render_metrics(metrics),
            "# HELP a As.\n# TYPE a gauge\na 0.5\n"
            "# HELP b_total Bs.\\nAll\n# TYPE b_total counter\n"
            "b_total{model=\"x\"} 1\nb_total{model=\"y\"} 1e+18\n");
}

TEST(Metrics, GatherTheSeriesOfAHistogram) {
  const std::vector<Metric> metrics = {
      {"h_sum", "Hs.", "", 3, VERNAL_METRIC_HISTOGRAM},
      {"h_bucket", "Hs.", "le=\"1\"", 1, VERNAL_METRIC_HISTOGRAM},
      {"h_bucket", "Hs.", "le=\"+Inf\"", 2, VERNAL_METRIC_HISTOGRAM},
      {"h_count", "Hs.", "", 2, VERNAL_METRIC_HISTOGRAM},
      {"h_c", "Another.", "", 7, VERNAL_METRIC_GAUGE}};
  EXPECT_EQ(render_metrics(metrics),
            "# HELP h Hs.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
            "h_count 2\nh_sum 3\n# HELP h_c Another.\n# TYPE h_c gauge\nh_c 7\n");
}

TEST(ApiKeys, AcceptWhatTheFileHolds) {
  const ApiKeys keys = ApiKeys::from_text("# comment\n\n  one \r\ntwo");
  EXPECT_TRUE(keys.are_required());
  EXPECT_TRUE(keys.accept("one"));
  EXPECT_TRUE(keys.accept("two"));
  for (const char* const wrong : {"", "on", "one ", "One", "# comment", "three"}) {
    EXPECT_FALSE(keys.accept(wrong)) << wrong;
  }
  EXPECT_TRUE(ApiKeys().accept("anything"));
}

TEST(ApiKeys, SkipAByteOrderMark) {
  const ApiKeys keys = ApiKeys::from_text(
      "\xEF\xBB\xBF"
      "first\r\nsecond\r\n");
  EXPECT_TRUE(keys.accept("first"));
  EXPECT_TRUE(keys.accept("second"));
  EXPECT_FALSE(
      keys.accept("\xEF\xBB\xBF"
                  "first"));
  EXPECT_FALSE(ApiKeys::from_text("\xEF\xBB\xBF# none\n").are_required());
}

TEST(ApiKeys, RefuseFilesThatCannotBeMeant) {
  const auto folder = std::filesystem::temp_directory_path();
  const std::string path = folder / ("vernal_keys_" + std::to_string(::getpid()));
  EXPECT_THROW(ApiKeys::from_file(path), Error);
  EXPECT_THROW(ApiKeys::from_file(folder), Error);
  EXPECT_THROW(ApiKeys::from_file("/dev/zero"), Error);
  std::ofstream(path) << "# only a comment\n";
  EXPECT_THROW(ApiKeys::from_file(path), Error);
  std::ofstream(path) << "key\n";
  EXPECT_TRUE(ApiKeys::from_file(path).accept("key"));
  std::filesystem::remove(path);
}

std::string value_of(const HeaderList& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "(none)";
}

TEST(CorsPolicy, LetsInWhomItKnows) {
  EXPECT_EQ(value_of(CorsPolicy({"*"}).answer_headers("http://x"), "Access-Control-Allow-Origin"),
            "*");
  const CorsPolicy some({"http://a", "http://b"});
  EXPECT_EQ(value_of(some.answer_headers("http://b"), "Access-Control-Allow-Origin"), "http://b");
  EXPECT_EQ(value_of(some.answer_headers("http://c"), "Access-Control-Allow-Origin"), "(none)");
  EXPECT_EQ(value_of(some.answer_headers("http://c"), "Vary"), "Origin");
}

TEST(CorsPolicy, EchoesOnlyHeaderNames) {
  EXPECT_EQ(value_of(CorsPolicy::preflight_headers("authorization,x-any"),
                     "Access-Control-Allow-Headers"),
            "authorization,x-any");
  EXPECT_NE(value_of(CorsPolicy::preflight_headers("a\"<b>"), "Access-Control-Allow-Headers"),
            "a\"<b>");
}

TEST(Settings, ReadListenAddresses) {
  Settings settings;
  EXPECT_TRUE(parse_listen_address("0.0.0.0:0", settings));
  EXPECT_TRUE(parse_listen_address("[::1]:8000", settings));
  EXPECT_EQ(settings.host, "::1");
  EXPECT_EQ(settings.port, 8000);
  EXPECT_TRUE(parse_listen_address("localhost:65535", settings));
  for (const char* const wrong : {"", "8000", ":8000", "a:", "a:65536", "a:-1", "a:x", "::1:8000",
                                  "[]:1", "[::1:1", "a:1 "}) {
    EXPECT_FALSE(parse_listen_address(wrong, settings)) << wrong;
  }
}

TEST(Origins, AreThoseABrowserCanSend) {
  for (const char* const right :
       {"null", "http://localhost", "http://localhost:3000", "https://a-b.example:8443",
        "https://xn--bcher-kva.example", "http://[::1]:5173", "http://[fe80::1]",
        "chrome-extension://abcdefghijklmnop", "moz-extension://0a1b-2c", "tauri://localhost",
        "app://obsidian.md", "http://a_b.example", "https://a:80", "http://a:443"}) {
    EXPECT_TRUE(is_possible_origin(right)) << right;
  }
  for (const char* const wrong : {"",
                                  "*",
                                  "localhost",
                                  "localhost:3000",
                                  "http://",
                                  "http:///",
                                  "://a",
                                  "http://a/",
                                  "http://a/b",
                                  "http://a?b",
                                  "http://A",
                                  "HTTP://a",
                                  "http://a:",
                                  "http://a:0",
                                  "http://a:01",
                                  "http://a:65536",
                                  "http://a:x",
                                  "http://a:80",
                                  "https://a:443",
                                  "http://*.a",
                                  "http://a b",
                                  " http://a",
                                  "http://a ",
                                  "http://u@a",
                                  "http://[::1",
                                  "http://[]",
                                  "http://::1",
                                  "1a://b"}) {
    EXPECT_FALSE(is_possible_origin(wrong)) << wrong;
  }
}

TEST(TextSafety, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(to_valid_utf8("a\xC3\xA4\xFF\xE2\x82"),
            "a\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_TRUE(is_valid_utf8("\xF0\x9F\x98\x80"));
  EXPECT_FALSE(is_valid_utf8("\xF5\x80\x80\x80"));
  EXPECT_FALSE(is_valid_utf8("\xE0\x80\x80"));
  EXPECT_EQ(shortened("a\nb"), "a?b");
  EXPECT_EQ(shortened(std::string(200, 'x')), std::string(80, 'x') + "...");
}

}  // namespace
}  // namespace vernal::openai_http
