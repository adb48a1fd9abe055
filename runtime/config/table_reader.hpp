// Typed access to one TOML table that notes every problem instead of stopping at the first.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/source_place.hpp"

namespace vernal {

/// Inclusive bounds of a number.
struct Bounds {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
};

/// Reads one table. Each getter leaves its target alone if the key is absent, and notes a problem
/// if the value is not of its kind. finish() then reports the keys nobody asked for.
class TableReader {
 public:
  /// `name` is the table's full name ("models.main"); empty for the root. Borrows all arguments.
  TableReader(std::string name, const toml::table& table, std::shared_ptr<const std::string> file,
              Problems& problems);

  Problems& problems() noexcept { return problems_; }
  bool has(std::string_view key) const { return table_.contains(key); }
  void read(std::string_view key, bool& out);
  void read(std::string_view key, std::string& out);
  void read(std::string_view key, std::int64_t& out, Bounds bounds);
  void read(std::string_view key, std::uint64_t& out, Bounds bounds);
  void read(std::string_view key, double& out, Bounds bounds);
  void read(std::string_view key, std::optional<double>& out, Bounds bounds);
  void read(std::string_view key, std::optional<std::int64_t>& out, Bounds bounds);
  void read(std::string_view key, std::vector<std::string>& out);
  void read(std::string_view key, std::vector<std::int64_t>& out, Bounds bounds);
  void read_choice(std::string_view key, std::string& out,
                   std::initializer_list<std::string_view> choices);
  void read_choice(std::string_view key, std::string& out, const std::vector<std::string>& choices);
  /// Bytes of "4GiB".
  void read_size(std::string_view key, std::uint64_t& out);
  /// Milliseconds of "30s".
  void read_duration_ms(std::string_view key, std::uint64_t& out);
  /// A path, made absolute against the deployment file's folder.
  void read_path(std::string_view key, std::filesystem::path& out);
  void read_paths(std::string_view key, std::vector<std::filesystem::path>& out);
  /// A nested table, or null.
  const toml::table* table(std::string_view key);
  /// Tables of an array of tables; non-tables in it are problems.
  std::vector<const toml::table*> tables(std::string_view key);

  /// Keeps the values of a key out of messages: it is a secret.
  void hide(std::string_view key) { hidden_.emplace_back(key); }
  /// Notes `what` at the key's value, or at the table if the key is absent.
  void problem(std::string_view key, std::string what);
  void require(std::string_view key, std::string_view expected);
  SourcePlace place(std::string_view key) const;
  SourcePlace place() const;
  std::string full_name(std::string_view key) const;
  /// Tells of a key that is read elsewhere, so that finish() knows it.
  void expect(std::string_view key) { known_.emplace_back(key); }

  /// Notes every unknown key, with the nearest known one.
  void finish();

 private:
  const toml::node* node(std::string_view key);
  SourcePlace place_of(const toml::source_region& region) const;
  void wrong_type(std::string_view key, std::string_view expected, const toml::node& found);
  bool within(std::string_view key, double value, Bounds bounds);
  std::optional<std::int64_t> integer(std::string_view key, Bounds bounds);

  /// `"value"`, printable and short, or that it is hidden.
  std::string quoted(std::string_view key, std::string_view value) const;
  bool is_hidden(std::string_view key) const;

  std::string name_;
  const toml::table& table_;
  std::shared_ptr<const std::string> file_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::vector<std::string> hidden_;
};

/// What a node is, for messages: `string "abc"`, `integer 5`, `a table`. One printable line.
std::string describe(const toml::node& node);

}  // namespace vernal
