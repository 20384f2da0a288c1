#include "net/download.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/fixtures.h"
#include "support/stub_server.h"

namespace net {
namespace {

namespace fs = std::filesystem;
using support::StubReply;
using support::StubRequest;

const std::string kText = "the whole file";

struct DownloadTest : testing::Test {
    support::TempDir folder;
    const fs::path file = folder.path() / "file";
    DownloadOptions options;
    void begin(const std::string& text) { std::ofstream(file) << text; }
};

StubReply sized(int status, const std::string& body) {
    StubReply reply;
    reply.status = status;
    reply.sized = true;
    reply.chunks = {body};
    return reply;
}

// A server that understands "bytes=N-".
StubReply ranged(const StubRequest& request) {
    const std::string range = request.header("range");
    if (range.empty()) return sized(200, kText);
    const std::size_t from = std::stoul(range.substr(6));
    if (from >= kText.size()) return sized(416, "");
    auto reply = sized(206, kText.substr(from));
    reply.headers = {{"Content-Range", "bytes " + std::to_string(from) + "-" + std::to_string(kText.size() - 1) + "/" + std::to_string(kText.size())}};
    return reply;
}

TEST_F(DownloadTest, GoesOnWhereItEnded) {
    support::StubServer server(ranged);
    begin(kText.substr(0, 4));
    const auto done = download(server.url(), file, options);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(support::read_text(file), kText);
    EXPECT_EQ(server.requests().at(0).header("range"), "bytes=4-");
}

TEST_F(DownloadTest, StartsAgainWhereTheServerKnowsNoRanges) {
    support::StubServer server([](const StubRequest&) { return sized(200, kText); });
    begin("old");
    const auto done = download(server.url(), file, options);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(support::read_text(file), kText);
}

TEST_F(DownloadTest, StartsAgainWhereTheServersFileIsShorter) {
    support::StubServer server(ranged);
    begin(kText + " of another time");
    const auto done = download(server.url(), file, options);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(support::read_text(file), kText);
}

TEST_F(DownloadTest, KeepsWhatArrivedWhenTheConnectionBreaks) {
    bool cut = true;
    support::StubServer server([&](const StubRequest& request) {
        if (!cut) return ranged(request);
        cut = false;
        auto reply = sized(200, kText.substr(0, 6));
        reply.headers = {};
        reply.sized = false;
        reply.drop = true;
        return reply;
    });
    ASSERT_FALSE(download(server.url(), file, options));
    EXPECT_EQ(support::read_text(file), kText.substr(0, 6));
    ASSERT_TRUE(download(server.url(), file, options));
    EXPECT_EQ(support::read_text(file), kText);
}

TEST_F(DownloadTest, RefusesMoreThanIsExpected) {
    support::StubServer server(ranged);
    options.most_bytes = 5;
    const auto done = download(server.url(), file, options);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("larger than the expected 5 bytes"), std::string::npos) << done.error().message;
}

TEST_F(DownloadTest, AnErrorPageIsNotAFile) {
    support::StubServer server([](const StubRequest&) { return sized(404, "<html>"); });
    const auto done = download(server.url(), file, options);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("HTTP 404"), std::string::npos) << done.error().message;
    EXPECT_EQ(support::read_text(file), "");
}

}  // namespace
}  // namespace net
