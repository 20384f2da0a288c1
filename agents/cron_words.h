// A cron expression as people say it, for lists and confirmations.
#pragma once

#include <string>

namespace agents {

// "every other week, Monday 08:00", "every weekday 08:00 and 20:00", "every 15 minutes"; `cron` as Cron::text() has it. Of fields that have no short words
// the expression stands there itself, but never a stride: "every 3 weeks, 7-40/3 8 * * 1".
std::string cron_words(const std::string& cron);

}  // namespace agents
