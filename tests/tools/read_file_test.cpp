#include "tools/read_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "support/tool_call.h"

namespace {

using support::ToolBench;
using testing::HasSubstr;

TEST(ReadFile, NumbersLinesAndSaysWhereToGoOn) {
    ToolBench bench;
    bench.put("a.txt", "one\ntwo\nthree\nfour");
    EXPECT_EQ(bench.call("read_file", {{"path", "a.txt"}})->text, "1\tone\n2\ttwo\n3\tthree\n4\tfour\n");
    const auto part = bench.call("read_file", {{"path", "a.txt"}, {"offset", 2}, {"limit", 2}});
    EXPECT_EQ(part->text, "2\ttwo\n3\tthree\n[1 more lines; go on with offset 4]\n");
    EXPECT_TRUE(part->truncated);
    EXPECT_THAT(bench.call("read_file", {{"path", "a.txt"}, {"offset", 9}})->text, HasSubstr("has 4 lines"));
}

TEST(ReadFile, StopsWhereTheModelWouldGetNoMoreOfIt) {
    ToolBench bench;
    bench.result_bytes = 300;
    std::string lines;
    for (int i = 0; i < 50; ++i) lines += std::string(18, 'x') + "\n";
    bench.put("a.txt", lines);
    const auto out = bench.call("read_file", {{"path", "a.txt"}});
    EXPECT_THAT(out->text, testing::EndsWith("\n9\txxxxxxxxxxxxxxxxxx\n[41 more lines; go on with offset 10]\n"));
    EXPECT_LE(out->text.size(), bench.result_bytes);
    EXPECT_TRUE(out->truncated);
    bench.result_bytes = 20;
    EXPECT_EQ(bench.call("read_file", {{"path", "a.txt"}, {"offset", 50}})->text, "50\txxxxxxxxxxxxxxxxxx\n") << "a line always";
}

TEST(ReadFile, RefusesWhatIsNoTextInsideTheWorkspace) {
    ToolBench bench;
    bench.put("b.bin", std::string("ELF\0\1\2", 6));
    bench.put("big", std::string((8 << 20) + 1, 'x'));
    mkfifo((bench.path() / "pipe").c_str(), 0600);
    EXPECT_EQ(bench.call("read_file", {{"path", "b.bin"}}).error().code, base::Code::unsupported);
    EXPECT_EQ(bench.call("read_file", {{"path", "big"}}).error().code, base::Code::resource_exhausted);
    EXPECT_EQ(bench.call("read_file", {{"path", "pipe"}}).error().code, base::Code::invalid_argument);
    EXPECT_EQ(bench.call("read_file", {{"path", "none"}}).error().code, base::Code::not_found);
    EXPECT_EQ(bench.call("read_file", {{"path", "../../etc/passwd"}}).error().code, base::Code::permission_denied);
    EXPECT_EQ(bench.call("read_file", {{"path", "/etc/passwd"}}).error().code, base::Code::permission_denied);
}

TEST(ReadFile, CutsLongLinesAndMendsInvalidBytes) {
    ToolBench bench;
    bench.put("long", std::string(5000, 'y') + "\n\xff\n");
    const auto out = bench.call("read_file", {{"path", "long"}});
    EXPECT_THAT(out->text, HasSubstr("3000 bytes of this line cut"));
    EXPECT_THAT(out->text, HasSubstr("2\t\xEF\xBF\xBD\n"));
}

}  // namespace
