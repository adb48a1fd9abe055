// Reads a JSON Schema into nodes.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/grammar/schema/reference_index.hpp"
#include "text/grammar/schema/schema_node.hpp"
#include "text/grammar/warning.hpp"

namespace vernal::grammar {

/// The text of a schema, and what stands before its pointers in warnings and errors: "" or a name.
struct SchemaText {
  std::string_view name;
  std::string_view text;
};

/// The schemas of some documents: those that their roots reach by keywords and references, which
/// stay within a document. Drafts 4 to 2020-12 are read; without "$schema" the words of all of them
/// count.
/// Thread   one while it is built; then immutable but for const_node
class SchemaDocument {
 public:
  static constexpr std::size_t kMaxDepth = 128;
  static constexpr std::size_t kMaxNodes = 100'000;

  /// Each text is UTF-8 JSON. What is relaxed goes to `warnings`.
  /// Errors   GrammarError: no JSON, nested too deeply, too many schemas, a root that is neither an
  ///          object nor a boolean
  SchemaDocument(std::span<const SchemaText> texts, WarningList& warnings);

  /// One for each text, in the same order.
  const std::vector<NodeId>& roots() const noexcept { return roots_; }
  const SchemaNode& operator[](NodeId id) const noexcept { return nodes_[id]; }
  std::size_t size() const noexcept { return nodes_.size(); }

 private:
  friend class SchemaReader;

  std::deque<boost::json::value> trees_;  // nodes point into them
  std::deque<SchemaNode> nodes_;
  std::vector<NodeId> roots_;
};

}  // namespace vernal::grammar
