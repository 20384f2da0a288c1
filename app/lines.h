// What a person types at the terminal, line by line.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace app {

// Lines of standard input. An interruption at any moment ends the waiting for one: its signal is let through only while
// the program waits, so that none comes between looking for it and waiting.
class Lines {
public:
    enum class Got { line, end, interruption, over };
    Got next(std::string& line);
    // `is_over`, asked each time that nothing was typed for so long: no line is waited for any more.
    Got next(std::string& line, std::chrono::milliseconds each, const std::function<bool()>& is_over);
    // What was typed before now is no answer to what is asked now.
    void forget();

private:
    std::string waiting_;
    bool ended_ = false;
};

}  // namespace app
