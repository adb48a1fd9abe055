#include <algorithm>
#include <utility>

#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {
namespace {

constexpr std::size_t kMaxSearched = 1'000;  // expressions that one search for a text looks at

}  // namespace

Re RegexPool::derive(Re re, std::uint32_t code_point) {
  const Node node = nodes_[re];
  switch (node.op) {
    case Op::kNothing:
    case Op::kEmptyText:
      return kNothing;
    case Op::kSet:
      return sets_[node.a].contains(code_point) ? kEmptyText : kNothing;
    case Op::kConcat: {
      const Re within = concat(derive(node.a, code_point), node.b);
      return is_nullable(node.a) ? any_of(within, derive(node.b, code_point)) : within;
    }
    case Op::kRepeat: {
      const std::uint32_t max = node.c == kUnlimited ? kUnlimited : node.c - 1;
      return concat(derive(node.a, code_point), repeat(node.a, node.b == 0 ? 0 : node.b - 1, max));
    }
    case Op::kOr:
    case Op::kAnd: {
      std::vector<Re> derived = lists_[node.a];
      for (Re& part : derived) {
        part = derive(part, code_point);
        if (part == kNothing && node.op == Op::kAnd) {
          return kNothing;
        }
      }
      return node.op == Op::kOr ? any_of(std::move(derived)) : all_of(std::move(derived));
    }
    case Op::kNot:
      return complement(derive(node.a, code_point));
    case Op::kLeaf: {
      std::uint32_t state = 0;
      const bool lives = languages_[node.a]->next(node.b, code_point, state);
      return lives ? leaf(node.a, state) : kNothing;
    }
  }
  return kNothing;
}

void RegexPool::append_borders(Re re, std::vector<std::uint32_t>& out) const {
  const Node& node = nodes_[re];
  switch (node.op) {
    case Op::kNothing:
    case Op::kEmptyText:
      return;
    case Op::kSet:
      for (const CodeRange& range : sets_[node.a].ranges()) {
        out.push_back(range.first);
        out.push_back(range.last + 1);
      }
      return;
    case Op::kConcat:
      append_borders(node.a, out);
      if (is_nullable(node.a)) {
        append_borders(node.b, out);
      }
      return;
    case Op::kRepeat:
    case Op::kNot:
      append_borders(node.a, out);
      return;
    case Op::kOr:
    case Op::kAnd:
      for (const Re part : lists_[node.a]) {
        append_borders(part, out);
      }
      return;
    case Op::kLeaf:
      languages_[node.a]->borders(node.b, out);
      return;
  }
}

std::vector<RegexStep> RegexPool::raw_steps(Re re) {
  std::vector<std::uint32_t> borders{0};
  append_borders(re, borders);
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  std::vector<RegexStep> steps;
  for (std::size_t i = 0; i < borders.size() && borders[i] <= kMaxCodePoint; ++i) {
    const Re next = derive(re, borders[i]);
    const std::uint32_t last =
        i + 1 < borders.size() ? std::min(borders[i + 1] - 1, kMaxCodePoint) : kMaxCodePoint;
    if (!steps.empty() && steps.back().next == next) {
      steps.back().last = last;
    } else {
      steps.push_back({last, next});
    }
  }
  return steps;
}

const std::vector<RegexStep>& RegexPool::unchecked_steps(Re re) {
  if (unchecked_.size() <= re) {
    unchecked_.resize(std::max<std::size_t>(re + 1, nodes_.size()));
  }
  if (!unchecked_[re]) {
    auto steps = std::make_unique<std::vector<RegexStep>>(raw_steps(re));
    if (unchecked_.size() <= re) {
      unchecked_.resize(nodes_.size());
    }
    unchecked_[re] = std::move(steps);
  }
  return *unchecked_[re];
}

std::span<const RegexStep> RegexPool::steps(Re re) {
  if (steps_.size() <= re) {
    steps_.resize(std::max<std::size_t>(re + 1, nodes_.size()));
  }
  if (!steps_[re]) {
    auto checked = std::make_unique<std::vector<RegexStep>>();
    for (RegexStep step : unchecked_steps(re)) {
      step.next = is_nothing(step.next) ? kNothing : step.next;
      if (!checked->empty() && checked->back().next == step.next) {
        checked->back().last = step.last;
      } else {
        checked->push_back(step);
      }
    }
    steps_[re] = std::move(checked);
  }
  return *steps_[re];
}

Re RegexPool::next(Re re, std::uint32_t code_point) {
  const std::span<const RegexStep> all = steps(re);
  return std::lower_bound(all.begin(), all.end(), code_point,
                          [](const RegexStep& s, std::uint32_t value) { return s.last < value; })
      ->next;
}

bool RegexPool::is_nothing(Re re) {
  if (facts_[re].fate == Fate::kUnknown) {
    return !search_text(re);
  }
  return facts_[re].fate == Fate::kNone;
}

// Depth first for an expression that is known to match something. If there is none, nothing that
// was looked at matches anything.
bool RegexPool::search_text(Re root) {
  struct Visit {
    Re re;
    std::size_t step;
  };
  std::vector<Visit> path{{root, 0}};
  std::vector<Re> seen{root};
  const std::uint32_t search = ++search_;  // a leaf language may search on its own meanwhile
  const auto visit_first = [&](Re re) {
    if (seen_in_.size() <= re) {
      seen_in_.resize(nodes_.size(), 0);
    }
    return std::exchange(seen_in_[re], search) != search;
  };
  visit_first(root);
  while (!path.empty()) {
    Visit& visit = path.back();
    const std::vector<RegexStep>& all = unchecked_steps(visit.re);
    if (visit.step == all.size()) {
      path.pop_back();
      continue;
    }
    const Re next = all[visit.step++].next;
    if (facts_[next].fate == Fate::kSome) {
      for (const Visit& step : path) {
        facts_[step.re].fate = Fate::kSome;
      }
      return true;
    }
    if (facts_[next].fate == Fate::kUnknown && visit_first(next)) {
      searches_left_ -= searches_left_ > 0 ? 1 : 0;
      seen.push_back(next);
      path.push_back({next, 0});
      if (seen.size() > kMaxSearched || searches_left_ == 0) {
        return true;
      }
    }
  }
  for (const Re re : seen) {
    facts_[re].fate = Fate::kNone;
  }
  return false;
}

bool RegexPool::matches(Re re, std::u32string_view text) {
  for (const char32_t letter : text) {
    if (re == kNothing) {
      return false;
    }
    re = derive(re, letter);
  }
  return is_nullable(re);
}

}  // namespace vernal::grammar
