// Reads a JSON Schema into nodes.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/grammar/schema/reference_index.hpp"
#include "text/grammar/schema/schema_node.hpp"
#include "text/grammar/warning.hpp"

namespace vernal::grammar {

/// The schemas of one document: those that its root reaches by keywords and references. Drafts 4 to
/// 2020-12 are read; without "$schema" the words of all of them count.
/// Thread   one while it is built; then immutable but for const_node
class SchemaDocument {
 public:
  static constexpr std::size_t kMaxDepth = 128;
  static constexpr std::size_t kMaxNodes = 100'000;

  /// `text` is UTF-8 JSON. What is relaxed goes to `warnings`.
  /// Errors   GrammarError: no JSON, nested too deeply, too many schemas, a root that is neither an
  ///          object nor a boolean
  SchemaDocument(std::string_view text, WarningList& warnings);

  NodeId root() const noexcept { return root_; }
  const SchemaNode& operator[](NodeId id) const noexcept { return nodes_[id]; }
  std::size_t size() const noexcept { return nodes_.size(); }

 private:
  friend class SchemaReader;

  boost::json::value tree_;
  std::deque<SchemaNode> nodes_;
  NodeId root_ = kNoNode;
};

}  // namespace vernal::grammar
