// From token bytes to text for people: whole UTF-8 characters only, and nothing of a stop text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace engine {

class Emitter {
public:
    explicit Emitter(std::vector<std::string> stops);

    // Appends to `out` what has become certain. True: a stop text is complete; what came before it is
    // in `out`, what follows it is dropped.
    bool push(std::string_view bytes, std::string& out);
    // The end without a stop text: what was held back, but for a character that the end has cut.
    void flush(std::string& out);

private:
    void characters(std::string_view bytes);
    std::string partial_;  // bytes of an unfinished character
    std::string held_;     // characters that may begin a stop text
    std::vector<std::string> stops_;
};

}  // namespace engine
