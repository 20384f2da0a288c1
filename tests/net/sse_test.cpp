#include "net/sse.h"

#include <gtest/gtest.h>

namespace net {
namespace {

std::vector<SseEvent> read(std::string_view text, std::size_t step) {
    SseParser parser;
    std::vector<SseEvent> out;
    for (std::size_t i = 0; i < text.size(); i += step) {
        const auto events = parser.feed(text.substr(i, step)).value();
        out.insert(out.end(), events.begin(), events.end());
    }
    return out;
}

TEST(Sse, ReadsTheSameEventsHoweverTheBytesAreSplit) {
    const std::string_view text =
        "\xEF\xBB\xBF: hello\n\ndata: a\ndata:  b\n\nevent: token\r\nid: 7\r\ndata:{\"x\": \"\xC3\xA9\"}\r\n\r\n"
        "retry: 3\rdata\r\revent: lost\n\ndata: c\n\ndata: cut off";
    const std::vector<SseEvent> expected = {
        {"message", "a\n b", ""}, {"token", "{\"x\": \"\xC3\xA9\"}", "7"}, {"message", "", "7"}, {"message", "c", "7"}};
    for (std::size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(read(text, step), expected) << "pieces of " << step;
}

TEST(Sse, RefusesAnEventWithoutEnd) {
    SseParser parser(100);
    EXPECT_TRUE(parser.feed("data: " + std::string(90, 'x')).ok());
    const auto more = parser.feed(std::string(10, 'x'));
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, base::Code::resource_exhausted);
    SseParser lines(100);
    bool refused = false;
    for (int i = 0; i < 100 && !refused; ++i) refused = !lines.feed("data: xx\n").ok();
    EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace net
