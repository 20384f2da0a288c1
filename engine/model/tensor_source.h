// Weights by the names that GGUF gives them ("blk.0.attn_q.weight"), whatever file holds them and whatever it calls them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/ops/quant.h"

namespace engine {

class MappedFile;

// A matrix or a stack of equal ones, as rows of blocks.
struct Stored {
    std::string name;
    Format format = Format::f32;
    int rows = 0, cols = 0;                         // of one matrix: outputs, and columns as they are stored
    int inputs = 0;                                 // that it takes, where columns are filled up or doubled; 0: its columns
    bool eight_bits = false;                        // that stand in columns of 4, see linear.h
    // Of each matrix: its rows one after another where they lie in the file; null: read() makes them.
    std::vector<const std::uint8_t*> in_place;
    std::function<void(int matrix, int begin, int end, std::uint8_t* out)> read;  // rows [begin, end) as blocks
    const MappedFile* mapping = nullptr;            // that `in_place` points into; null: they are nowhere in one
    std::function<void(int matrix)> release;        // gives the memory back that reading a matrix took; see MappedFile
    std::vector<float> scales;                      // see Weight::scales; empty: none
    std::vector<std::int32_t> order;                // see Weight::order; empty: none

    std::uint64_t values() const { return std::uint64_t(count()) * std::uint64_t(rows) * std::uint64_t(inputs ? inputs : cols); }
    int count() const { return int(in_place.size()); }
    std::size_t bytes() const { return row_bytes(format, std::size_t(cols)) * std::size_t(rows); }  // of one matrix
    // Whether all lie in the file at equal distances.
    bool lies_whole() const;
    void copy_rows(int matrix, int begin, int end, std::uint8_t* out) const;
    // Rows [first, first + n) of every matrix.
    Stored part(int first, int n) const;
};

// Errors name file, tensor, expected and found.
class TensorSource {
public:
    virtual ~TensorSource() = default;
    virtual bool has(const std::string& name) const = 0;
    virtual base::Result<Stored> matrices(const std::string& name, int rows, int cols, int count) = 0;
    // dims: fastest first
    virtual base::Result<std::vector<float>> values(const std::string& name, const std::vector<std::uint64_t>& dims) = 0;
    // After all has been asked for: whether the file holds weights that nothing uses.
    virtual base::Result<void> finish() = 0;
    // The same of a head for drafting, which finish() leaves out.
    virtual base::Result<void> finish_head() { return {}; }
};

}  // namespace engine
