// What a load says when this process gets no more memory.
#pragma once

#include <functional>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "engine/available_memory.h"
#include "engine/engine.h"

namespace engine {

// `load(options)`; where this process gets no more, an Error that names the pool and how far it was. Large blocks say so themselves.
template <class Load>
auto with_memory_errors(LoadOptions options, Load&& load) -> decltype(load(std::move(options))) {
    std::string stage = "reading";
    options.progress = [&stage, tell = std::move(options.progress)](const std::string& reached, double fraction) {
        stage = reached;
        if (tell) tell(reached, fraction);
    };
    const auto none = [&](const std::string& pool) {
        return base::error(base::Code::resource_exhausted, "cannot get more of the machine's memory for " + pool + ", at the stage '" + stage + "'; " + std::to_string(available_memory() >> 20) + " MiB are available",
                           "free memory, raise the limits of this process (ulimit -v, ulimit -u, its control group), or use a smaller model, context or fewer sequences");
    };
    try {
        return load(std::move(options));
    } catch (const std::bad_alloc&) {
        return none("the heap");
    } catch (const std::system_error& e) {
        if (e.code() != std::errc::resource_unavailable_try_again) throw;
        return none("a CPU thread");
    }
}

}  // namespace engine
