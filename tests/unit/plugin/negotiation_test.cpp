// Function tables of every kind are adopted in every size that the other side may have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "plugin/table_check.hpp"
#include "vernal/tables.hpp"

namespace vernal::plugin {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr unsigned char kPoison = 0xDB;

std::int32_t forty_two() { return 42; }

// The other side's table, with poisoned memory around it. Every function of it answers 42.
template <class Table>
class ForeignTable {
 public:
  explicit ForeignTable(std::uint64_t struct_size)
      : memory_((sizeof(Table) + kMargin) / sizeof(std::uint64_t)) {
    std::memset(memory_.data(), kPoison, memory_.size() * sizeof(std::uint64_t));
    auto* function = &forty_two;
    for (std::uint64_t at = 8; at + 8 <= struct_size && at + 8 <= sizeof(Table) + kMargin;
         at += 8) {
      std::memcpy(bytes() + at, &function, sizeof(function));
    }
    std::memcpy(bytes(), &struct_size, sizeof(struct_size));
  }
  void put_null(std::uint64_t offset) { std::memset(bytes() + offset, 0, sizeof(void*)); }
  const Table* get() const { return reinterpret_cast<const Table*>(memory_.data()); }

 private:
  static constexpr std::uint64_t kMargin = 64;
  char* bytes() { return reinterpret_cast<char*>(memory_.data()); }
  std::vector<std::uint64_t> memory_;
};

// Function `index` of a table, as an address.
template <class Table>
std::uintptr_t function_at(const Table& table, std::uint64_t index) {
  std::uintptr_t address = 0;
  std::memcpy(&address, reinterpret_cast<const char*>(&table) + 8 + 8 * index, sizeof(address));
  return address;
}

template <class Table>
std::string refusal_of(const Table* table) {
  try {
    adopt_table(table, "the table");
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), VERNAL_INCOMPATIBLE);
    return error.what();
  }
}

template <class Table>
class Negotiation : public ::testing::Test {};
using Tables = ::testing::Types<vernal_host_api, vernal_plugin_api, vernal_config_api,
                                vernal_module_api, vernal_metadata_api, vernal_builder_api,
                                vernal_architecture_api, vernal_backend_api, vernal_engine_api,
                                vernal_text_api, vernal_console_api, vernal_frontend_api>;
TYPED_TEST_SUITE(Negotiation, Tables);

TYPED_TEST(Negotiation, FloorIsTheSizeOfInterfaceOnePointZero) {
  EXPECT_EQ(kFloorSize<TypeParam> % 8, 0u);
  EXPECT_LE(kFloorSize<TypeParam>, sizeof(TypeParam));
}

TYPED_TEST(Negotiation, VisitsEveryFunctionOnceAndInOrder) {
  TypeParam table{};
  const char* expected = reinterpret_cast<const char*>(&table) + sizeof(std::uint64_t);
  for_each_function(table, [&](auto& function) {
    EXPECT_EQ(reinterpret_cast<const char*>(&function), expected);
    expected += sizeof(function);
  });
  EXPECT_EQ(expected, reinterpret_cast<const char*>(&table + 1));
}

TYPED_TEST(Negotiation, CopiesWhatTheOtherSideHas) {
  const ForeignTable<TypeParam> theirs(sizeof(TypeParam));
  const TypeParam mine = adopt_table(theirs.get(), "table");
  EXPECT_EQ(mine.struct_size, sizeof(TypeParam));
  for (std::uint64_t i = 0; i < sizeof(TypeParam) / 8 - 1; ++i) {
    EXPECT_EQ(function_at(mine, i), reinterpret_cast<std::uintptr_t>(&forty_two));
  }
}

TYPED_TEST(Negotiation, TruncatesATableOfALaterMinor) {
  for (const std::uint64_t more : {8u, 16u, 64u}) {
    const ForeignTable<TypeParam> theirs(sizeof(TypeParam) + more);
    EXPECT_EQ(adopt_table(theirs.get(), "table").struct_size, sizeof(TypeParam));
  }
}

TYPED_TEST(Negotiation, NeverReadsBeyondTheStatedSize) {
  // The memory behind the stated size is poisoned: a copy of it would be a wild pointer.
  for (std::uint64_t size = kFloorSize<TypeParam>; size <= sizeof(TypeParam); size += 8) {
    const ForeignTable<TypeParam> theirs(size);
    const TypeParam mine = adopt_table(theirs.get(), "table");
    for (std::uint64_t i = 0; i < sizeof(TypeParam) / 8 - 1; ++i) {
      EXPECT_NE(function_at(mine, i), 0xDBDBDBDBDBDBDBDBu);
      EXPECT_NE(function_at(mine, i), 0u);
    }
  }
}

TYPED_TEST(Negotiation, StubsNullEntries) {
  for (std::uint64_t i = 0; i < sizeof(TypeParam) / 8 - 1; ++i) {
    ForeignTable<TypeParam> theirs(sizeof(TypeParam));
    theirs.put_null(8 + 8 * i);
    const TypeParam mine = adopt_table(theirs.get(), "table");
    EXPECT_NE(function_at(mine, i), 0u);
    EXPECT_NE(function_at(mine, i), reinterpret_cast<std::uintptr_t>(&forty_two));
  }
}

TYPED_TEST(Negotiation, RefusesNullShortAndOddSizes) {
  EXPECT_THAT(refusal_of<TypeParam>(nullptr), HasSubstr("table is null"));
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{8}, kFloorSize<TypeParam> - 8, kFloorSize<TypeParam> - 1,
        kFloorSize<TypeParam> + 1, kFloorSize<TypeParam> + 4, std::uint64_t{UINT64_MAX}}) {
    const ForeignTable<TypeParam> theirs(size);
    EXPECT_THAT(refusal_of(theirs.get()),
                AllOf(HasSubstr("the table: struct_size expected at least"),
                      HasSubstr("found " + std::to_string(size))));
  }
}

TYPED_TEST(Negotiation, AcceptsAnyLargerMultipleOfEight) {
  // There is no upper bound: a larger table is a newer one.
  const ForeignTable<TypeParam> theirs(UINT64_MAX - 7);
  EXPECT_EQ(adopt_table(theirs.get(), "table").struct_size, sizeof(TypeParam));
}

TYPED_TEST(Negotiation, CoreRefusesPluginTablesWithHoles) {
  for (std::uint64_t offset = 8; offset < kFloorSize<TypeParam>; offset += 8) {
    ForeignTable<TypeParam> theirs(sizeof(TypeParam));
    theirs.put_null(offset);
    try {
      adopt_plugin_table(theirs.get(), "/p/a.so: plugin \"a\"", "vernal_x_api");
      FAIL() << offset;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("/p/a.so: plugin \"a\": vernal_x_api"),
                                      HasSubstr("offset " + std::to_string(offset))));
    }
  }
}

TYPED_TEST(Negotiation, CoreAcceptsHolesInWhatALaterMinorBrought) {
  for (std::uint64_t offset = kFloorSize<TypeParam>; offset < sizeof(TypeParam); offset += 8) {
    ForeignTable<TypeParam> theirs(sizeof(TypeParam));
    theirs.put_null(offset);
    const TypeParam mine = adopt_plugin_table(theirs.get(), "/p/a.so: plugin \"a\"", "table");
    EXPECT_NE(function_at(mine, offset / 8 - 1), 0u);
  }
}

TEST(NegotiatedStub, AnswersUnimplemented) {
  vernal_frontend_api theirs{};
  theirs.struct_size = sizeof(theirs);
  const vernal_frontend_api mine = adopt_table(&theirs, "vernal_frontend_api");
  EXPECT_EQ(mine.start(nullptr), VERNAL_UNIMPLEMENTED);
  EXPECT_EQ(mine.begin_drain(nullptr, 5), VERNAL_UNIMPLEMENTED);
  EXPECT_EQ(mine.check({}), VERNAL_UNIMPLEMENTED);
  mine.destroy(nullptr);  // a release has nothing to say
}

TEST(CopiedStruct, IsWrittenWithinTheCallersSize) {
  struct Old {
    vernal_plan_info info;
    std::uint64_t guard;
  } old{};
  old.info.struct_size = 24;  // an older caller knows the first three members
  old.info.bytes_per_sequence = 5;
  copy_out(vernal_plan_info{0, 16, 99, 77, 1, 2, 3, 0}, &old.info);
  EXPECT_EQ(old.info.struct_size, 24u);
  EXPECT_EQ(old.info.page_tokens, 16u);
  EXPECT_EQ(old.info.bytes_per_kv_token, 99u);
  EXPECT_EQ(old.info.bytes_per_sequence, 5u);
}

TEST(CopiedStruct, IsZeroWhereTheCallerIsOlder) {
  vernal_plan_options theirs{};
  std::memset(static_cast<void*>(&theirs), kPoison, sizeof(theirs));
  theirs.struct_size = 24;
  const vernal_plan_options mine = copy_in(&theirs);
  EXPECT_EQ(mine.context_length, 0xDBDBDBDBDBDBDBDBu);
  EXPECT_EQ(mine.max_sequences, 0u);
  EXPECT_EQ(mine.host_weights, nullptr);
}

TEST(StridedArray, HasElementsOfTheOtherSidesSize) {
  struct Newer {
    vernal_step_sequence known;
    std::uint64_t later;
  };
  const Newer array[] = {{{sizeof(Newer), 1, 2, 3, 4}, 9}, {{sizeof(Newer), 5, 6, 7, 8}, 9}};
  EXPECT_EQ(element_at(&array[0].known, sizeof(Newer), 1).sequence, 5u);
  const std::uint64_t older[] = {16, 11, 16, 12};  // struct_size and sequence only
  const auto* first = reinterpret_cast<const vernal_step_sequence*>(older);
  EXPECT_EQ(element_at(first, 16, 1).sequence, 12u);
  EXPECT_EQ(element_at(first, 16, 1).count, 0u);
}

}  // namespace
}  // namespace vernal::plugin
