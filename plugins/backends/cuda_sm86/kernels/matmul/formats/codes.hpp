// The codes of a chunk of 64 columns as a lane holds them, by width: how they are loaded, taken
// apart into the registers of multiply_s8(), and put together when weights are repacked.
//
// Each kind has
//   kPlaneBytes     bytes of a chunk in each plane that a lane loads by itself
//   Chunk           what a lane loads
//   load()          the chunk of a lane; `codes` is where the codes of the tile begin
//   unpack()        the registers of one of its two blocks
//   pack()          the reverse of load() and unpack(), for code(r, j): byte j of register r
#pragma once

#include "kernels/matmul/tile.hpp"

namespace vernal::cuda_sm86 {

/// Four-bit codes whose value is a number: low halves of a word are one register, high halves the
/// next one.
template <int kChunks>
struct Nibbles {
  static constexpr int kBytes = kChunks * 512;
  using Chunk = uint4;

  __device__ static Chunk load(const unsigned char* codes, int lane, int chunk) {
    return load_once(reinterpret_cast<const uint4*>(codes + chunk * 512 + lane * 16));
  }
  __device__ static void unpack(const Chunk& chunk, int block, uint32_t (&a)[4]) {
    const uint32_t first = block == 0 ? chunk.x : chunk.z;
    const uint32_t second = block == 0 ? chunk.y : chunk.w;
    a[0] = first & 0x0F0F0F0FU;
    a[1] = first >> 4 & 0x0F0F0F0FU;
    a[2] = second & 0x0F0F0F0FU;
    a[3] = second >> 4 & 0x0F0F0F0FU;
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int lane, int block, Code code) {
    uint32_t words[2] = {0, 0};
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) words[r / 2] |= (code(r, j) & 15U) << (8 * j + 4 * (r % 2));
    }
    auto* const out = reinterpret_cast<uint2*>(codes + block / 2 * 512 + lane * 16 + block % 2 * 8);
    *out = make_uint2(words[0], words[1]);
  }
};

/// Four-bit codes that are looked up in a table of 16 signed bytes: the low half of a word is one
/// register, the high half the next one, as __byte_perm() reads selectors.
template <int kChunks>
struct TableNibbles {
  static constexpr int kBytes = kChunks * 512;
  using Chunk = uint4;

  __device__ static Chunk load(const unsigned char* codes, int lane, int chunk) {
    return Nibbles<kChunks>::load(codes, lane, chunk);
  }
  /// table: the values, four bytes a word.
  __device__ static void unpack(const Chunk& chunk, int block, const uint32_t (&table)[4],
                                uint32_t (&a)[4]) {
    look_up(block == 0 ? chunk.x : chunk.z, table, a[0], a[1]);
    look_up(block == 0 ? chunk.y : chunk.w, table, a[2], a[3]);
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int lane, int block, Code code) {
    uint32_t words[2] = {0, 0};
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) words[r / 2] |= (code(r, j) & 15U) << (16 * (r % 2) + 4 * j);
    }
    auto* const out = reinterpret_cast<uint2*>(codes + block / 2 * 512 + lane * 16 + block % 2 * 8);
    *out = make_uint2(words[0], words[1]);
  }

 private:
  __device__ static void look_up(uint32_t word, const uint32_t (&table)[4], uint32_t& first,
                                 uint32_t& second) {
    const uint32_t index = word & 0x77777777U;
    // The lower or the upper eight values, by the highest bit of a code.
    const uint32_t half = (word & 0x88888888U) >> 1 | 0x32103210U;
    first = __byte_perm(__byte_perm(table[0], table[1], index),
                        __byte_perm(table[2], table[3], index), half);
    second = __byte_perm(__byte_perm(table[0], table[1], index >> 16),
                         __byte_perm(table[2], table[3], index >> 16), half >> 16);
  }
};

/// Five-bit codes: nibbles, then a plane of fifth bits, a word for each lane and chunk.
template <int kChunks>
struct FiveBits {
  using Low = Nibbles<kChunks>;
  static constexpr int kBytes = Low::kBytes + kChunks * 128;
  struct Chunk {
    uint4 low;
    uint32_t fifth;
  };

  __device__ static Chunk load(const unsigned char* codes, int lane, int chunk) {
    return {Low::load(codes, lane, chunk),
            u32_at(codes + Low::kBytes + (lane * kChunks + chunk) * 4)};
  }
  __device__ static void unpack(const Chunk& chunk, int block, uint32_t (&a)[4]) {
    Low::unpack(chunk.low, block, a);
    const uint32_t bits = chunk.fifth >> (16 * block);
    for (int r = 0; r < 4; ++r) a[r] |= spread_bits(bits >> (4 * r), 4);
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int lane, int block, Code code) {
    Low::pack(codes, lane, block, code);
    uint32_t bits = 0;
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) bits |= (code(r, j) >> 4 & 1U) << (4 * r + j);
    }
    unsigned char* const out =
        codes + Low::kBytes + (lane * kChunks + block / 2) * 4 + block % 2 * 2;
    *reinterpret_cast<uint16_t*>(out) = static_cast<uint16_t>(bits);
  }
};

/// Six-bit codes: nibbles, then a plane of upper bits, a word for each lane and block.
template <int kChunks>
struct SixBits {
  using Low = Nibbles<kChunks>;
  static constexpr int kBytes = Low::kBytes + kChunks * 256;
  struct Chunk {
    uint4 low;
    uint2 high;
  };

  __device__ static Chunk load(const unsigned char* codes, int lane, int chunk) {
    const auto* const high = codes + Low::kBytes + (lane * kChunks + chunk) * 8;
    return {Low::load(codes, lane, chunk), *reinterpret_cast<const uint2*>(high)};
  }
  __device__ static void unpack(const Chunk& chunk, int block, uint32_t (&a)[4]) {
    Low::unpack(chunk.low, block, a);
    const uint32_t high = block == 0 ? chunk.high.x : chunk.high.y;
    for (int r = 0; r < 4; ++r) a[r] |= (high >> (2 * r) & 0x03030303U) << 4;
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int lane, int block, Code code) {
    Low::pack(codes, lane, block, code);
    uint32_t bits = 0;
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) bits |= (code(r, j) >> 4 & 3U) << (8 * j + 2 * r);
    }
    *reinterpret_cast<uint32_t*>(codes + Low::kBytes + (lane * kChunks * 2 + block) * 4) = bits;
  }
};

/// Signed bytes.
template <int kChunks>
struct Bytes {
  static constexpr int kBytes = kChunks * 1024;
  struct Chunk {
    uint4 blocks[2];
  };

  __device__ static Chunk load(const unsigned char* codes, int lane, int chunk) {
    const auto* const at = reinterpret_cast<const uint4*>(codes + chunk * 1024 + lane * 16);
    return {{load_once(at), load_once(at + 32)}};
  }
  __device__ static void unpack(const Chunk& chunk, int block, uint32_t (&a)[4]) {
    const uint4 words = chunk.blocks[block];
    a[0] = words.x;
    a[1] = words.y;
    a[2] = words.z;
    a[3] = words.w;
  }
  template <class Code>
  __device__ static void pack(unsigned char* codes, int lane, int block, Code code) {
    uint32_t words[4] = {0, 0, 0, 0};
    for (int r = 0; r < 4; ++r) {
      for (int j = 0; j < 4; ++j) words[r] |= (code(r, j) & 255U) << (8 * j);
    }
    auto* const out = reinterpret_cast<uint4*>(codes + block * 512 + lane * 16);
    *out = make_uint4(words[0], words[1], words[2], words[3]);
  }
};

}  // namespace vernal::cuda_sm86
