#include "text/grammar/gbnf/gbnf_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "text/grammar/error.hpp"
#include "text/grammar/gbnf/left_recursion.hpp"

namespace vernal::grammar {
namespace {

using GbnfKind = GbnfNode::Kind;

void append_rules(const GbnfNode& node, std::vector<std::uint32_t>& out) {
  if (node.kind == GbnfKind::kRule) {
    out.push_back(node.rule);
  }
  for (const GbnfNode& part : node.parts) {
    append_rules(part, out);
  }
}

}  // namespace

GbnfRules::GbnfRules(std::string_view text, RegexPool& pool)
    : pool_(pool), rules_(parse_gbnf(text)) {
  remove_left_recursion(rules_);
  find_productive();
  if (is_productive_[0] == 0) {
    throw GrammarError(fmt::format("line {}", rules_[0].line), "gbnf", "no answer ever ends");
  }
  find_plain_rules();
  rule_sequences_.resize(rules_.size());
  is_compiled_.resize(rules_.size(), 0);
}

bool GbnfRules::is_productive(const GbnfNode& node) const {
  switch (node.kind) {
    case GbnfKind::kSet:
      return !node.set.is_empty();
    case GbnfKind::kRule:
      return is_productive_[node.rule] != 0;
    case GbnfKind::kSequence:
      return std::all_of(node.parts.begin(), node.parts.end(),
                         [&](const GbnfNode& part) { return is_productive(part); });
    case GbnfKind::kChoice:
      return std::any_of(node.parts.begin(), node.parts.end(),
                         [&](const GbnfNode& part) { return is_productive(part); });
    case GbnfKind::kRepeat:
      return node.min == 0 || is_productive(node.parts[0]);
  }
  return false;
}

void GbnfRules::find_productive() {
  is_productive_.assign(rules_.size(), 0);
  for (bool changes = true; changes;) {
    changes = false;
    for (std::size_t i = rules_.size(); i-- > 0;) {
      if (is_productive_[i] == 0 && is_productive(rules_[i].body)) {
        is_productive_[i] = 1;
        changes = true;
      }
    }
  }
}

// Rules from which no recursion is reached, in an order in which each follows those that it uses.
void GbnfRules::find_plain_rules() {
  plain_rules_.assign(rules_.size(), kUnlimited);
  std::vector<std::vector<std::uint32_t>> users(rules_.size());
  std::vector<std::size_t> num_open(rules_.size(), 0);
  std::vector<std::uint32_t> ready;
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    std::vector<std::uint32_t> used;
    append_rules(rules_[i].body, used);
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    num_open[i] = used.size();
    for (const std::uint32_t rule : used) {
      users[rule].push_back(i);
    }
    if (used.empty()) {
      ready.push_back(i);
    }
  }
  while (!ready.empty()) {
    const std::uint32_t rule = ready.back();
    ready.pop_back();
    try {
      plain_rules_[rule] = plain(rules_[rule].body);
    } catch (const RegexLimit&) {
      continue;  // the rule, and those that use it, are followed with frames
    }
    for (const std::uint32_t user : users[rule]) {
      if (--num_open[user] == 0) {
        ready.push_back(user);
      }
    }
  }
}

bool GbnfRules::is_plain(const GbnfNode& node) const {
  if (node.kind == GbnfKind::kRule) {
    return plain_rules_[node.rule] != kUnlimited;
  }
  return std::all_of(node.parts.begin(), node.parts.end(),
                     [&](const GbnfNode& part) { return is_plain(part); });
}

Re GbnfRules::plain(const GbnfNode& node) {
  switch (node.kind) {
    case GbnfKind::kSet:
      return pool_.set(node.set);
    case GbnfKind::kRule:
      return plain_rules_[node.rule];
    case GbnfKind::kSequence: {
      Re result = kEmptyText;
      for (auto part = node.parts.rbegin(); part != node.parts.rend(); ++part) {
        result = pool_.concat(plain(*part), result);
      }
      return result;
    }
    case GbnfKind::kChoice: {
      std::vector<Re> parts;
      for (const GbnfNode& part : node.parts) {
        parts.push_back(plain(part));
      }
      return pool_.any_of(std::move(parts));
    }
    case GbnfKind::kRepeat:
      return pool_.repeat(plain(node.parts[0]), node.min, node.max);
  }
  return kNothing;
}

std::uint32_t GbnfRules::compile_sequence(const GbnfNode& node) {
  Sequence sequence;
  const auto add = [&](const GbnfNode& part) {
    Step step = compile_step(part);
    const bool is_text = step.kind == Step::Kind::kText;
    if (is_text && !sequence.empty() && sequence.back().kind == Step::Kind::kText) {
      sequence.back().text = pool_.concat(sequence.back().text, step.text);
    } else {
      sequence.push_back(std::move(step));
    }
  };
  if (node.kind == GbnfKind::kSequence) {
    std::for_each(node.parts.begin(), node.parts.end(), add);
  } else {
    add(node);
  }
  sequences_.push_back(std::move(sequence));
  return static_cast<std::uint32_t>(sequences_.size() - 1);
}

std::vector<std::uint32_t> GbnfRules::compile_branches(const GbnfNode& node) {
  std::vector<std::uint32_t> branches;
  const auto add = [&](const GbnfNode& branch) {
    if (is_productive(branch)) {
      branches.push_back(compile_sequence(branch));
    }
  };
  if (node.kind == GbnfKind::kChoice) {
    std::for_each(node.parts.begin(), node.parts.end(), add);
  } else {
    add(node);
  }
  return branches;
}

GbnfRules::Step GbnfRules::compile_step(const GbnfNode& node) {
  Step step;
  if (is_plain(node)) {
    try {
      step.text = plain(node);
      return step;
    } catch (const RegexLimit&) {
      step.text = kNothing;
    }
  }
  step.kind = Step::Kind::kChoice;
  if (node.kind == GbnfKind::kRule) {
    step.rule = node.rule;
  } else if (node.kind == GbnfKind::kRepeat) {
    step.kind = Step::Kind::kRepeat;
    step.min = node.min;
    step.max = is_productive(node.parts[0]) ? node.max : 0;
    step.sequences.push_back(compile_sequence(node.parts[0]));
    loops_.push_back(step);
    step.rule = static_cast<std::uint32_t>(loops_.size() - 1);
  } else {
    step.sequences = compile_branches(node);
  }
  return step;
}

const std::vector<std::uint32_t>& GbnfRules::sequences_of(std::uint32_t rule) {
  if (is_compiled_[rule] == 0) {
    is_compiled_[rule] = 1;
    std::vector<std::uint32_t> branches = compile_branches(rules_[rule].body);
    rule_sequences_[rule] = std::move(branches);
  }
  return rule_sequences_[rule];
}

void GbnfRules::begin(HeadSink& sink) {
  GbnfNode call;
  call.kind = GbnfKind::kRule;
  const std::uint32_t sequence = compile_sequence(call);
  const FrameId end = sink.intern({0, kEnd});
  Frame frame;
  frame.kind = kAt;
  frame.parents = sink.parents_of(end);
  frame.spec = sequence;
  follow(sink.intern(frame), sink);
}

void GbnfRules::complete(FrameId frame, const LexState&, HeadSink& sink) { follow(frame, sink); }

void GbnfRules::follow(FrameId start, HeadSink& sink) {
  waiting_.assign(1, start);
  seen_.clear();
  while (!waiting_.empty() && seen_.size() < kMaxFrames) {
    const FrameId id = waiting_.back();
    waiting_.pop_back();
    if (!seen_.insert(id).second) {
      continue;
    }
    const Frame frame = sink.frame(id);
    if (frame.kind == kEnd) {
      sink.accept();
    } else if (frame.kind == kLoop) {
      follow_loop(frame, sink);
    } else {
      follow_sequence(frame, sink);
    }
  }
}

void GbnfRules::follow_parents(const Frame& frame, HeadSink& sink) {
  for (const FrameId parent : sink.parents(frame)) {
    waiting_.push_back(parent);
  }
}

void GbnfRules::follow_sequence(const Frame& frame, HeadSink& sink) {
  if (frame.count == sequences_[frame.spec].size()) {
    follow_parents(frame, sink);
    return;
  }
  const Step step = sequences_[frame.spec][frame.count];
  const bool is_last = frame.count + 1U == sequences_[frame.spec].size();
  Frame after = frame;
  ++after.count;
  if (step.kind == Step::Kind::kText) {
    sink.head(sink.lexer().raw(step.text), sink.intern(after));
    return;
  }
  Frame inner;
  inner.kind = kAt;
  // What ends a sequence returns to what follows the sequence, so that lists grow no stack.
  inner.parents = is_last ? frame.parents : sink.parents_of(sink.intern(after));
  if (step.kind == Step::Kind::kRepeat) {
    inner.kind = kLoop;
    inner.spec = step.rule;
    waiting_.push_back(sink.intern(inner));
    return;
  }
  const std::vector<std::uint32_t> branches =
      step.rule != kUnlimited ? sequences_of(step.rule) : step.sequences;
  for (const std::uint32_t branch : branches) {
    inner.spec = branch;
    waiting_.push_back(sink.intern(inner));
  }
}

void GbnfRules::follow_loop(const Frame& frame, HeadSink& sink) {
  const Step& loop = loops_[frame.spec];
  if (frame.count >= loop.min) {
    follow_parents(frame, sink);
  }
  if (frame.count >= loop.max) {
    return;
  }
  Frame next = frame;
  next.count = loop.max == kUnlimited ? std::min(frame.count + 1, loop.min) : frame.count + 1;
  Frame round;
  round.kind = kAt;
  round.parents = sink.parents_of(sink.intern(next));
  round.spec = loop.sequences[0];
  waiting_.push_back(sink.intern(round));
}

}  // namespace vernal::grammar
