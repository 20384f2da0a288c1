#include "router/backend.h"

namespace router {

std::string_view name(BackendStatus::State state) {
    switch (state) {
        case BackendStatus::State::loading: return "loading";
        case BackendStatus::State::ready: return "ready";
        case BackendStatus::State::draining: return "draining";
        case BackendStatus::State::unloaded: return "unloaded";
        case BackendStatus::State::down: return "down";
    }
    return "down";
}

bool was_unloaded(BackendStatus::State state) { return state == BackendStatus::State::draining || state == BackendStatus::State::unloaded; }

std::string not_ready(const BackendStatus& status) {
    if (status.state == BackendStatus::State::ready) return {};
    std::string why(name(status.state));
    if (status.state == BackendStatus::State::loading)
        why += " (" + status.stage + ", " + std::to_string(int(status.fraction * 100)) + " %)";
    else if (!status.detail.empty())
        why += ": " + status.detail;
    return why;
}

namespace {

base::Error not_embedded(const std::string& id) {
    return base::error(base::Code::not_found, "'" + id + "' is no model in this process: it is neither loaded nor unloaded here", "name one of the section models, or embedded");
}

}  // namespace

base::Result<void> Backend::load() { return not_embedded(id()); }
base::Result<void> Backend::unload() { return not_embedded(id()); }

}  // namespace router
