// Whether a message is nothing but the wish that what works stops. Pure: it is acted on before queue, policy and model.
#pragma once

#include <optional>
#include <string_view>

#include "server/bridges/sayings.h"

namespace server::bridges {

struct StopWord {
    std::optional<Language> language;  // nothing: it is said in several
};
// Of "stop", "/stop", "Stopp!", "arrête" and the like, in the languages that replies are spoken in.
std::optional<StopWord> stop_word(std::string_view text);

}  // namespace server::bridges
