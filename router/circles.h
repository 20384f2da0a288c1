// Whether a text goes round in circles: a small model that answers greedily can repeat the same few sentences
// until its tokens are spent.
#pragma once

#include <string>
#include <string_view>

namespace router {

class Circles {
public:
    // The next piece; true when the text now ends in one passage of at most 500 bytes, repeated to 600 bytes and
    // four times or more beyond its first occurrence. The numbers of a list do not count: they grow, whatever its items say.
    bool feed(std::string_view piece);

private:
    void take(char c);

    std::string tail_;
    std::string number_;     // digits that a line begins with, until what follows tells whether they number it
    bool line_begins_ = true;
    std::size_t unseen_ = 0;  // bytes since the last look
};

}  // namespace router
