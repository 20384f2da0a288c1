#include "router/backend.h"

namespace router {

std::string_view name(BackendStatus::State state) {
    switch (state) {
        case BackendStatus::State::loading: return "loading";
        case BackendStatus::State::ready: return "ready";
        case BackendStatus::State::down: return "down";
    }
    return "down";
}

std::string not_ready(const BackendStatus& status) {
    if (status.state == BackendStatus::State::ready) return {};
    std::string why(name(status.state));
    if (status.state == BackendStatus::State::loading)
        why += " (" + status.stage + ", " + std::to_string(int(status.fraction * 100)) + " %)";
    else if (!status.detail.empty())
        why += ": " + status.detail;
    return why;
}

}  // namespace router
