// Templates that try to exhaust, hang or crash the engine. Each must end within a second, in a
// clean error or in output within its limit.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <ctime>
#include <ostream>
#include <string>
#include <vector>

#include "render.hpp"

namespace vernal::jinja {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JINJA_TEST_IS_INSTRUMENTED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    defined(JINJA_TEST_IS_INSTRUMENTED)
constexpr double kAllowedSeconds = 20;  // what the instrumentation costs
#else
constexpr double kAllowedSeconds = 1;
#endif

enum class Ending { kLimit, kError, kAny };

struct Attack {
  std::string name;
  std::string source;
  Ending ending = Ending::kLimit;
  bool allows_mutation = false;
};

void PrintTo(const Attack& attack, std::ostream* out) { *out << attack.name; }

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) {
    result += text;
  }
  return result;
}

/// A template that runs `{% set v = step of v %}` many times in a loop.
std::string grown(const std::string& start, const std::string& step, int times = 60) {
  return "{% set n = namespace(v=" + start + ") %}{% for i in range(" + std::to_string(times) +
         ") %}{% set n.v = " + step + " %}{% endfor %}{{ n.v|length }}";
}

class JinjaHostile : public testing::TestWithParam<Attack> {};

TEST_P(JinjaHostile, EndsCleanlyAndSoon) {
  const Attack& attack = GetParam();
  RenderLimits limits;
  limits.allow_mutation = attack.allows_mutation;
  const std::clock_t start = std::clock();  // processor time: others may be busy
  try {
    const std::string text = render(attack.source, {{"s", std::string(1000, 'x')}}, limits);
    EXPECT_EQ(attack.ending, Ending::kAny) << "rendered " << text.substr(0, 200);
    EXPECT_LE(text.size(), limits.max_output_bytes);
  } catch (const TemplateLimit& limit) {
    EXPECT_NE(attack.ending, Ending::kError) << limit.what();
    EXPECT_EQ(limit.code(), VERNAL_RESOURCE_EXHAUSTED);
  } catch (const TemplateError& error) {
    EXPECT_NE(attack.ending, Ending::kLimit) << error.what();
  }
  EXPECT_LT(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC, kAllowedSeconds);
}

std::string loops(int depth) {
  return repeated("{% for i in range(100000) %}", depth) + "x" + repeated("{% endfor %}", depth);
}

std::vector<Attack> time_attacks() {
  return {
      {"nested_loops", loops(3)},
      {"silent_loops",
       "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"},
      {"loop_filter_that_never_holds",
       "{% for i in range(100000) %}{% for j in range(100000) if false %}{% endfor %}{% endfor %}"},
      {"loop_over_a_growing_list",
       "{% set l = [1] %}{% for i in l %}{% set _ = l.append(i) %}{% endfor %}", Ending::kLimit,
       true},
      {"searching_a_long_text",
       "{% set t = s * 10000 %}{% for i in range(100000) %}{{ 'y' in t }}{% endfor %}"},
      {"comparing_long_texts",
       "{% set t = s * 10000 %}{% set u = s * 10000 %}{% for i in range(100000) %}{% if t == u "
       "%}{% endif %}{% endfor %}"},
      {"changing_case_of_a_long_text",
       "{% set t = s * 10000 %}{% for i in range(100000) %}{% set u = t.upper() %}{% endfor %}"},
      {"sorting_again_and_again",
       "{% set l = range(100000)|list %}{% for i in range(100000) %}{% set m = "
       "l|sort(reverse=true) %}{% endfor %}"},
      {"comparing_lists_that_share",
       "{% set a = namespace(v=[1]) %}{% set b = namespace(v=[1]) %}{% for i in range(50) %}"
       "{% set a.v = [a.v, a.v] %}{% set b.v = [b.v, b.v] %}{% endfor %}{{ a.v == b.v }}"},
      {"hashing_tuples_that_share",
       "{% set a = namespace(v=(1,)) %}{% for i in range(50) %}{% set a.v = (a.v, a.v) %}{% endfor "
       "%}{{ {a.v: 1}|length }}"},
      {"splitting_a_long_text",
       "{% set t = 'a ' * 1000000 %}{% for i in range(1000) %}{% set l = t.split() %}{% endfor %}"},
      {"length_of_a_long_text",
       "{% for i in range(100000) %}{% set t = s * 1000 %}{% if t|length == 7 %}{% endif %}{% "
       "endfor %}"},
      {"many_variables", "{% for i in range(100000) %}" +
                             [] {
                               std::string sets;
                               for (int i = 0; i < 3000; ++i) {
                                 sets += "{% set v" + std::to_string(i) + " = 1 %}";
                               }
                               return sets;
                             }() +
                             "{% endfor %}"},
  };
}

std::vector<Attack> memory_attacks() {
  return {
      {"text_times_a_number", "{{ 'x' * 1000000000000 }}"},
      {"list_times_a_number", "{{ [1] * 1000000000000 }}"},
      {"doubling_by_plus", grown("'x'", "n.v + n.v")},
      {"doubling_by_tilde", grown("'x'", "n.v ~ n.v")},
      {"doubling_a_list", grown("[1]", "n.v + n.v")},
      {"doubling_by_replace", grown("'xx'", "n.v.replace('x', 'xxxx')")},
      {"doubling_by_the_replace_filter", grown("'xx'", "n.v|replace('x', 'xxxx')")},
      {"doubling_by_join", grown("'xx'", "n.v.join([n.v, n.v, n.v])")},
      {"doubling_by_the_join_filter", grown("'xx'", "[n.v, n.v, n.v]|join(n.v)")},
      {"doubling_by_format", grown("'xx'", "'%s%s' % (n.v, n.v)")},
      {"doubling_by_braces", grown("'xx'", "'{0}{0}'.format(n.v)")},
      {"doubling_by_capture",
       grown("'xx'", "n.v") + "{% set a = s %}" +
           repeated("{% set a %}{{ a }}{{ a }}{{ a }}{{ a }}{% endset %}", 40)},
      {"doubling_by_macro",
       "{% macro m(t) %}{{ t }}{{ t }}{% endmacro %}" + grown("'xx'", "m(n.v)")},
      {"doubling_by_escape", grown("'<'", "(n.v * 2)|forceescape")},
      {"doubling_by_repr", grown("'\\''", "[n.v, n.v]|string")},
      {"doubling_by_json", grown("'\"'", "[n.v, n.v]|tojson")},
      {"doubling_by_urlencode", grown("'%'", "(n.v * 2)|urlencode")},
      {"doubling_by_append",
       "{% set l = [1] %}{% for i in range(60) %}{% set _ = l.extend(l) %}{% endfor %}",
       Ending::kLimit, true},
      {"printing_what_is_shared",
       "{% set n = namespace(v=[1]) %}{% for i in range(60) %}{% set n.v = [n.v, n.v] %}{% endfor "
       "%}{{ n.v }}"},
      {"json_of_what_is_shared",
       "{% set n = namespace(v=[1]) %}{% for i in range(60) %}{% set n.v = [n.v, n.v] %}{% endfor "
       "%}{{ n.v|tojson }}"},
      {"wide_field_by_percent", "{{ '%1000000000d' % 1 }}"},
      {"precise_field_by_percent", "{{ '%.1000000000d' % 1 }}", Ending::kAny},
      {"precise_float_by_percent", "{{ '%.1000000000f' % 1.5 }}", Ending::kError},
      {"wide_field_by_star", "{{ '%*d' % (1000000000, 1) }}"},
      {"wide_field_by_braces", "{{ '{:>1000000000}'.format('x') }}"},
      {"wide_center_filter", "{{ 'x'|center(100000000000) }}"},
      {"wide_center_method", "{{ 'x'.center(100000000000, '\xC3\xA9') }}"},
      {"wide_ljust", "{{ 'x'.ljust(100000000000) }}"},
      {"wide_zfill", "{{ '1'.zfill(100000000000) }}"},
      {"wide_indent", "{{ 'a\\nb'|indent(100000000000) }}"},
      {"indent_of_many_lines", "{{ ('a\\n' * 100000)|indent(100000) }}"},
      {"wide_json_indent", "{{ [1]|tojson(indent=100000000000) }}"},
      {"deep_json_indent", "{{ [[[[1]]]]|tojson(indent=10000000) }}"},
      {"huge_range", "{{ range(100000000000)|list }}"},
      {"range_of_extremes", "{{ range(-9223372036854775807, 9223372036854775807)|length }}"},
      {"many_ranges_kept",
       "{% set n = namespace(l=[]) %}{% for i in range(1000) %}{% set n.l = n.l + "
       "[range(100000)|list] %}{% endfor %}"},
      {"batch_filled_up", "{{ [1]|batch(100000000000, 'x')|list }}"},
      {"slices_of_nothing", "{{ []|slice(100000000000)|list }}"},
      {"endless_output", "{% for i in range(100000) %}{{ s * 1000 }}{% endfor %}"},
      {"long_strftime", "{% set f = '%c' * 20000000 %}{{ strftime_now(f) }}"},
      {"deep_json_text", "{{ ('[' * 1000000)|from_json }}", Ending::kError},
      {"wide_json_text", "{{ ('[' ~ '[],' * 5000000 ~ '[]]')|from_json|length }}"},
      {"json_text_kept",
       "{% set n = namespace(l=[]) %}{% for i in range(1000) %}{% set n.l = n.l + [('[' ~ '[],' * "
       "100000 ~ '[]]')|from_json] %}{% endfor %}"},
  };
}

std::vector<Attack> depth_attacks() {
  return {
      {"macro_that_calls_itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"},
      {"macros_that_call_each_other",
       "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}"},
      {"macro_through_a_deep_body", "{% macro m() %}" + repeated("{% if true %}", 150) +
                                        "{{ m() }}" + repeated("{% endif %}", 150) +
                                        "{% endmacro %}{{ m() }}"},
      {"caller_that_calls_itself",
       "{% macro m() %}{{ caller() }}{% endmacro %}{% macro n() %}{% call m() %}{{ n() }}{% "
       "endcall %}{% endmacro %}{{ n() }}"},
      {"recursive_loop", "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}"},
      {"parentheses", "{{ " + repeated("(", 100000) + "1" + repeated(")", 100000) + " }}"},
      {"lists", "{{ " + repeated("[", 100000) + repeated("]", 100000) + " }}"},
      {"dicts", "{{ " + repeated("{1:", 100000) + "1" + repeated("}", 100000) + " }}"},
      {"filters", "{{ 1" + repeated("|string", 100000) + " }}"},
      {"filter_arguments", "{{ 1" + repeated("|d(1", 100000) + repeated(")", 100000) + " }}"},
      {"attributes", "{{ s" + repeated(".a", 100000) + " }}"},
      {"subscripts", "{{ s" + repeated("[0", 100000) + repeated("]", 100000) + " }}"},
      {"calls", "{{ s" + repeated("()", 100000) + " }}"},
      {"unary_minus", "{{ " + repeated("-", 100000) + "1 }}"},
      {"nots", "{{ " + repeated("not ", 100000) + "1 }}"},
      {"tests", "{{ 1" + repeated(" is eq (1", 100000) + repeated(")", 100000) + " }}"},
      {"inline_ifs", "{{ 1" + repeated(" if 1 else 1", 100000) + " }}"},
      {"powers", "{{ 1" + repeated(" ** 1", 100000) + " }}", Ending::kAny},
      {"sums", "{{ 1" + repeated(" + 1", 100000) + " }}", Ending::kAny},
      {"concatenations", "{{ 1" + repeated(" ~ 1", 100000) + " }}", Ending::kAny},
      {"conjunctions", "{{ 1" + repeated(" and 1", 100000) + " }}", Ending::kAny},
      {"comparisons", "{{ 1" + repeated(" < 2", 100000) + " }}", Ending::kAny},
      {"nested_ifs", repeated("{% if 1 %}", 100000) + repeated("{% endif %}", 100000)},
      {"nested_loops_of_one", repeated("{% for i in [1] %}", 100000)},
      {"nested_sets", repeated("{% set a %}", 100000)},
      {"nested_macros", repeated("{% macro m() %}", 100000)},
      {"many_elifs", "{% if 0 %}" + repeated("{% elif 0 %}", 100000) + "{% endif %}", Ending::kAny},
      {"nested_targets",
       "{% set " + repeated("(", 100000) + "a" + repeated(")", 100000) + " = 1 %}"},
      {"nested_values_printed",
       "{% set n = namespace(v=[]) %}{% for i in range(10000) %}{% set n.v = [n.v] %}{% endfor "
       "%}{{ n.v }}"},
      {"nested_values_compared",
       "{% set n = namespace(v=[], w=[]) %}{% for i in range(10000) %}{% set n.v = [n.v] %}{% set "
       "n.w = [n.w] %}{% endfor %}{{ n.v == n.w }}"},
      {"nested_values_to_json",
       "{% set n = namespace(v=[]) %}{% for i in range(10000) %}{% set n.v = {'a': n.v} %}{% "
       "endfor %}{{ n.v|tojson }}"},
      {"nested_values_dropped",
       "{% set n = namespace(v=[]) %}{% for i in range(100000) %}{% set n.v = [n.v] %}{% endfor "
       "%}{% set n.v = 1 %}",
       Ending::kAny},
      {"nested_map_filters", "{{ [[1]]|map(" + repeated("'map', ", 1000) + "'string')|list }}",
       Ending::kAny},
  };
}

std::vector<Attack> cycle_attacks() {
  const std::string knot = "{% set n = namespace() %}{% set n.me = n %}";
  const std::string list = "{% set l = [] %}{% set _ = l.append(l) %}";
  return {
      {"namespace_in_itself_printed", knot + "{{ n }}", Ending::kAny},
      {"namespace_in_a_list_printed", knot + "{{ [n, {'a': n}] }}", Ending::kAny},
      {"namespace_to_json", knot + "{{ n|tojson }}", Ending::kError},
      {"list_in_itself_printed", list + "{{ l }}", Ending::kAny, true},
      {"list_in_itself_to_json", list + "{{ l|tojson }}", Ending::kError, true},
      {"lists_in_themselves_compared",
       list + "{% set m = [] %}{% set _ = m.append(m) %}{{ l == m }}", Ending::kLimit, true},
      {"dict_in_itself", "{% set d = {} %}{% set _ = d.update({'d': d}) %}{{ d }}{{ d|tojson }}",
       Ending::kError, true},
      {"macro_kept_in_its_own_scope",
       "{% macro m() %}{% endmacro %}{% set n = namespace(m=m) %}{% set n.n = n %}", Ending::kAny},
      {"loop_kept_beyond_its_end",
       "{% set n = namespace() %}{% for i in [1, 2] %}{% set n.l = loop %}{% set n.n = n %}{% "
       "endfor %}{{ n.l.index }}{{ n.l.nextitem }}{{ n.l('x') }}",
       Ending::kError},
  };
}

std::vector<Attack> arithmetic_attacks() {
  const std::string smallest = "(-9223372036854775807 - 1)";
  return {
      {"smallest_by_minus_one", "{{ " + smallest + " // -1 }}", Ending::kError},
      {"smallest_modulo_minus_one", "{{ " + smallest + " % -1 }}", Ending::kAny},
      {"smallest_negated", "{{ -" + smallest + " }}", Ending::kError},
      {"smallest_absolute", "{{ " + smallest + "|abs }}", Ending::kError},
      {"smallest_times_minus_one", "{{ " + smallest + " * -1 }}", Ending::kError},
      {"largest_plus_one", "{{ 9223372036854775807 + 1 }}", Ending::kError},
      {"too_large_literal", "{{ 9223372036854775808 }}", Ending::kError},
      {"too_large_text", "{{ '99999999999999999999'|int }}", Ending::kError},
      {"power_too_large", "{{ 10 ** 19 }}", Ending::kError},
      {"power_of_powers", "{{ 9 ** 9 ** 9 ** 9 }}", Ending::kError},
      {"huge_exponent", "{{ 1 ** 9223372036854775807 }}{{ 2 ** 9223372036854775807 }}",
       Ending::kError},
      {"float_out_of_range", "{{ 10.0 ** 400 }}", Ending::kError},
      {"infinity_to_int", "{{ 1e400|int }}{{ (1e400 - 1e400)|int }}{{ 1e300|int }}", Ending::kAny},
      {"modulo_zero", "{{ 5 % 0 }}", Ending::kError},
      {"divided_by_zero", "{{ 5 // 0 }}", Ending::kError},
      {"float_modulo_zero", "{{ 5.5 % 0.0 }}", Ending::kError},
      {"divisible_by_zero", "{{ 5 is divisibleby 0 }}", Ending::kError},
      {"slice_extremes",
       "{{ 'abc'[-9223372036854775807:9223372036854775807] }}{{ [1, "
       "2][9223372036854775807:-9223372036854775807:-9223372036854775807] }}"
       "{{ 'abc'[::" +
           smallest + "] }}{{ 'abc'[::9223372036854775807] }}{{ range(5)[" + smallest + ":] }}",
       Ending::kAny},
      {"slice_step_zero", "{{ 'abc'[::0] }}", Ending::kError},
      {"range_step_zero", "{{ range(1, 2, 0) }}", Ending::kError},
      {"range_step_extreme",
       "{{ range(0, 9223372036854775807, 9223372036854775807)|list }}{{ "
       "range(9223372036854775807, " +
           smallest + ", " + smallest + ")|list }}",
       Ending::kAny},
      {"index_extremes", "{{ 'abc'[" + smallest + "] }}{{ [1][9223372036854775807] }}",
       Ending::kAny},
      {"count_extremes",
       "{{ 'a b'.split(' ', 9223372036854775807) }}{{ 'aa'.replace('a', 'b', " + smallest +
           ") }}{{ 'ab'.find('b', " + smallest + ", 9223372036854775807) }}{{ 'x'|center(" +
           smallest + ") }}{{ 'x' * " + smallest + " }}{{ 'x'.zfill(" + smallest +
           ") }}{{ 1.5|round(" + smallest + ") }}{{ 1.5|round(9223372036854775807) }}",
       Ending::kAny},
      {"insert_extremes",
       "{% set l = [1] %}{% set _ = l.insert(" + smallest +
           ", 0) %}{% set _ = l.insert(9223372036854775807, 2) %}{{ l }}{{ l.pop(" + smallest +
           ") }}",
       Ending::kError, true},
      {"not_a_number_sorted",
       "{{ [3, 1e400 - 1e400, 1, 1e400 - 1e400, 2] * 50 |sort }}{{ ([3, 1e400 - 1e400, 1, 2] * "
       "50)|sort|length }}",
       Ending::kAny},
      {"truncate_extremes", "{{ 'abc'|truncate(" + smallest + ") }}", Ending::kError},
  };
}

std::vector<Attack> escape_attacks() {
  return {
      {"class_of_a_string", "{{ ''.__class__.__mro__[1].__subclasses__() }}", Ending::kError},
      {"globals_of_a_function", "{{ namespace.__init__.__globals__['os'].popen('id').read() }}",
       Ending::kError},
      {"class_by_subscript", "{{ ''['__class__']['__base__'] }}", Ending::kError},
      {"class_by_attr_filter", "{{ (''|attr('__class__'))|attr('__mro__') }}", Ending::kError},
      {"class_by_map", "{{ ['']|map(attribute='__class__.__mro__')|list }}", Ending::kError},
      {"class_by_format", "{{ '{0.__class__.__init__.__globals__}'.format(namespace) }}",
       Ending::kError},
      {"config", "{{ config.items() }}{{ self.__dict__ }}{{ request.application }}",
       Ending::kError},
      {"loop_internals", "{% for i in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
       Ending::kError},
      {"macro_internals", "{% macro m() %}{% endmacro %}{{ m.__call__.__globals__ }}",
       Ending::kError},
      {"cycler_internals", "{{ cycler.__init__.__globals__.os }}", Ending::kError},
      {"include", "{% include '/etc/passwd' %}", Ending::kError},
      {"include_without_failing", "{% include ['/etc/passwd'] ignore missing %}", Ending::kError},
      {"import", "{% import 'os' as os %}", Ending::kError},
      {"from_import", "{% from 'os' import path %}", Ending::kError},
      {"extends", "{% extends '/etc/passwd' %}", Ending::kError},
      {"block", "{% block b %}{% endblock %}", Ending::kError},
  };
}

std::vector<Attack> broken_templates() {
  return {
      {"only_an_opening", "{{", Ending::kError},
      {"only_a_block_opening", "{%", Ending::kError},
      {"only_a_comment_opening", "{#", Ending::kError},
      {"open_string", "{{ 'abc }}", Ending::kError},
      {"open_string_at_a_backslash", "{{ 'abc\\", Ending::kError},
      {"open_raw", "{% raw %}{{ x }}", Ending::kError},
      {"open_if", "{% if x %}", Ending::kError},
      {"open_macro", "{% macro m(", Ending::kError},
      {"wrong_end", "{% if x %}{% endfor %}", Ending::kError},
      {"end_alone", "{% endfor %}", Ending::kError},
      {"brackets_crossed", "{{ ([)] }}", Ending::kError},
      {"bytes_that_are_no_text", "{{ '\xFF\xFE' }}\xC0\x80", Ending::kError},
      {"zero_bytes", std::string("{{ '\0' }}\0{%\0%}", 14), Ending::kError},
      {"short_escapes", "{{ '\\x4' }}", Ending::kError},
      {"lone_surrogates", "{{ '\\ud800' }}{{ '\\udc00\\ud800' }}{{ '\\U00110000' }}", Ending::kAny},
      {"many_open_tags", repeated("{{", 100000), Ending::kAny},
      {"many_open_raws", repeated("{% raw %}{% ", 100000), Ending::kError},
      {"too_long", std::string(std::size_t{5} << 20, 'x')},
      {"long_name", "{{ " + std::string(1000000, 'a') + " }}", Ending::kAny},
      {"long_unknown_filter", "{{ 1|" + std::string(1000000, 'a') + " }}", Ending::kError},
      {"unpack_too_little", "{% for a, b, c in [[1, 2]] %}{% endfor %}", Ending::kError},
      {"every_method_on_the_wrong_type", "{{ none.upper() }}", Ending::kError},
      {"cycle_of_nothing", "{% for i in [1] %}{{ loop.cycle() }}{% endfor %}", Ending::kError},
      {"cycler_of_nothing", "{{ cycler() }}", Ending::kError},
      {"join_a_number", "{{ 5|join }}{{ ''.join(5) }}", Ending::kError},
  };
}

std::string name_of(const testing::TestParamInfo<Attack>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Time, JinjaHostile, testing::ValuesIn(time_attacks()), name_of);
INSTANTIATE_TEST_SUITE_P(Memory, JinjaHostile, testing::ValuesIn(memory_attacks()), name_of);
INSTANTIATE_TEST_SUITE_P(Depth, JinjaHostile, testing::ValuesIn(depth_attacks()), name_of);
INSTANTIATE_TEST_SUITE_P(Cycles, JinjaHostile, testing::ValuesIn(cycle_attacks()), name_of);
INSTANTIATE_TEST_SUITE_P(Arithmetic, JinjaHostile, testing::ValuesIn(arithmetic_attacks()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Escape, JinjaHostile, testing::ValuesIn(escape_attacks()), name_of);
INSTANTIATE_TEST_SUITE_P(Broken, JinjaHostile, testing::ValuesIn(broken_templates()), name_of);

TEST(JinjaInputs, NestedTooDeeplyAreALimit) {
  boost::json::value nested = boost::json::array{};
  for (int i = 0; i < 5000; ++i) {
    boost::json::array outer;
    outer.push_back(std::move(nested));
    nested = std::move(outer);
  }
  boost::json::object inputs;
  inputs["messages"] = std::move(nested);
  EXPECT_THROW(render("{{ messages }}", inputs), TemplateLimit);
}

TEST(JinjaInputs, DoNotCountAsTheTemplatesHeap) {
  RenderLimits limits;
  limits.max_heap_bytes = 100'000;
  const boost::json::object inputs = {{"s", std::string(1'000'000, 'x')}};
  EXPECT_EQ(render("{{ s|length }}", inputs, limits), "1000000");
  EXPECT_EQ(render("{{ s }}", inputs, limits).size(), 1'000'000u);
  EXPECT_THROW(render("{{ s ~ 'x' }}", inputs, limits), TemplateLimit);
}

TEST(JinjaLimits, HeapIsGivenBackWhenValuesDie) {
  RenderLimits limits;
  limits.max_heap_bytes = 1'000'000;
  EXPECT_EQ(
      render("{% for i in range(1000) %}{% set t = 'x' * 100000 %}{% endfor %}done", {}, limits),
      "done");
  EXPECT_EQ(render("{% for i in range(1000) %}{% set t = range(1000)|list %}{% endfor %}done", {},
                   limits),
            "done");
}

TEST(JinjaLimits, HoldFromTheFirstStep) {
  RenderLimits limits;
  limits.max_steps = 0;
  EXPECT_THROW(render("{{ range }}", {{"a", 1}}, limits), TemplateLimit);
  limits = {};
  limits.max_depth = 0;
  EXPECT_THROW(render("{{ a }}", {{"a", {{"b", 1}}}}, limits), TemplateLimit);
  limits = {};
  limits.max_heap_bytes = 0;
  EXPECT_THROW(render("{{ 1 ~ 2 }}", {}, limits), TemplateLimit);
  limits = {};
  limits.max_output_bytes = 0;
  EXPECT_THROW(render("x", {}, limits), TemplateLimit);
}

TEST(JinjaLimits, TimeCanBeLimited) {
  RenderLimits limits;
  limits.max_steps = ~std::uint64_t{0};
  limits.timeout_ms = 30;
  EXPECT_EQ(error_of(loops(4), {}, limits), "test line 1: the template needs more than 30 ms");
}

}  // namespace
}  // namespace vernal::jinja
