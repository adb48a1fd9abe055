// Group step: results that stay, results as inputs, and two programs of one instance at a time.
#include <atomic>
#include <exception>
#include <functional>
#include <thread>

#include "plugin_check/cases/operation_case.hpp"
#include "plugin_check/finding.hpp"
#include "plugin_check/subject/loaded_model.hpp"

namespace vernal::check {
namespace {

using Rows = std::vector<float>;

// ---- results ------------------------------------------------------------------------------------

constexpr std::int64_t kWidth = 64;

/// hidden = map(x), both f32 [T, kWidth]: a result fits as the input of another step.
MadeModule make_map() {
  RandomNumbers random(61);
  MadeWeights weights;
  weights.add("map", {kWidth, kWidth}, random, 0.2);
  return make_module(std::move(weights), [](const Builder& b) {
    const Tensor x = b.input("x", Element::kF32, {kTokens, kWidth});
    b.output("hidden", b.linear("map", x, b.weight("map", {kWidth, kWidth}), {}, Element::kF32),
             "all");
  });
}

/// A map in the plugin, stepped by hand.
class Mapped {
 public:
  explicit Mapped(const Options& options)
      : plugin_(options),
        backend_(open_backend(plugin_)),
        made_(make_map()),
        session_(backend_, made_) {
    sequence_ = session_.start(100);
  }

  /// The next step; its input is `x`, or the result of the step `ticket`.
  plugin::BackendStep submit(const Rows& x, std::uint64_t num_tokens, vernal_ticket ticket = 0) {
    plugin::StepInput input = plugin::StepInput::host<float>("x", x);
    if (ticket != 0) input = {"x", {}, ticket, "hidden"};
    const std::vector<StepSequence> parts{{sequence_, 0, num_tokens, length_}};
    const std::vector<std::int32_t> rows{0};
    const std::vector<std::string_view> outputs{"hidden"};
    plugin::BackendStep step =
        session_.pool().submit({0, num_tokens, parts, rows, std::span(&input, 1), outputs});
    length_ += num_tokens;
    expect(step.wait(0), "step_wait without a limit: expected the end of the step, found DEADLINE");
    return step;
  }
  static Rows result(plugin::BackendStep& step, std::uint64_t num_tokens) {
    const StepOutput output = step.output("hidden", num_tokens, kWidth);
    return {output.data, output.data + output.rows * output.columns};
  }
  /// The result of one step that nothing else is going on beside.
  Rows run(const Rows& x, std::uint64_t num_tokens) {
    plugin::BackendStep step = submit(x, num_tokens);
    return result(step, num_tokens);
  }

 private:
  PluginUnderTest plugin_;
  plugin::BackendInstance backend_;
  MadeModule made_;
  Session session_;
  vernal_sequence_id sequence_ = 0;
  std::uint64_t length_ = 0;
};

Rows made_rows(std::uint64_t seed, std::uint64_t num_tokens) {
  return RandomNumbers(seed).floats(static_cast<std::int64_t>(num_tokens) * kWidth);
}

void test_results(const Options& options) {
  Mapped map(options);
  const Rows x = made_rows(62, 5);
  const Rows wanted = map.run(x, 5);
  plugin::BackendStep held = map.submit(x, 5);
  const StepOutput output = held.output("hidden", 5, kWidth);
  const Rows first(output.data, output.data + 5 * kWidth);
  expect_close("a step like an earlier one", first, wanted, kWidth, 1e-10);
  for (const std::uint64_t num_tokens : {5U, 1U, 9U, 5U}) {
    map.run(made_rows(63 + num_tokens, num_tokens), num_tokens);
  }
  expect_close("a result after four later steps", {output.data, output.data + 5 * kWidth}, first,
               kWidth, 0);
  expect_close("a result asked for again after four later steps", Mapped::result(held, 5), first,
               kWidth, 0);
}

void test_earlier_result(const Options& options) {
  Mapped map(options);
  const Rows a = made_rows(64, 5);
  const Rows b = made_rows(65, 5);
  const Rows of_a = map.run(a, 5);
  const Rows wanted = map.run(of_a, 5);
  plugin::BackendStep earlier = map.submit(a, 5);
  map.run(b, 5);
  plugin::BackendStep last = map.submit({}, 5, earlier.ticket());
  expect_close("a step over the result of the step before the last", Mapped::result(last, 5),
               wanted, kWidth, 1e-10);
  expect_close("the result that was an input", Mapped::result(earlier, 5), of_a, kWidth, 1e-10);
}

// ---- two programs -------------------------------------------------------------------------------

/// One model in an instance that has others beside it.
class Neighbour {
 public:
  Neighbour(plugin::BackendInstance& backend, Memory memory)
      : made_(make_tiny_model(memory)),
        store_(made_),
        plan_(backend.plan(made_.ref(), small_plan())),
        program_(plan_.build(store_, {})) {}

  /// What an engine thread does with a model: a pool, and in it a conversation with forks and cuts.
  ///   seed   of its tokens
  Logits use(std::uint64_t seed) {
    plugin::BackendPool pool = program_.create_pool();
    Logits all;
    for (std::uint64_t round = 0; round < 3; ++round) {
      const auto sequence = pool.seq_create();
      expect(sequence.has_value(), "seq_create was refused in a pool of its own");
      expect(pool.seq_reserve(*sequence, kRoom), "seq_reserve was refused in a pool of its own");
      const Ids ids = tokens(seed + round, 60);
      std::size_t done = 0;
      for (const std::size_t count : {33U, 1U, 7U, 1U, 1U, 17U}) {
        append(all, step(pool, *sequence, std::span(ids).subspan(done, count), done));
        done += count;
      }
      const auto fork = pool.seq_fork(*sequence, 0, done);
      expect(fork && pool.seq_reserve(*fork, 4), "a fork was refused in a pool of its own");
      append(all, step(pool, *fork, std::span(ids).first(2), done));
      pool.seq_release(*fork);
      pool.seq_release(*sequence);
    }
    return all;
  }

 private:
  static void append(Logits& all, const Logits& next) {
    all.insert(all.end(), next.begin(), next.end());
  }
  static Logits step(plugin::BackendPool& pool, vernal_sequence_id sequence,
                     std::span<const std::int32_t> ids, std::uint64_t position) {
    std::vector<std::int32_t> positions;
    std::vector<std::int32_t> rows;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      positions.push_back(static_cast<std::int32_t>(position + i));
      rows.push_back(static_cast<std::int32_t>(i));
    }
    const std::vector<StepSequence> parts{{sequence, 0, ids.size(), position}};
    const std::vector<plugin::StepInput> inputs{
        plugin::StepInput::host<std::int32_t>("ids", ids),
        plugin::StepInput::host<std::int32_t>("positions", positions)};
    const std::vector<std::string_view> outputs{"logits"};
    plugin::BackendStep step = pool.submit({0, ids.size(), parts, rows, inputs, outputs});
    expect(step.wait(0), "step_wait without a limit: expected the end of the step, found DEADLINE");
    const StepOutput output = step.output("logits", ids.size(), kVocabulary);
    return {output.data, output.data + output.rows * output.columns};
  }

  MadeModule made_;
  MadeStore store_;
  plugin::BackendPlan plan_;
  plugin::BackendProgram program_;
};

/// Runs `theirs` on a thread of its own while this one runs `ours`; what either throws is thrown
/// here. Both begin together.
void run_together(const std::function<void()>& theirs, const std::function<void()>& ours) {
  std::atomic<int> num_ready = 0;
  const auto meet = [&] {
    ++num_ready;
    while (num_ready < 2) std::this_thread::yield();
  };
  std::exception_ptr failure;
  std::thread thread([&] {
    try {
      meet();
      theirs();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  try {
    meet();
    ours();
  } catch (...) {
    thread.join();
    throw;
  }
  thread.join();
  if (failure) std::rethrow_exception(failure);
}

void expect_as_alone(const char* what, const Logits& found, const Logits& alone) {
  expect_close(fmt::format("{}, against the same alone", what), found, alone, kVocabulary, 1e-6);
}

constexpr std::uint64_t kOurs = 71;
constexpr std::uint64_t kTheirs = 81;

void test_two_programs(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  Neighbour one(backend, Memory::kFull);
  Neighbour other(backend, Memory::kMixed);
  const Logits one_alone = one.use(kOurs);
  const Logits other_alone = other.use(kTheirs);
  for (int round = 0; round < 3; ++round) {
    Logits found;
    Logits found_of_other;
    run_together([&] { found_of_other = other.use(kTheirs); }, [&] { found = one.use(kOurs); });
    expect_as_alone("a program beside another of its instance", found, one_alone);
    expect_as_alone("another program beside it", found_of_other, other_alone);
  }
}

void test_build_beside(const Options& options) {
  PluginUnderTest plugin(options);
  plugin::BackendInstance backend = open_backend(plugin);
  Neighbour one(backend, Memory::kFull);
  const Logits alone = one.use(kTheirs);
  Logits of_new_model;
  for (int round = 0; round < 3; ++round) {
    std::vector<Logits> found;
    std::atomic<bool> is_built = false;
    run_together(
        [&] {
          do {
            found.push_back(one.use(kTheirs));
          } while (!is_built);
        },
        [&] {
          try {
            for (int i = 0; i < 5; ++i) Neighbour(backend, Memory::kMixed);
            Logits next = Neighbour(backend, Memory::kMixed).use(kOurs);
            if (round > 0) {
              expect_as_alone("a program built while another steps", next, of_new_model);
            }
            of_new_model = std::move(next);
          } catch (...) {
            is_built = true;
            throw;
          }
          is_built = true;
        });
    for (const Logits& logits : found) {
      expect_as_alone("a program while others are built and destroyed", logits, alone);
    }
  }
}

constexpr Test kTests[] = {
    {"step.results", "a result stays as it is until step_release", test_results, kBackends},
    {"step.earlier_result", "an input of VERNAL_INPUT_STEP is the result of that step",
     test_earlier_result, kBackends},
    {"step.two_programs", "two programs of one instance step at the same time", test_two_programs,
     kBackends, 0, 60},
    {"step.build_beside", "programs are built and destroyed while another steps", test_build_beside,
     kBackends, 0, 60},
};

}  // namespace

std::span<const Test> step_tests() { return kTests; }

}  // namespace vernal::check
