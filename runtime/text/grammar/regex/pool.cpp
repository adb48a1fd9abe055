#include "text/grammar/regex/pool.hpp"

#include <algorithm>
#include <utility>

namespace vernal::grammar {
namespace {

constexpr std::uint16_t kMaxDerivationDepth =
    400;  // of recursion, a few hundred bytes of stack each
constexpr std::size_t kDefaultLimit = 1'000'000;

}  // namespace

RegexPool::RegexPool() {
  allow(kDefaultLimit);
  make({Op::kNothing});
  make({Op::kEmptyText});
  // The number of the first set is known: it is that of all characters.
  const std::uint32_t all = sets_.intern(Charset::all()).first;
  nodes_.intern({Op::kRepeat, 3, 0, kUnlimited});
  facts_.push_back({true, Fate::kSome, 2});
  any_character_ = make({Op::kSet, all});
}

Re RegexPool::make(Node node) {
  const auto [id, is_new] = nodes_.intern(node);
  if (is_new) {
    if (nodes_.size() > limit_) {
      // The node stays, with facts, so that the pool remains whole.
      facts_.push_back({false, Fate::kNone, 0});
      throw RegexLimit{};
    }
    facts_.push_back(facts_of(node));
    if (facts_.back().depth > kMaxDerivationDepth) {
      throw RegexLimit{};
    }
  }
  return id;
}

RegexPool::Facts RegexPool::facts_of(const Node& node) const {
  const auto deeper = [](std::uint16_t depth) { return static_cast<std::uint16_t>(depth + 1); };
  switch (node.op) {
    case Op::kNothing:
      return {false, Fate::kNone, 0};
    case Op::kEmptyText:
      return {true, Fate::kSome, 0};
    case Op::kSet:
      return {false, Fate::kSome, 0};
    case Op::kConcat: {
      const Facts& a = facts_[node.a];
      const Facts& b = facts_[node.b];
      const bool some = a.fate == Fate::kSome && b.fate == Fate::kSome;
      return {a.is_nullable && b.is_nullable, some ? Fate::kSome : Fate::kUnknown,
              deeper(a.is_nullable ? std::max(a.depth, b.depth) : a.depth)};
    }
    case Op::kRepeat: {
      const Facts& body = facts_[node.a];
      const bool nullable = node.b == 0 || body.is_nullable;
      return {nullable, nullable || body.fate == Fate::kSome ? Fate::kSome : Fate::kUnknown,
              deeper(body.depth)};
    }
    case Op::kOr:
    case Op::kAnd: {
      Facts facts{node.op == Op::kAnd, Fate::kUnknown, 0};
      for (const Re part : lists_[node.a]) {
        const Facts& of = facts_[part];
        facts.is_nullable = node.op == Op::kOr ? facts.is_nullable || of.is_nullable
                                               : facts.is_nullable && of.is_nullable;
        facts.depth = std::max(facts.depth, of.depth);
        if (node.op == Op::kOr && of.fate == Fate::kSome) {
          facts.fate = Fate::kSome;
        }
      }
      facts.depth = deeper(facts.depth);
      facts.fate = facts.is_nullable ? Fate::kSome : facts.fate;
      return facts;
    }
    case Op::kNot: {
      const bool nullable = !facts_[node.a].is_nullable;
      return {nullable, nullable ? Fate::kSome : Fate::kUnknown, deeper(facts_[node.a].depth)};
    }
    case Op::kLeaf: {
      const bool nullable = languages_[node.a]->accepts(node.b);
      const bool some = nullable || languages_[node.a]->is_never_empty();
      return {nullable, some ? Fate::kSome : Fate::kUnknown, 1};
    }
  }
  return {};
}

Re RegexPool::set(const Charset& set) {
  return set.is_empty() ? kNothing : make({Op::kSet, sets_.intern(set).first});
}

Re RegexPool::concat(Re first, Re second) {
  if (first == kNothing || second == kNothing) {
    return kNothing;
  }
  // Sequences lean to the right, so that equal ones are equal nodes.
  std::vector<Re> spine;
  while (op(first) == Op::kConcat) {
    spine.push_back(nodes_[first].a);
    first = nodes_[first].b;
  }
  spine.push_back(first);
  Re result = second;
  for (auto part = spine.rbegin(); part != spine.rend(); ++part) {
    if (*part == kEmptyText) {
      continue;
    }
    if (result == kEmptyText) {
      result = *part;
      continue;
    }
    const Re head = op(result) == Op::kConcat ? nodes_[result].a : result;
    const bool is_star =
        op(*part) == Op::kRepeat && min_count(*part) == 0 && max_count(*part) == kUnlimited;
    if (is_star && head == *part) {
      continue;  // a*a* is a*
    }
    result = make({Op::kConcat, *part, result});
  }
  return result;
}

Re RegexPool::make_list(Op list_op, std::vector<Re> parts) {
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  if (parts.size() == 1) {
    return parts[0];
  }
  for (const Re part : parts) {
    if (op(part) == Op::kNot && std::binary_search(parts.begin(), parts.end(), nodes_[part].a)) {
      return list_op == Op::kOr ? kAnyText : kNothing;
    }
  }
  return make({list_op, lists_.intern(std::move(parts)).first});
}

Re RegexPool::any_of(std::vector<Re> given) {
  std::vector<Re> kept;
  Charset single;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Re part = given[i];
    if (part == kAnyText) {
      return kAnyText;
    }
    if (op(part) == Op::kOr) {
      const std::vector<Re> inner = parts(part);
      given.insert(given.end(), inner.begin(), inner.end());
    } else if (op(part) == Op::kSet) {
      single = single.united(sets_[nodes_[part].a]);
    } else if (part != kNothing) {
      kept.push_back(part);
    }
  }
  if (!single.is_empty()) {
    kept.push_back(set(single));
  }
  return kept.empty() ? kNothing : make_list(Op::kOr, std::move(kept));
}

Re RegexPool::all_of(std::vector<Re> given) {
  std::vector<Re> kept;
  Charset single = Charset::all();
  std::uint32_t min = 0;
  std::uint32_t max = kUnlimited;
  bool has_set = false;
  bool has_empty = false;
  bool has_count = false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Re part = given[i];
    if (part == kNothing) {
      return kNothing;
    }
    if (op(part) == Op::kAnd) {
      const std::vector<Re> inner = parts(part);
      given.insert(given.end(), inner.begin(), inner.end());
    } else if (op(part) == Op::kSet) {
      single = single.intersected(sets_[nodes_[part].a]);
      has_set = true;
    } else if (part == kEmptyText) {
      has_empty = true;
    } else if (is_counted_text(part)) {
      has_count = has_count || part != kAnyText;
      min = std::max(min, min_count(part));
      max = std::min(max, max_count(part));
    } else {
      kept.push_back(part);
    }
  }
  if (has_empty) {
    const bool all = !has_set && min == 0 && std::all_of(kept.begin(), kept.end(), [&](Re part) {
      return is_nullable(part);
    });
    return all ? kEmptyText : kNothing;
  }
  if (has_set) {
    if (min > 1 || max < 1 || single.is_empty()) {
      return kNothing;
    }
    kept.push_back(set(single));
  } else if (has_count) {
    if (min > max) {
      return kNothing;
    }
    kept.push_back(repeat(any_character_, min, max));
  }
  return kept.empty() ? kAnyText : make_list(Op::kAnd, std::move(kept));
}

Re RegexPool::complement(Re body) {
  if (body == kNothing || body == kAnyText) {
    return body == kNothing ? kAnyText : kNothing;
  }
  return op(body) == Op::kNot ? nodes_[body].a : make({Op::kNot, body});
}

Re RegexPool::repeat(Re body, std::uint32_t min, std::uint32_t max) {
  if (max == 0 || body == kEmptyText) {
    return kEmptyText;
  }
  if (body == kNothing) {
    return min == 0 ? kEmptyText : kNothing;
  }
  if (is_nullable(body)) {
    min = 0;
  }
  if (min == 1 && max == 1) {
    return body;
  }
  const bool is_star =
      op(body) == Op::kRepeat && min_count(body) == 0 && max_count(body) == kUnlimited;
  if (is_star) {
    return body;
  }
  if (op(body) == Op::kRepeat && max == kUnlimited && min <= 1 && min_count(body) <= 1) {
    return repeat(this->body(body), min == 0 ? 0 : min_count(body), kUnlimited);
  }
  return make({Op::kRepeat, body, min, max});
}

Re RegexPool::literal(std::u32string_view text) {
  Re result = kEmptyText;
  for (auto letter = text.rbegin(); letter != text.rend(); ++letter) {
    result = concat(set(Charset::of(*letter)), result);
  }
  return result;
}

Re RegexPool::literals(std::vector<std::u32string> texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  // The open path of the trie: what is known of each node on it.
  struct Open {
    char32_t letter;
    std::vector<Re> branches;
  };
  std::vector<Open> path{{0, {}}};
  const auto close_to = [&](std::size_t depth) {
    while (path.size() > depth + 1) {
      const Re below = any_of(std::move(path.back().branches));
      const Re node = concat(set(Charset::of(path.back().letter)), below);
      path.pop_back();
      path.back().branches.push_back(node);
    }
  };
  std::u32string_view last;
  for (const std::u32string& text : texts) {
    std::size_t common = 0;
    while (common < last.size() && common < text.size() && last[common] == text[common]) {
      ++common;
    }
    close_to(common);
    for (std::size_t i = common; i < text.size(); ++i) {
      path.push_back({text[i], {}});
    }
    path.back().branches.push_back(kEmptyText);
    last = text;
  }
  close_to(0);
  return any_of(std::move(path[0].branches));
}

Re RegexPool::leaf(std::uint32_t language, std::uint32_t state) {
  return make({Op::kLeaf, language, state});
}

std::uint32_t RegexPool::add_language(LeafLanguage& language) {
  languages_.push_back(&language);
  return static_cast<std::uint32_t>(languages_.size() - 1);
}

}  // namespace vernal::grammar
