// Who waits for what is computed.
#pragma once

#include <cstdint>

namespace engine {

// A person; something that was to be done by now; nobody before the morning.
enum class Urgency : std::uint8_t { person, schedule, night };
constexpr int kUrgencies = 3;

}  // namespace engine
