// What a person types at the terminal, line by line.
#pragma once

#include <string>

namespace app {

// Lines of standard input. An interruption at any moment ends the waiting for one: its signal is let through only while
// the program waits, so that none comes between looking for it and waiting.
class Lines {
public:
    enum class Got { line, end, interruption };
    Got next(std::string& line);
    // What was typed before now is no answer to what is asked now.
    void forget();

private:
    std::string waiting_;
    bool ended_ = false;
};

}  // namespace app
