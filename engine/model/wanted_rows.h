// Behind the last layer's keys and values only those rows count whose logits are wanted: of a chunk of a prompt the last
// one or none.
#pragma once

#include "engine/model/blocks.h"

namespace engine {

// Whether the last layer, but for its keys and values, can be computed for these rows alone.
bool leaves_rows_out(const Model& model, const Batch& batch);

// The batch from each sequence's first wanted row on, its arrays in scratch. Moves these rows of x together.
Batch wanted_rows(const Batch& batch, Mat x, Scratch& scratch);

// Makes the activations those of that batch, whose keys are in the cache.
void narrow(Activations& a, const Batch& wanted);

}  // namespace engine
