#include "shared/weights/eight_bit_form.hpp"

#include <array>
#include <cstring>

namespace vernal::backend {

namespace {

template <class Format>
void write_row(const std::byte* stored, std::uint64_t num_columns, std::byte* out) {
  static_assert(Format::kWeights == 256 && (Format::kGroup == 16 || Format::kGroup == 32));
  for_each_block<Format>(stored, num_columns, [&out](const std::byte* row, const std::byte* block) {
    const float unit = Format::unit(row, block);
    std::memcpy(out, &unit, sizeof(unit));
    for (std::uint32_t g = 0; g < 16; ++g) {
      const std::int32_t scale = Format::scale(block, g * 16 / Format::kGroup);
      out[kEightBitScalesAt + g] = static_cast<std::byte>(scale & 255);
    }
    for (std::uint32_t w = 0; w < 256; ++w) {
      out[kEightBitCodesAt + w] = static_cast<std::byte>(Format::code(block, w) & 255);
    }
    out += kEightBitBlockBytes;
  });
}

struct Writer {
  std::string_view id;
  WriteEightBitRow* write;
};

constexpr std::array<Writer, 21> kWriters{{
    {"ggml.q3_k/1", write_row<block_products::Q3K>},
    {"ggml.iq2_k/1", write_row<block_products::Iq2K>},
    {"ggml.iq3_k/1", write_row<block_products::Iq3K>},
    {"ggml.iq4_k/1", write_row<block_products::Iq4K>},
    {"ggml.iq5_k/1", write_row<block_products::Iq5K>},
    {"ggml.iq6_k/1", write_row<block_products::Iq6K>},
    {"ggml.iq5_ks/1", write_row<block_products::Iq5Ks>},
    {"ggml.iq2_xxs/1", write_row<block_products::Iq2Xxs>},
    {"ggml.iq2_xs/1", write_row<block_products::Iq2Xs>},
    {"ggml.iq3_xxs/1", write_row<block_products::Iq3Xxs>},
    {"ggml.iq1_s/1", write_row<block_products::Iq1S>},
    {"ggml.iq3_s/1", write_row<block_products::Iq3S>},
    {"ggml.iq2_s/1", write_row<block_products::Iq2S>},
    {"ggml.iq1_m/1", write_row<block_products::Iq1M>},
    {"ggml.iq2_ks/1", write_row<block_products::Iq2Ks>},
    {"ggml.iq4_kss/1", write_row<block_products::Iq4Kss>},
    {"ggml.iq2_kt/1", write_row<block_products::Iq2Kt>},
    {"ggml.iq3_kt/1", write_row<block_products::Iq3Kt>},
    {"ggml.iq4_kt/1", write_row<block_products::Iq4Kt>},
    {"ggml.iq3_ks/1", write_row<block_products::Iq3Ks>},
    {"ggml.iq2_kl/1", write_row<block_products::Iq2Kl>},
}};

}  // namespace

WriteEightBitRow* find_eight_bit_writer(std::string_view id) {
  for (const Writer& writer : kWriters) {
    if (writer.id == id) return writer.write;
  }
  return nullptr;
}

void read_eight_bit_row(const std::byte* row, std::int64_t num_columns, float* out) {
  for (std::int64_t first = 0; first < num_columns; first += 256, row += kEightBitBlockBytes) {
    float unit = 0.0F;
    std::memcpy(&unit, row, sizeof(unit));
    for (std::int64_t w = 0; w < 256; ++w) {
      const auto s = static_cast<std::int8_t>(row[kEightBitScalesAt + w / 16]);
      const auto v = static_cast<std::int8_t>(row[kEightBitCodesAt + w]);
      *out++ = unit * static_cast<float>(s) * static_cast<float>(v);
    }
  }
}

}  // namespace vernal::backend
