// What a layer's keys have in common. Attention's softmax does not see a number that is added to all scores of a query, so
// keys may be kept without it: in eight bits, where it would take most of the range, they are.
#pragma once

#include <vector>

#include "engine/model/weights.h"

namespace engine {

// Of a layer's keys as they are before they are rotated: the bias, rotated, on average over the first positions. Of pairs that
// turn slowly it is nearly all of the bias, which is where Qwen2.5 has its large ones; of others little. rope null: the bias.
std::vector<float> mean_key(const float* bias, int width, const RopeArgs* rope, const Ops& ops, Pool& pool);

// Model::key_offsets: of each layer that has such a bias and nothing that would notice.
void find_key_offsets(Model& model, Pool& pool);

}  // namespace engine
