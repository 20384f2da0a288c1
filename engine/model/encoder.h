// An encoder of BERT's kind (Devlin et al. 2019) in memory: learned positions, attention that sees the whole text, and a
// normalisation after each branch. Weights are laid out as the target's kernels want them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/device/huge_memory.h"
#include "engine/model/pooling.h"
#include "engine/model/weights.h"
#include "engine/ops/ops.h"

namespace engine {

class EncoderFile;

struct EncoderConfig {
    std::string name;
    int layers = 0;
    int hidden = 0;            // H
    int heads = 0;
    int ffn = 0;               // I
    int vocabulary = 0;        // V
    int positions = 0;         // that the model has a row for
    int context = 0;           // most tokens of a text, at most `positions`
    int token_types = 0;       // of which texts that stand alone use the first
    float norm_epsilon = 0;
    Pooling pooling = Pooling::mean;
    bool normalise = true;     // a text's vector has length 1
};

struct Norm {
    const float *w = nullptr, *b = nullptr;  // (H)
};

struct Dense {
    Weight w;                  // (outputs, inputs)
    const float* b = nullptr;  // (outputs)
};

struct EncoderLayer {
    Dense q, k, v, o;          // (H, H)
    Norm attention_norm;
    Dense up, down;            // (I, H), (H, I)
    Norm ffn_norm;
};

struct Encoder {
    EncoderConfig config;
    std::unique_ptr<EncoderFile> file;  // mapped as long as the model lives
    const Ops* ops = nullptr;
    Weight tokens, positions, types;    // (V, H), (positions, H), (token types, H), plain
    Norm norm;                          // of their sum
    std::vector<EncoderLayer> layers;

    HugeMemory packed;                  // matrices that were laid out anew
    std::vector<std::vector<float>> vectors;
    std::uint64_t parameters = 0;

    Encoder();
    ~Encoder();
};

// What load_encoder would use; every tensor is looked at.
struct EncoderSize {
    WeightBytes bytes;
    std::uint64_t parameters = 0;
};
base::Result<EncoderSize> measure_encoder(const EncoderFile& file, const Ops& ops);

// `progress` is told the share done, 0..1.
base::Result<std::unique_ptr<Encoder>> load_encoder(std::unique_ptr<EncoderFile> file, const Ops& ops, Pool& pool, const std::function<void(double)>& progress);

}  // namespace engine
