// Reads one TOML table with types. Collects all problems instead of stopping at the first.
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

/// Reads one table. If a key is absent, its target keeps its value. If a value has the wrong type,
/// a problem is noted. finish() then reports the keys that no call has read.
class TableReader {
 public:
  /// `name` is the full name of the table, such as "models.main", and empty for the root. Borrows
  /// all arguments.
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
  /// A size such as "4GiB", in bytes.
  void read_size(std::string_view key, std::uint64_t& out);
  /// A duration such as "30s", in milliseconds.
  void read_duration_ms(std::string_view key, std::uint64_t& out);
  /// A path. A relative one starts in the folder of the deployment file.
  void read_path(std::string_view key, std::filesystem::path& out);
  void read_paths(std::string_view key, std::vector<std::filesystem::path>& out);
  /// A nested table; null if it is absent or no table.
  const toml::table* table(std::string_view key);
  /// The tables of an array of tables. Other elements are problems.
  std::vector<const toml::table*> tables(std::string_view key);

  /// Keeps the value of a key out of messages, because it is a secret.
  void hide(std::string_view key) { hidden_.emplace_back(key); }
  /// Notes a problem at the place of the key's value, or of the table if the key is absent.
  void problem(std::string_view key, std::string what);
  void require(std::string_view key, std::string_view expected);
  SourcePlace place(std::string_view key) const;
  SourcePlace place() const;
  std::string full_name(std::string_view key) const;
  /// Makes finish() accept a key that is read elsewhere.
  void expect(std::string_view key) { known_.emplace_back(key); }

  /// Notes every unknown key, and the known key that was probably meant.
  void finish();

 private:
  const toml::node* node(std::string_view key);
  SourcePlace place_of(const toml::source_region& region) const;
  void wrong_type(std::string_view key, std::string_view expected, const toml::node& found);
  bool within(std::string_view key, double value, Bounds bounds);
  std::optional<std::int64_t> integer(std::string_view key, Bounds bounds);

  /// The value in quotes, printable and shortened; of a hidden key, a note that it is hidden.
  std::string quoted(std::string_view key, std::string_view value) const;
  bool is_hidden(std::string_view key) const;

  std::string name_;
  const toml::table& table_;
  std::shared_ptr<const std::string> file_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::vector<std::string> hidden_;
};

/// Describes a node for a message: `string "abc"`, `integer 5`, `a table`. One printable line.
std::string describe(const toml::node& node);

}  // namespace vernal
