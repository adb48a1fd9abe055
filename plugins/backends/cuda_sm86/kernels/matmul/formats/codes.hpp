// The codes of a tile as a lane holds them, by width: how they are loaded, taken apart into the
// registers of multiply_s8(), and put together when weights are repacked.
//
// A lane has words of 16 bytes for each chunk of 64 columns, which stand behind one another: [chunk]
// [word][lane]. Widths of five and six bits have a plane of upper bits behind them, which a lane
// loads once for a tile. Each kind has
//   kChunks         in a tile
//   kWords          of a chunk
//   Plane           upper bits of a tile, and load_plane()
//   Table           what codes are looked up in, if anything, and table()
//   unpack()        the registers of block `group` of the tile, from its chunk
//   pack()          the reverse, for code(r, j): byte j of register r
// `codes` is where the codes of the tile begin for the lane.
#pragma once

#include "kernels/matmul/tile.hpp"

namespace vernal::cuda_sm86 {

/// The words of a lane for 64 columns.
template <int kWords>
struct Chunk {
  uint4 words[kWords];
};

/// Bytes of a word in all lanes, and what lane l has of it begins l times kLaneBytes behind.
inline constexpr int kLaneBytes = 16;
inline constexpr int kWordBytes = kWarpSize * kLaneBytes;

/// `codes`: where the codes of the tile begin, for this lane.
template <int kWords>
__device__ __forceinline__ Chunk<kWords> load_chunk(const unsigned char* codes, int chunk) {
  Chunk<kWords> out;
  VERNAL_UNROLL
  for (int i = 0; i < kWords; ++i) {
    const unsigned char* const at = codes + (chunk * kWords + i) * kWordBytes;
    out.words[i] = load_once(reinterpret_cast<const uint4*>(at));
  }
  return out;
}

/// Kinds without upper bits, and without a table.
struct NoPlane {};
struct NoTable {};

/// Four bits a code: the nibbles of a word are two registers.
template <int kChunksOfTile>
struct FourBits {
  static constexpr int kChunks = kChunksOfTile;
  static constexpr int kWords = 1;
  static constexpr int kBytes = kChunks * kWordBytes;
  using Plane = NoPlane;
  using Table = NoTable;
  using Loaded = Chunk<kWords>;

  __device__ static Plane load_plane(const unsigned char*) { return {}; }
  __device__ static Table table() { return {}; }
  __device__ static uint2 words_of(const Loaded& chunk, int group) {
    const uint4& all = chunk.words[0];
    return group % 2 == 0 ? make_uint2(all.x, all.y) : make_uint2(all.z, all.w);
  }
  __device__ static void store(unsigned char* codes, int block, uint2 words) {
    *reinterpret_cast<uint2*>(codes + block / 2 * kWordBytes + block % 2 * 8) = words;
  }
};

/// Codes whose value is a number: low halves of a word are one register, high halves the next one.
template <int kChunksOfTile>
struct Nibbles : FourBits<kChunksOfTile> {
  using Base = FourBits<kChunksOfTile>;

  __device__ static void unpack(const typename Base::Loaded& chunk, NoPlane, int group,
                                uint32_t (&a)[4]) {
    const uint2 words = Base::words_of(chunk, group);
    a[0] = words.x & 0x0F0F0F0FU;
    a[1] = words.x >> 4 & 0x0F0F0F0FU;
    a[2] = words.y & 0x0F0F0F0FU;
    a[3] = words.y >> 4 & 0x0F0F0F0FU;
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int block, Code code) {
    uint32_t words[2] = {0, 0};
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) words[r / 2] |= (code(r, j) & 15U) << (8 * j + 4 * (r % 2));
    }
    Base::store(codes, block, make_uint2(words[0], words[1]));
  }
};

/// Codes less 8. A register holds 16 times that: the code in the upper half of a byte, its highest
/// bit inverted.
template <int kChunksOfTile>
struct SignedNibbles : FourBits<kChunksOfTile> {
  using Base = FourBits<kChunksOfTile>;
  static constexpr float kUnit = 1.0F / 16.0F;

  __device__ static void unpack(const typename Base::Loaded& chunk, NoPlane, int group,
                                uint32_t (&a)[4]) {
    const uint2 words = Base::words_of(chunk, group);
    a[0] = words.x << 4 & 0xF0F0F0F0U;
    a[1] = words.x & 0xF0F0F0F0U;
    a[2] = words.y << 4 & 0xF0F0F0F0U;
    a[3] = words.y & 0xF0F0F0F0U;
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int block, Code code) {
    Nibbles<kChunksOfTile>::pack(codes, block, [&](int r, int j) { return code(r, j) ^ 8U; });
  }
};

/// The sixteen values of iq4_nl, iq4_xs and iq4_ks, lowest code first.
#define VERNAL_IQ4_VALUES \
  { 0xBFAD9881U, 0xF6EADDCFU, 0x26190D01U, 0x71594535U }

/// Codes that are looked up in a table of 16 signed bytes: the low half of a word is one register,
/// the high half the next one, as permute_bytes() reads selectors.
template <int kChunksOfTile>
struct TableNibbles : FourBits<kChunksOfTile> {
  using Base = FourBits<kChunksOfTile>;
  struct Table {
    uint32_t values[4];
  };

  /// An instruction has room for one constant, so that the others are kept in registers.
  __device__ static Table table() {
    const uint32_t values[4] = VERNAL_IQ4_VALUES;
    return {{kept(values[0]), values[1], kept(values[2]), values[3]}};
  }
  __device__ static void unpack(const typename Base::Loaded& chunk, int group, const Table& table,
                                uint32_t (&a)[4]) {
    const uint2 words = Base::words_of(chunk, group);
    look_up(words.x, table.values, a[0], a[1]);
    look_up(words.y, table.values, a[2], a[3]);
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int block, Code code) {
    uint32_t words[2] = {0, 0};
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) words[r / 2] |= (code(r, j) & 15U) << (16 * (r % 2) + 4 * j);
    }
    Base::store(codes, block, make_uint2(words[0], words[1]));
  }

 private:
  __device__ static void look_up(uint32_t word, const uint32_t (&table)[4], uint32_t& first,
                                 uint32_t& second) {
    const uint32_t index = word & 0x77777777U;
    // The lower or the upper eight values, by the highest bit of a code.
    const uint32_t half = (word & 0x88888888U) >> 1 | 0x32103210U;
    first = permute_bytes(permute_bytes(table[0], table[1], index),
                          permute_bytes(table[2], table[3], index), half);
    second = permute_bytes(permute_bytes(table[0], table[1], index >> 16),
                           permute_bytes(table[2], table[3], index >> 16), half >> 16);
  }
};

/// Five-bit codes: nibbles, then a plane of fifth bits, [lane][chunk] words. Byte j of register r of
/// block b of the chunk has its fifth bit at 8j + 4b + r.
struct FiveBits {
  using Low = Nibbles<4>;
  static constexpr int kChunks = 4;
  static constexpr int kWords = 1;
  static constexpr int kBytes = Low::kBytes + kWordBytes;
  using Plane = uint4;
  using Table = NoTable;

  __device__ static Table table() { return {}; }
  __device__ static Plane load_plane(const unsigned char* codes) {
    return load_once(reinterpret_cast<const uint4*>(codes + Low::kBytes));
  }
  __device__ static void unpack(const Chunk<kWords>& chunk, const Plane& plane, int group,
                                uint32_t (&a)[4]) {
    Low::unpack(chunk, {}, group, a);
    const uint32_t words[4] = {plane.x, plane.y, plane.z, plane.w};
    const uint32_t fifth = words[group / 2];
    VERNAL_UNROLL
    for (int r = 0; r < 4; ++r) {
      const int at = 4 * (group % 2) + r;
      a[r] |= (at < 4 ? fifth << (4 - at) : fifth >> (at - 4)) & 0x10101010U;
    }
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int block, Code code) {
    Low::pack(codes, block, code);
    uint32_t bits = 0;
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) bits |= (code(r, j) >> 4 & 1U) << (8 * j + r);
    }
    auto* const out = reinterpret_cast<uint32_t*>(codes + Low::kBytes) + block / 2;
    // A lane packs the blocks of its tile in order, so the second one adds to the first one.
    *out = block % 2 == 0 ? bits : *out | bits << 4;
  }
};

/// Six-bit codes less 32: nibbles, then a plane of upper bits, two of [lane] 16 bytes with a word for
/// each block. A register holds four times a code, the highest bit of which is stored inverted.
struct SixBits {
  using Low = Nibbles<4>;
  static constexpr int kChunks = 4;
  static constexpr int kWords = 1;
  static constexpr int kBytes = Low::kBytes + 2 * kWordBytes;
  static constexpr float kUnit = 1.0F / 4.0F;
  using Table = NoTable;
  struct Plane {
    uint4 of[2];
  };

  __device__ static Table table() { return {}; }
  __device__ static Plane load_plane(const unsigned char* codes) {
    const unsigned char* const at = codes + Low::kBytes;
    return {{load_once(reinterpret_cast<const uint4*>(at)),
             load_once(reinterpret_cast<const uint4*>(at + kWordBytes))}};
  }
  __device__ static void unpack(const Chunk<kWords>& chunk, const Plane& plane, int group,
                                uint32_t (&a)[4]) {
    const uint2 words = Low::words_of(chunk, group);
    const uint4& half = plane.of[group / 4];
    const uint32_t uppers[4] = {half.x, half.y, half.z, half.w};
    const uint32_t upper = uppers[group % 4];
    a[0] = (words.x << 2 & 0x3C3C3C3CU) | (upper << 6 & 0xC0C0C0C0U);
    a[1] = (words.x >> 2 & 0x3C3C3C3CU) | (upper << 4 & 0xC0C0C0C0U);
    a[2] = (words.y << 2 & 0x3C3C3C3CU) | (upper << 2 & 0xC0C0C0C0U);
    a[3] = (words.y >> 2 & 0x3C3C3C3CU) | (upper & 0xC0C0C0C0U);
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int block, Code code) {
    Low::pack(codes, block, code);
    uint32_t bits = 0;
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) bits |= ((code(r, j) ^ 32U) >> 4 & 3U) << (8 * j + 2 * r);
    }
    auto* const half = codes + Low::kBytes + block / 4 * kWordBytes;
    *reinterpret_cast<uint32_t*>(half + block % 4 * 4) = bits;
  }
};

/// Signed bytes.
template <int kChunksOfTile>
struct Bytes {
  static constexpr int kChunks = kChunksOfTile;
  static constexpr int kWords = 2;
  static constexpr int kBytes = kChunks * 2 * kWordBytes;
  using Plane = NoPlane;
  using Table = NoTable;

  __device__ static Plane load_plane(const unsigned char*) { return {}; }
  __device__ static Table table() { return {}; }
  __device__ static void unpack(const Chunk<kWords>& chunk, NoPlane, int group, uint32_t (&a)[4]) {
    const uint4& words = chunk.words[group % 2];
    a[0] = words.x;
    a[1] = words.y;
    a[2] = words.z;
    a[3] = words.w;
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int block, Code code) {
    uint32_t words[4] = {0, 0, 0, 0};
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) words[r] |= (code(r, j) & 255U) << (8 * j);
    }
    auto* const out = reinterpret_cast<uint4*>(codes + block * kWordBytes);
    *out = make_uint4(words[0], words[1], words[2], words[3]);
  }
};

}  // namespace vernal::cuda_sm86
