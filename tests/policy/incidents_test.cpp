// The table of incidents names tests that there are.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "support/fixtures.h"

namespace {

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, at);) {
        const auto begin = part.find_first_not_of(' '), end = part.find_last_not_of(' ');
        out.push_back(begin == part.npos ? std::string() : part.substr(begin, end - begin + 1));
    }
    return out;
}

TEST(IncidentTable, NamesATestForEach) {
    std::ifstream in(support::data_dir() / "incidents.txt");
    int tested = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line[0] == '#') continue;
        const std::vector<std::string> columns = split(line, '|');
        ASSERT_EQ(columns.size(), 3u) << line;
        if (columns[2].starts_with("none: ")) continue;  // of a part that is not there
        ++tested;
        for (const std::string& named : split(columns[2], ';')) {
            const auto colon = named.find(": "), dot = named.find('.', colon);
            ASSERT_NE(dot, named.npos) << named;
            const std::string test = "(" + named.substr(colon + 2, dot - colon - 2) + ", " + named.substr(dot + 1) + ")";
            EXPECT_NE(support::read_text(support::source_dir() / named.substr(0, colon)).find(test), std::string::npos) << columns[0] << ": " << named;
        }
    }
    EXPECT_GE(tested, 30);
}

}  // namespace
