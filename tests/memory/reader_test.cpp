#include "memory/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/launcher.h"
#include "support/run_task.h"

namespace memory {
namespace {

using base::Code;
using testing::ElementsAre;
using testing::HasSubstr;

// A sandbox in which the program ends as it is told here.
class ToldLauncher final : public sandbox::Launcher {
public:
    base::Result<sandbox::Outcome> run(const sandbox::Command& command, sandbox::Level required, base::StopToken) override {
        EXPECT_EQ(required, sandbox::Level::t2);
        ran.push_back(command);
        return ends;
    }
    sandbox::Level level() const override { return sandbox::Level::t2; }
    base::Probes probes() const override { return {}; }

    base::Result<sandbox::Outcome> ends = sandbox::Outcome{};
    std::vector<sandbox::Command> ran;
};

class ReaderTest : public testing::Test {
protected:
    base::Result<Reader::Said> read(const std::string& type, const std::string& bytes, std::size_t most = 100) {
        const Reader reader(&launcher, pool, [this] { return window; });
        return support::run_task(reader.read(type, "the bill", bytes, most));
    }
    base::Result<Reader::Said> ending(int status, const std::string& output = {}) {
        sandbox::Outcome outcome;
        outcome.exit_code = status;
        outcome.output = output;
        launcher.ends = outcome;
        return read("application/pdf", "%PDF-1.7", 8);
    }
    boost::asio::thread_pool pool{1};
    ToldLauncher launcher;
    int window = 32768;
};

TEST_F(ReaderTest, ATextNeedsNoProgram) {
    EXPECT_EQ(read("text/plain", "größer").value().text, "größer");
    const auto cut = read("text/csv", "grö,ßer", 4).value();
    EXPECT_EQ(cut.text, "grö") << "whole characters";
    EXPECT_TRUE(cut.cut);
    EXPECT_FALSE(read("text/plain", "all of it").value().cut);
    EXPECT_TRUE(launcher.ran.empty());
    EXPECT_EQ(read("text/plain", "").error().code, Code::not_found);
    EXPECT_EQ(read("image/jpeg", "x").error().code, Code::unsupported);
}

TEST_F(ReaderTest, EverythingElseGoesIntoTheSandbox) {
    EXPECT_EQ(ending(0, "said so").value().text, "said so");
    ASSERT_EQ(launcher.ran.size(), 1u);
    const sandbox::Command& command = launcher.ran[0];
    EXPECT_EQ(command.argv[0], "python3");
    EXPECT_THAT(std::vector(command.argv.end() - 2, command.argv.end()), ElementsAre("pdf", "8"));
    EXPECT_EQ(command.stdin_text, "%PDF-1.7");
    EXPECT_EQ(command.workspace, nullptr);
    for (const char* bytes : {"\xff\xfe" "a", "caf\xe9"}) EXPECT_TRUE(read("text/plain", bytes));
    EXPECT_EQ(launcher.ran.size(), 3u) << "what is no UTF-8";
}

TEST_F(ReaderTest, WhatComesBackIsNoMoreThanAskedForAndText) {
    const auto said = ending(0, std::string("a\0\xff" "b, and too much", 18)).value();
    EXPECT_EQ(said.text, "a\xEF\xBF\xBD" "b, a");
    EXPECT_TRUE(said.cut);
    EXPECT_TRUE(ending(10, "a").value().cut);
    EXPECT_FALSE(ending(0, "a").value().cut);
}

TEST_F(ReaderTest, WhyNothingWasReadIsTold) {
    const std::pair<int, Code> ends[] = {{11, Code::permission_denied}, {12, Code::not_found}, {13, Code::corrupt}, {14, Code::resource_exhausted}, {15, Code::unavailable}, {137, Code::resource_exhausted}, {1, Code::resource_exhausted}};
    for (const auto& [status, code] : ends) {
        const auto said = ending(status, "half of it");
        ASSERT_FALSE(said) << status;
        EXPECT_EQ(said.error().code, code) << status;
        EXPECT_THAT(said.error().message, HasSubstr("the bill ")) << status;
    }
    EXPECT_THAT(ending(15).error().remedy, HasSubstr("poppler-utils"));
    sandbox::Outcome late;
    late.exit_code = 0;
    late.timed_out = true;
    launcher.ends = late;
    EXPECT_EQ(read("application/pdf", "%PDF-1.7").error().code, Code::resource_exhausted);
    launcher.ends = base::error(Code::permission_denied, "programs need sandbox level T2");
    EXPECT_EQ(read("application/pdf", "%PDF-1.7").error().code, Code::unavailable) << "that is no fault of the file";
    const Reader nowhere(nullptr, pool, [] { return 0; });
    EXPECT_EQ(support::run_task(nowhere.read("application/pdf", "it", "%PDF-1.7", 8)).error().code, Code::unavailable);
    EXPECT_EQ(support::run_task(nowhere.read("text/plain", "it", "milk", 8)).value().text, "milk");
}

TEST_F(ReaderTest, AModelIsShownWhatHalfOfItsWindowHolds) {
    for (const auto& [tokens, most] : {std::pair(8192, std::size_t(12288)), {32768, 49152}, {1 << 20, 262144}, {0, 12288}}) {
        const Reader reader(nullptr, pool, [tokens = tokens] { return tokens; });
        EXPECT_EQ(reader.most_shown(), most) << tokens;
    }
}

}  // namespace
}  // namespace memory
