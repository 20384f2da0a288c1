#include "app/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "support/fixtures.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// The tables of a machine where uid 7 listens at 127.0.0.2:8080, uid 8 at [::1]:8080 and uid 9 everywhere at 9090.
struct ListenerTest : testing::Test {
    support::TempDir folder;
    const fs::path& proc = folder.path();
    void SetUp() override {
        fs::create_directories(proc / "net");
        const std::string rest = " 00000000:00000000 00:00000000 00000000 ";
        std::ofstream(proc / "net/tcp") << "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                                        << "   0: 0200007F:1F90 00000000:0000 0A" << rest << "7 0 111 1 0 100 0 0 10 0\n"
                                        << "   1: 0100007F:1F90 0100007F:ABCD 01" << rest << "6 0 112 1 0 100 0 0 10 0\n";
        std::ofstream(proc / "net/tcp6") << "  heading\n"
                                         << "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A" << rest << "8 0 113 1 0\n"
                                         << "   1: 00000000000000000000000000000000:2382 00000000000000000000000000000000:0000 0A" << rest << "9 0 114 1 0\n";
    }
    void process(const std::string& pid, const std::string& name, const std::string& inode) {
        fs::create_directories(proc / pid / "fd");
        std::ofstream(proc / pid / "comm") << name << "\n";
        fs::create_symlink("socket:[" + inode + "]", proc / pid / "fd/3");
    }
};

TEST_F(ListenerTest, GoesByAddressAndPort) {
    EXPECT_EQ(listener_at("127.0.0.2", 8080, proc), "a program of uid 7");
    EXPECT_EQ(listener_at("::1", 8080, proc), "a program of uid 8");
    EXPECT_EQ(listener_at("localhost", 9090, proc), "a program of uid 9");
    EXPECT_EQ(listener_at("127.0.0.1", 8080, proc), "") << "a connection is no listener, nor is another address";
    EXPECT_EQ(listener_at("0.0.0.0", 8080, proc), "a program of uid 7");
    EXPECT_EQ(listener_at("127.0.0.2", 8081, proc), "");
}

TEST_F(ListenerTest, NamesTheProcess) {
    process("40", "other", "999");
    process("41", "web", "111");
    EXPECT_EQ(listener_at("127.0.0.2", 8080, proc), "web (pid 41)");
}

TEST(Listener, FindsThisProcess) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(listen(fd, 1), 0);
    ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const int port = ntohs(address.sin_port);
    EXPECT_THAT(listener_at("127.0.0.1", port), AllOf(HasSubstr("app_test"), HasSubstr("(pid " + std::to_string(getpid()) + ")")));
    close(fd);
    EXPECT_EQ(listener_at("127.0.0.1", port), "");
}

}  // namespace
}  // namespace app
