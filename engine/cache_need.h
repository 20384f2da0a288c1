// What a model's cache of keys and values takes, as plans of memory and descriptions of files count it.
#pragma once

#include "engine/runner.h"

namespace engine {

// Of a part that keeps keys and values of each token, `whose` as its sum is told of. `needs`: a PlanInput or an Examination::Needs.
template <class Needs>
void add_cache(Needs& needs, const Config& config, KvFormat format, const char* whose = "") {
    needs.kv_bytes_per_token += kv_bytes_per_token(config, format);
    needs.kv_sum += whose + kv_sum(config, format);
}

}  // namespace engine
