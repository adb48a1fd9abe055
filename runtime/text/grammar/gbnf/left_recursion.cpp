#include "text/grammar/gbnf/left_recursion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "text/grammar/error.hpp"
#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {
namespace {

using GbnfKind = GbnfNode::Kind;

GbnfNode sequence_of(std::vector<GbnfNode> parts) {
  GbnfNode node;
  node.parts = std::move(parts);
  return node;
}

GbnfNode choice_of(std::vector<GbnfNode> parts) {
  GbnfNode node;
  node.kind = GbnfKind::kChoice;
  node.parts = std::move(parts);
  return node;
}

/// The rules that a rule may begin with: those behind parts that may be empty, too.
class FirstRules {
 public:
  explicit FirstRules(const std::vector<GbnfRule>& rules)
      : rules_(rules), is_nullable_(rules.size(), 0) {
    for (bool changes = true; changes;) {
      changes = false;
      for (std::size_t i = rules_.size(); i-- > 0;) {
        if (is_nullable_[i] == 0 && is_nullable(rules_[i].body)) {
          is_nullable_[i] = 1;
          changes = true;
        }
      }
    }
  }

  std::vector<std::uint32_t> of(std::uint32_t rule) const {
    std::vector<std::uint32_t> out;
    append(rules_[rule].body, out);
    return out;
  }

 private:
  bool is_nullable(const GbnfNode& node) const;
  /// Appends the rules that a node may begin with; true if it may be empty.
  bool append(const GbnfNode& node, std::vector<std::uint32_t>& out) const;

  const std::vector<GbnfRule>& rules_;
  std::vector<char> is_nullable_;  // by rule
};

bool FirstRules::is_nullable(const GbnfNode& node) const {
  switch (node.kind) {
    case GbnfKind::kSet:
      return false;
    case GbnfKind::kRule:
      return is_nullable_[node.rule] != 0;
    case GbnfKind::kSequence:
      return std::all_of(node.parts.begin(), node.parts.end(),
                         [&](const GbnfNode& part) { return is_nullable(part); });
    case GbnfKind::kChoice:
      return std::any_of(node.parts.begin(), node.parts.end(),
                         [&](const GbnfNode& part) { return is_nullable(part); });
    case GbnfKind::kRepeat:
      return node.min == 0 || is_nullable(node.parts[0]);
  }
  return false;
}

bool FirstRules::append(const GbnfNode& node, std::vector<std::uint32_t>& out) const {
  switch (node.kind) {
    case GbnfKind::kSet:
      return false;
    case GbnfKind::kRule:
      out.push_back(node.rule);
      break;
    case GbnfKind::kSequence:
      for (const GbnfNode& part : node.parts) {
        if (!append(part, out)) {
          return false;
        }
      }
      break;
    case GbnfKind::kChoice:
    case GbnfKind::kRepeat:
      for (const GbnfNode& part : node.parts) {
        append(part, out);
      }
      break;
  }
  return is_nullable(node);
}

// Takes the branches that begin with the rule itself out, and repeats what follows it in them.
void repeat_instead(std::uint32_t rule, GbnfNode& body) {
  std::vector<GbnfNode> branches;
  if (body.kind == GbnfKind::kChoice) {
    branches = body.parts;
  } else {
    branches.push_back(body);
  }
  std::vector<GbnfNode> first;
  std::vector<GbnfNode> more;
  for (GbnfNode& branch : branches) {
    const bool is_left = branch.kind == GbnfKind::kSequence && !branch.parts.empty() &&
                         branch.parts[0].kind == GbnfKind::kRule && branch.parts[0].rule == rule;
    if (!is_left) {
      first.push_back(std::move(branch));
    } else if (branch.parts.size() > 1) {
      branch.parts.erase(branch.parts.begin());
      more.push_back(std::move(branch));
    }
  }
  if (more.empty() && first.size() == branches.size()) {
    return;
  }
  GbnfNode repeat;
  repeat.kind = GbnfKind::kRepeat;
  repeat.max = kUnlimited;
  repeat.parts.push_back(choice_of(std::move(more)));
  std::vector<GbnfNode> parts;
  parts.push_back(choice_of(std::move(first)));
  parts.push_back(std::move(repeat));
  body = sequence_of(std::move(parts));
}

void check_no_cycle(const std::vector<GbnfRule>& rules, const FirstRules& first) {
  struct Visit {
    std::uint32_t rule;
    std::vector<std::uint32_t> next;
  };
  const auto visit_of = [&](std::uint32_t rule) { return Visit{rule, first.of(rule)}; };
  std::vector<char> marks(rules.size(), 0);  // 1: on the path, 2: done
  for (std::uint32_t root = 0; root < rules.size(); ++root) {
    if (marks[root] != 0) {
      continue;
    }
    std::vector<Visit> path{visit_of(root)};
    marks[root] = 1;
    while (!path.empty()) {
      if (path.back().next.empty()) {
        marks[path.back().rule] = 2;
        path.pop_back();
        continue;
      }
      const std::uint32_t next = path.back().next.back();
      path.back().next.pop_back();
      if (marks[next] == 1) {
        throw GrammarError(fmt::format("line {}", rules[next].line), "gbnf",
                           fmt::format("the rule \"{}\" begins with itself by way of \"{}\"",
                                       rules[next].name, rules[path.back().rule].name),
                           VERNAL_UNSUPPORTED);
      }
      if (marks[next] == 0) {
        marks[next] = 1;
        path.push_back(visit_of(next));
      }
    }
  }
}

}  // namespace

void remove_left_recursion(std::vector<GbnfRule>& rules) {
  const FirstRules first(rules);
  for (std::uint32_t rule = 0; rule < rules.size(); ++rule) {
    repeat_instead(rule, rules[rule].body);
  }
  check_no_cycle(rules, first);
}

}  // namespace vernal::grammar
