#include "weights.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "operations/operation_table.hpp"
#include "shared/state/memory.hpp"
#include "vernal/block_types.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Largest piece that is packed between two reports of progress. So much of the file is in memory beside
/// the copies.
constexpr std::int64_t kPieceBytes = std::int64_t{8} << 20;

/// Bytes of one row as the file has it.
std::int64_t file_row_bytes(const WeightLayout::Entry& entry) {
  return static_cast<std::int64_t>(
      entry.stored->row_bytes(static_cast<std::uint64_t>(entry.num_columns)));
}

/// `done(first, bytes)`: those bytes of the matrix have been read.
void pack_matrix(const WeightLayout::Entry& entry, const std::byte* stored, std::byte* packed,
                 Instance& instance, const auto& done) {
  const std::int64_t row_bytes = file_row_bytes(entry);
  const std::int64_t stride = group_bytes(*entry.format, entry.num_columns);
  const std::int64_t groups = (entry.num_rows + kRowGroup - 1) / kRowGroup;
  const std::int64_t piece = std::max<std::int64_t>(1, kPieceBytes / stride);
  // Room for the rows of a group in their converted form, for each worker.
  const std::int64_t scratch_bytes =
      entry.is_converted() ? kRowGroup * stored_row_bytes(*entry.format, entry.num_columns) : 0;
  std::vector<std::byte> scratch(
      static_cast<std::size_t>(scratch_bytes * instance.threads.num_threads()));
  for (std::int64_t begin = 0; begin < groups; begin += piece) {
    const std::int64_t end = std::min(begin + piece, groups);
    const auto pack = [&](Worker& worker) {
      std::byte* const mine = scratch.data() + worker.index() * scratch_bytes;
      worker.parallel_for(end - begin, 8, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t g = begin + first; g < begin + last; ++g) {
          const std::int64_t row = g * kRowGroup;
          convert_and_pack_group(*entry.stored, entry.num_columns, stored + row * row_bytes,
                                 std::min(kRowGroup, entry.num_rows - row), mine,
                                 packed + g * stride);
        }
      });
    };
    {
      const std::scoped_lock lock(instance.turn);
      instance.threads.run(pack);
    }
    const std::int64_t first = begin * kRowGroup;
    done(first * row_bytes, (std::min(end * kRowGroup, entry.num_rows) - first) * row_bytes);
  }
}

void copy_rows(const WeightLayout::Entry& entry, const std::byte* stored, std::byte* out,
               const auto& done) {
  const std::int64_t bytes = entry.all_rows() * file_row_bytes(entry);
  for (std::int64_t begin = 0; begin < bytes; begin += kPieceBytes) {
    const std::int64_t count = std::min(kPieceBytes, bytes - begin);
    std::memcpy(out + begin, stored + begin, static_cast<std::size_t>(count));
    done(begin, count);
  }
}

void widen_numbers(const WeightLayout::Entry& entry, const std::byte* stored, float* out) {
  const std::int64_t row_bytes = file_row_bytes(entry);
  for (std::int64_t row = 0; row < entry.all_rows(); ++row) {
    dequantize_row(*entry.stored, stored + row * row_bytes,
                   static_cast<std::uint64_t>(entry.num_columns), out + row * entry.num_columns);
  }
}

}  // namespace

Repack parse_repack(std::string_view name) {
  if (name == "auto") return Repack::kAuto;
  if (name == "never") return Repack::kNever;
  if (name == "always") return Repack::kAlways;
  throw Error(VERNAL_INVALID_ARGUMENT,
              "repack: expected auto, never or always, found \"" + std::string(name) + "\"");
}

WeightLayout::WeightLayout(const Module& module, InstructionSet set, Repack repack) {
  const std::vector<backend::WeightUses> uses =
      backend::find_weight_uses(module, [](const Node& node, std::size_t operand) {
        return find_operation(node.op)->weight_use(operand);
      });
  for (std::size_t i = 0; i < module.weights.size(); ++i) {
    const Weight& weight = module.weights[i];
    Entry entry;
    entry.stored = find_block_type(std::string_view(weight.format));
    entry.format = find_weight_format(weight.format, set);
    entry.num_columns = weight.shape.last();
    entry.num_rows = weight.shape.num_rows();
    entry.num_matrices = uses[i].num_experts;
    entry.num_rows /= entry.num_matrices;
    if (uses[i].is_multiplied) {
      place_matrix(weight, uses[i], repack, entry);
    } else if (uses[i].is_looked_up && repack != Repack::kAlways) {
      entry.is_in_place = true;
      bytes_in_place_ += entry.all_rows() * file_row_bytes(entry);
    } else if (uses[i].is_looked_up) {
      entry.rows_at = bytes_;
      bytes_ += backend::aligned_bytes(entry.all_rows() * file_row_bytes(entry));
    }
    if (uses[i].is_read_by_number) {
      const std::int64_t bytes =
          entry.all_rows() * entry.num_columns * static_cast<std::int64_t>(sizeof(float));
      entry.numbers_at = bytes_;
      bytes_ += backend::aligned_bytes(bytes);
      bytes_per_step_ += bytes;
    }
    entries_.push_back(entry);
  }
}

void WeightLayout::place_matrix(const Weight& weight, const backend::WeightUses& uses,
                                Repack repack, Entry& entry) {
  std::int64_t bytes = 0;
  if (repack == Repack::kNever && !entry.is_converted()) {
    entry.is_in_place = true;
    bytes = entry.all_rows() * file_row_bytes(entry);
    bytes_in_place_ += bytes;
  } else {
    bytes = entry.num_matrices * packed_bytes(*entry.format, entry.num_rows, entry.num_columns);
    entry.matrix_at = bytes_;
    bytes_ += bytes;
    if (entry.is_converted()) note_conversion(weight.name, entry.stored->name, bytes);
  }
  bytes_per_step_ += bytes / uses.num_experts * uses.num_used_experts;
}

void WeightLayout::note_conversion(const std::string& name, std::string_view stored,
                                   std::int64_t bytes) {
  const std::string names = backend::name_pattern(name);
  for (Conversion& known : conversions_) {
    if (known.names == names && known.stored == stored) {
      known.bytes += bytes;
      return;
    }
  }
  conversions_.push_back({names, stored, bytes});
}

Weights::Weights(const WeightLayout& layout, const Module& module, const WeightSource& source,
                 const Progress& progress, Instance& instance)
    : entries_(layout.entries()),
      stored_(entries_.size(), nullptr),
      memory_(std::max<std::int64_t>(layout.bytes(), 1), ReservedMemory::Pages::kLarge, "weights") {
  std::uint64_t total = 0;
  for (const Weight& weight : module.weights) total += weight.bytes;
  std::uint64_t done = 0;
  const auto report = [&](std::int64_t bytes) {
    done += static_cast<std::uint64_t>(bytes);
    progress.report(std::min(done, total), total);
  };
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const WeightLayout::Entry& entry = entries_[i];
    const std::span<const std::byte> stored = source.map(i);
    if (stored.size() < static_cast<std::size_t>(entry.all_rows() * file_row_bytes(entry))) {
      throw Error(VERNAL_INVALID_ARGUMENT, "weight " + module.weights[i].name + ": found " +
                                               std::to_string(stored.size()) +
                                               " bytes, its shape needs more");
    }
    copy(entry, stored.data(), instance, [&](std::int64_t first, std::int64_t bytes) {
      source.release(i, static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(bytes));
      report(bytes);
    });
    if (entry.is_in_place) {
      stored_[i] = stored.data();  // mapped as long as the program lives
    } else {
      source.unmap(i);
    }
  }
  progress.report(total, total);
}

template <class Done>
void Weights::copy(const WeightLayout::Entry& entry, const std::byte* stored, Instance& instance,
                   const Done& done) {
  if (entry.matrix_at >= 0) {
    const std::int64_t stored_bytes = entry.num_rows * file_row_bytes(entry);
    const std::int64_t packed = packed_bytes(*entry.format, entry.num_rows, entry.num_columns);
    for (std::int64_t e = 0; e < entry.num_matrices; ++e) {
      const auto done_with_part = [&](std::int64_t first, std::int64_t bytes) {
        done(e * stored_bytes + first, bytes);
      };
      pack_matrix(entry, stored + e * stored_bytes, memory_.data() + entry.matrix_at + e * packed,
                  instance, done_with_part);
    }
  }
  if (entry.rows_at >= 0) copy_rows(entry, stored, memory_.data() + entry.rows_at, done);
  if (entry.numbers_at >= 0) {
    widen_numbers(entry, stored, reinterpret_cast<float*>(memory_.data() + entry.numbers_at));
  }
}

PackedMatrix Weights::matrix(std::uint32_t index, std::int64_t expert) const {
  const WeightLayout::Entry& entry = entries_[index];
  const std::int64_t bytes = packed_bytes(*entry.format, entry.num_rows, entry.num_columns);
  const std::byte* const data =
      entry.is_in_place ? nullptr : memory_.data() + entry.matrix_at + expert * bytes;
  return {entry.format, entry.num_rows, entry.num_columns, data};
}

void Weights::pack_groups(std::uint32_t index, std::int64_t expert, std::int64_t first,
                          std::int64_t last, std::byte* out) const {
  const WeightLayout::Entry& entry = entries_[index];
  const std::int64_t row_bytes = file_row_bytes(entry);
  const std::int64_t stride = group_bytes(*entry.format, entry.num_columns);
  const std::byte* const rows = stored_[index] + expert * entry.num_rows * row_bytes;
  for (std::int64_t group = first; group < last; ++group, out += stride) {
    const std::int64_t row = group * kRowGroup;
    pack_group(*entry.format, entry.num_columns, rows + row * row_bytes,
               std::min(kRowGroup, entry.num_rows - row), out);
  }
}

void Weights::read_row(std::uint32_t index, std::int64_t row, std::byte* scratch,
                       float* out) const {
  const WeightLayout::Entry& entry = entries_[index];
  if (!entry.is_in_place && entry.rows_at < 0) {
    dequantize_packed_row(matrix(index), row, scratch, out);
    return;
  }
  const std::byte* const rows = entry.is_in_place ? stored_[index] : memory_.data() + entry.rows_at;
  dequantize_row(*entry.stored, rows + row * file_row_bytes(entry),
                 static_cast<std::uint64_t>(entry.num_columns), out);
}

const float* Weights::numbers(std::uint32_t index) const {
  return reinterpret_cast<const float*>(memory_.data() + entries_[index].numbers_at);
}

std::int64_t row_scratch_bytes(std::string_view format, std::int64_t num_columns) {
  return stored_row_bytes(*find_weight_format(format), num_columns);
}

}  // namespace vernal::cpu_avx2
