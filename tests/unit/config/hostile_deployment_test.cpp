// Deployment files that are no text or no files, or that are made to exhaust the reader.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>

#include "config/text_file.hpp"
#include "deployment_text.hpp"

namespace vernal {
namespace {

using testing::DeploymentText;
using testing::kSmallest;

/// Runs `f` and fails the test if it takes longer than a person would wait.
template <class F>
auto promptly(F&& f) {
  const auto begin = std::chrono::steady_clock::now();
  auto result = f();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  return result;
}

std::string repeated(std::string_view piece, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += piece;
  return out;
}

TEST_F(DeploymentText, RefusesAFileThatIsNotThere) {
  EXPECT_EQ(file_refusal("missing.toml"), "missing.toml: No such file or directory");
}

TEST_F(DeploymentText, RefusesAFolderAFifoADeviceAndALinkLoopAtOnce) {
  EXPECT_EQ(file_refusal("."), ".: expected a TOML file, found a directory or device");
  ASSERT_EQ(::mkfifo((folder() / "fifo.toml").c_str(), 0600), 0);
  EXPECT_EQ(promptly([&] { return file_refusal("fifo.toml"); }),
            "fifo.toml: expected a TOML file, found a directory or device");
  std::filesystem::create_symlink("/dev/zero", folder() / "zero.toml");
  EXPECT_EQ(promptly([&] { return file_refusal("zero.toml"); }),
            "zero.toml: expected a TOML file, found a directory or device");
  std::filesystem::create_symlink("loop.toml", folder() / "loop.toml");
  EXPECT_EQ(file_refusal("loop.toml"), "loop.toml: Too many levels of symbolic links");
}

TEST_F(DeploymentText, RefusesAFileOfTheSizeOfAModelUnread) {
  std::ofstream(folder() / "large.toml").close();
  std::filesystem::resize_file(folder() / "large.toml", 1ULL << 40);
  EXPECT_EQ(promptly([&] { return file_refusal("large.toml"); }),
            "large.toml: expected a TOML file of at most 4194304 bytes, found 1099511627776 bytes");
}

TEST_F(DeploymentText, ReadsTextFilesBehindAByteOrderMarkAndNamesUtf16) {
  std::ofstream(folder() / "marked.txt") << "\xEF\xBB\xBF"
                                         << "first line\n";
  EXPECT_EQ(read_text_file(folder() / "marked.txt", "a text", 64), "first line\n");
  std::ofstream(folder() / "mark.txt") << "\xEF\xBB\xBF";
  EXPECT_EQ(read_text_file(folder() / "mark.txt", "a text", 3), "");
  for (const char* mark : {"\xFF\xFE", "\xFE\xFF"}) {
    std::ofstream(folder() / "wide.txt") << mark << "x";
    try {
      read_text_file(folder() / "wide.txt", "a text", 64);
      FAIL();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(),
                  ::testing::EndsWith("wide.txt: expected a text in UTF-8, found UTF-16"));
    }
  }
}

TEST_F(DeploymentText, RefusesOtherEncodings) {
  const auto begins = [](const char* place) { return ::testing::StartsWith(place); };
  EXPECT_THAT(refusal(std::string_view("\xFF\xFEs\0c\0h\0", 8)), begins("a.toml:1:1: "));
  EXPECT_THAT(refusal(std::string_view("\0s\0c\0h", 6)), begins("a.toml:1:1: "));
  EXPECT_THAT(refusal("schema = 1\nx = \"gr\xFC\xDF\x65\"\n"), begins("a.toml:2:7: "));
  EXPECT_THAT(refusal("schema = 1\nx = \"\xED\xA0\x80\"\n"), begins("a.toml:2:5: "));
  EXPECT_THAT(refusal(std::string_view("schema = 1\nx = \"a\0b\"\n", 21)), begins("a.toml:2:7: "));
}

TEST_F(DeploymentText, ShowsControlCharactersAsEscapes) {
  EXPECT_EQ(refusal("a = fals\x11").find('\x11'), std::string::npos);
  EXPECT_EQ(refusal(std::string(kSmallest) + "\"\\u001b[2J\" = 1\n"),
            "a.toml:8:1: unknown key \"models.m.\\x1b[2J\"");
  EXPECT_EQ(refusal(std::string(kSmallest) + "thinking = \"\\u001b[31m\\n\"\n"),
            "a.toml:8:12: \"models.m.thinking\": expected one of \"auto\", \"on\", \"off\", "
            "found \"\\x1b[31m\\n\"");
  EXPECT_EQ(refusal(std::string(kSmallest) + "slots = \"" + repeated("x", 10'000) + "\"\n"),
            "a.toml:8:9: \"models.m.slots\": expected an integer, found string \"" +
                repeated("x", 60) + "...\"");
}

TEST_F(DeploymentText, RefusesDeepArraysAndTables) {
  for (const int depth : {17, 1000, 1'000'000}) {
    EXPECT_EQ(promptly([&] { return refusal("a = " + repeated("[", depth)); }),
              "a.toml:1:21: more than 16 nested arrays and tables");
    EXPECT_EQ(promptly([&] { return refusal("schema = 1\na = " + repeated("{a=", depth)); }),
              "a.toml:2:53: more than 16 nested arrays and tables");
  }
}

TEST_F(DeploymentText, RefusesKeysOfManyPartsBeforeTheyAreATree) {
  for (const int count : {17, 20'000, 1'000'000}) {
    EXPECT_EQ(promptly([&] { return refusal(repeated("a.", count) + "a = 1"); }),
              "a.toml:1:32: a key of more than 16 parts");
    EXPECT_EQ(promptly([&] { return refusal("[" + repeated("'a' . ", count) + "a]"); }),
              "a.toml:1:96: a key of more than 16 parts");
    EXPECT_EQ(promptly([&] { return refusal("x = { " + repeated("\"a\".", count) + "a = 1 }"); }),
              "a.toml:1:70: a key of more than 16 parts");
  }
}

TEST_F(DeploymentText, CountsNoDotsAndBracketsInStringsAndComments) {
  const std::string dots = repeated(".[{", 40);
  EXPECT_EQ(refusal("# " + dots + "\n" + std::string(kSmallest) + "host_tensors = [ # " + dots +
                    "\n \"" + dots + "\", '" + dots + "', \"\"\"" + dots + "\\\"\"\"\"\"\", '''" +
                    dots + "\n''', \"\", '' ]\n"),
            "accepted");
}

TEST_F(DeploymentText, IsQuickWithFiftyThousandKeysTablesAndNames) {
  std::string keys(kSmallest);
  std::string tables(kSmallest);
  std::string names =
      std::string(kSmallest) + "[frontends.http]\nplugin = \"web\"\nlisten = \"x\"\nmodels = [";
  for (int i = 0; i < 50'000; ++i) {
    const std::string number = std::to_string(i);
    keys += "some_long_unknown_key_" + number + " = 1\n";
    tables += "[profiles.p" + number + "]\nmodel = \"x\"\n";
    names += "\"some_long_unknown_name_" + number + "\",\n";
  }
  EXPECT_NE(promptly([&] { return refusal(keys); }), "accepted");
  EXPECT_EQ(promptly([&] { return refusal(tables); }),
            "a.toml:8:1: \"profiles\": expected at most 256 tables, found 50000");
  EXPECT_NE(promptly([&] { return refusal(names + "]\n"); }), "accepted");
}

}  // namespace
}  // namespace vernal
