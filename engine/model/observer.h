// What a step computes on its way to the logits, told as it is computed: for holding it against another implementation.
#pragma once

#include "engine/ops/ops.h"

namespace engine {

// Called in the order of computing: embedded; then of each layer mixed, routed where it has experts, and left. Views hold
// during the call; n are the rows of the batch. What is computed does not depend on whether anybody looks.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void embedded(Mat x) = 0;                 // (n, H) what the first layer reads
    virtual void mixed(Mat result) = 0;               // (n, H) of the layer's mixer, before norm, factor and residual
    virtual void routed(const RouteArgs& routing) = 0;  // its logits, and what was chosen by them
    virtual void left(Mat x) = 0;                     // (n, H) behind the layer
};

}  // namespace engine
