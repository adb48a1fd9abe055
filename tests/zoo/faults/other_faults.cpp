// Faults of architectures and frontends.
#include <fcntl.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "zoo.hpp"

namespace zoo {
namespace {

int num_builds = 0;
const vernal_builder_api* true_builder = nullptr;
vernal_builder_api changed_builder;

/// Every second build names its nodes otherwise.
void impure(Tables& t) {
  t.architecture.build = [](vernal_metadata_ref metadata, const vernal_build_options* options,
                            vernal_builder_ref builder) {
    true_builder = builder.api;
    changed_builder = *builder.api;
    changed_builder.push_scope = [](vernal_builder* b, vernal_str name) {
      const std::string other =
          std::string(name.data, name.size) + (num_builds % 2 == 0 ? "" : ".again");
      return true_builder->push_scope(b, {other.data(), other.size()});
    };
    const std::int32_t status =
        sound().architecture.build(metadata, options, {&changed_builder, builder.builder});
    ++num_builds;
    return status;
  };
}

/// Believes that every file has what it needs.
void trusts_metadata(Tables& t) {
  t.architecture.describe = [](vernal_metadata_ref metadata, const vernal_sink* sink) {
    constexpr std::string_view kKey = "toy.attention.head_count";
    std::int64_t heads = 0;
    metadata.api->get_int(metadata.metadata, {kKey.data(), kKey.size()}, &heads);
    volatile std::int64_t divisor = heads;
    volatile const std::int64_t size = 64 / divisor;
    static_cast<void>(size);
    return sound().architecture.describe(metadata, sink);
  };
}

/// Divides by what a file says, whatever it says.
void trusts_file_keys(Tables& t) {
  t.architecture.describe = [](vernal_metadata_ref metadata, const vernal_sink* sink) {
    constexpr std::string_view kKey = "llama.attention.head_count";
    std::int64_t heads = 0;
    const std::int32_t status =
        metadata.api->get_int(metadata.metadata, {kKey.data(), kKey.size()}, &heads);
    if (status != VERNAL_OK) return fail(VERNAL_NOT_FOUND, "the file does not say its heads");
    volatile std::int64_t divisor = heads;
    volatile const std::int64_t size = 64 / divisor;
    static_cast<void>(size);
    return sink->write(sink->user, "heads = some", 12);
  };
}

/// No fault: two weights of one shape, and the context length says which one is used.
void chooses_weights(Tables& t) {
  t.architecture.build = [](vernal_metadata_ref metadata, const vernal_build_options* options,
                            vernal_builder_ref builder) {
    const bool is_whole = builder.api->struct_size >= sizeof(changed_builder);
    if (!is_whole || options->context_length >= 1000) {
      return sound().architecture.build(metadata, options, builder);
    }
    true_builder = builder.api;
    changed_builder = *builder.api;
    changed_builder.weight = [](vernal_builder* b, vernal_str name, const std::int64_t* dims,
                                std::uint32_t rank, vernal_operand* out) {
      constexpr std::string_view kLong = "blk.1.attn_norm.weight";
      constexpr std::string_view kShort = "blk.0.attn_norm.weight";
      if (std::string_view(name.data, name.size) == kLong) name = {kShort.data(), kShort.size()};
      return true_builder->weight(b, name, dims, rank, out);
    };
    return sound().architecture.build(metadata, options, {&changed_builder, builder.builder});
  };
}

void prints_while_building(Tables& t) {
  t.architecture.build = [](vernal_metadata_ref metadata, const vernal_build_options* options,
                            vernal_builder_ref builder) {
    std::fputs("building\n", stderr);
    return sound().architecture.build(metadata, options, builder);
  };
}

void takes_every_file(Tables& t) {
  t.architecture.probe = [](vernal_metadata_ref, std::uint32_t* score, const vernal_sink* sink) {
    *score = 50;
    return sink->write(sink->user, "why not", 7);
  };
}

void describes_in_prose(Tables& t) {
  t.architecture.describe = [](vernal_metadata_ref, const vernal_sink* sink) {
    return sink->write(sink->user, "a fine model", 12);
  };
}

void says_nothing_of_itself(Tables& t) {
  t.frontend.info = [](vernal_frontend*, const vernal_sink*) -> std::int32_t { return VERNAL_OK; };
}

void check_refuses_everything(Tables& t) {
  t.frontend.check = [](vernal_config_view) -> std::int32_t {
    return fail(VERNAL_INVALID_ARGUMENT, "this table is not to my liking");
  };
}

void check_keeps_a_file(Tables& t) {
  t.frontend.check = [](vernal_config_view) -> std::int32_t {
    static_cast<void>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return VERNAL_OK;
  };
}

}  // namespace

const std::map<std::string_view, Fault>& other_faults() {
  static const std::map<std::string_view, Fault> faults{
      {"impure", impure},
      {"trusts_metadata", trusts_metadata},
      {"trusts_file_keys", trusts_file_keys},
      {"chooses_weights", chooses_weights},
      {"prints_while_building", prints_while_building},
      {"takes_every_file", takes_every_file},
      {"describes_in_prose", describes_in_prose},
      {"says_nothing_of_itself", says_nothing_of_itself},
      {"check_refuses_everything", check_refuses_everything},
      {"check_keeps_a_file", check_keeps_a_file},
  };
  return faults;
}

}  // namespace zoo
