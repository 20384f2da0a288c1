#include "agents/validate.h"

#include <gtest/gtest.h>

namespace agents {
namespace {

TEST(Validate, ACallIsInScopeWhereTheRequestSpeaksOfIt) {
    const struct {
        const char *arguments, *request;
        bool in;
    } cases[] = {
        {R"({"path": "notes/shopping"})", "What is on my shopping list?", true},
        {R"({"path": "b.c"})", "Read b.c", true},
        {R"({"path": "src/pump.py"})", "What does the pump do?", true},
        {R"({"command": "wc -l kiln.py"})", "Count the lines of kiln.py", true},
        {R"({"path": "pumps.py"})", "What does the pump do?", true},
        {R"({"path": "pumpkin.py"})", "What does the pump do?", false},
        {R"({"path": "secrets.txt"})", "Read notes.txt", false},
        {R"({"path": "b"})", "Read the file a.txt", false},
        {R"({"path": "."})", "Read the file a.txt", false},
        {R"({"files": [{"path": "Kiln.py"}]})", "show KILN.py", true},
        {"{broken", "anything", false},
        {R"({"text": "the"})", "the end", false},
    };
    for (const auto& c : cases) EXPECT_EQ(in_scope({"", "tool", c.arguments}, c.request), c.in) << c.arguments << " " << c.request;
}

TEST(Validate, FilesThatARequestNamesAreCounted) {
    EXPECT_EQ(files_named("Read cart.py, `ledger.py`, \"src/mailer.py\", a.py and main.c."), 5);
    EXPECT_EQ(files_named("Read notes.txt and then NOTES.txt once more."), 1);
    EXPECT_EQ(files_named("It costs 3.50 or 3.500, e.g. on Mondays, i.e. load_seeds is slow. Why?"), 0);
}

}  // namespace
}  // namespace agents
