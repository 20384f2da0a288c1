// The command line's way in: a Unix socket that knows who is at the other end.
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "echo.h"

namespace server::testing {
namespace {

TEST(UnixSocket, KnowsTheUserBehindAUnixSocketAndTakesAFolder) {
    support::TempDir folder;
    HttpOptions options;
    options.socket = folder.path() / "run" / "hearth.sock";
    Echo echo(options);
    struct stat info{};
    ASSERT_EQ(stat(options.socket.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0660u);
    ASSERT_EQ(stat((folder.path() / "run").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0750u);

    const int fd = open(folder.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    Client client = Client::local(options.socket);
    client.send_with_descriptor(request_text("POST", "/folder", "abc"), fd);
    const base::Json said = client.read().json();
    EXPECT_EQ(said["unix"], true);
    EXPECT_EQ(said["uid"], getuid());
    EXPECT_EQ(said["inode"], Echo::inode(fd));
    EXPECT_EQ(said["body"], "abc");
    close(fd);
    Client without = Client::local(options.socket);
    without.send(request_text("GET", "/"));
    EXPECT_FALSE(without.read().json().contains("inode"));
}

TEST(UnixSocket, LeavesTheSocketOfARunningServerAlone) {
    support::TempDir folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    HttpOptions options;
    options.socket = folder.path() / "hearth.sock";
    std::ofstream(options.socket) << "a leftover";
    {
        Echo echo(options);
        options.port = 0;
        boost::asio::io_context io;
        const auto second = HttpServer::start(io.get_executor(), options, {}, echo.log, echo.metrics);
        ASSERT_FALSE(second);
        EXPECT_NE(second.error().message.find("another server"), std::string::npos);
        Client client = Client::local(options.socket);
        client.send(request_text("GET", "/"));
        EXPECT_EQ(client.read().status, 200);
        echo.stop();
        EXPECT_TRUE(within(2s, [&] { return !std::filesystem::exists(options.socket); }));
    }
    struct stat info{};
    ASSERT_EQ(stat(folder.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0755u);  // a folder that was there keeps its mode
}

// Whether a process of that uid can connect.
bool connects_as(unsigned uid, const std::string& path) {
    const pid_t child = fork();
    if (child == 0) {
        if (setgroups(0, nullptr) != 0 || setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) _exit(2);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        _exit(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(UnixSocket, LetsInTheUsersItIsToldToAndNoOthers) {
    if (getuid() != 0) GTEST_SKIP() << "only root can become another user";
    support::TempDir folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0711));
    HttpOptions options;
    options.socket = folder.path() / "run" / "hearth.sock";
    options.socket_users = {12345, 12346};
    Echo echo(options);
    for (const unsigned uid : {0u, 12345u, 12346u}) EXPECT_TRUE(connects_as(uid, options.socket)) << uid;
    for (const unsigned uid : {12347u, 65534u}) EXPECT_FALSE(connects_as(uid, options.socket)) << uid;
    struct stat info{};
    ASSERT_EQ(stat(options.socket.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0660u);
    ASSERT_EQ(stat((folder.path() / "run").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0750u);
}

TEST(UnixSocket, TakesTheFolderOfEachRequestAndOfNoOther) {
    support::TempDir folder;
    HttpOptions options;
    options.socket = folder.path() / "hearth.sock";
    Echo echo(options);
    const int fd = open(folder.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    Client client = Client::local(options.socket);
    client.send_with_descriptor(request_text("GET", "/1"), fd);
    EXPECT_EQ(client.read().json()["inode"], Echo::inode(fd));
    client.send(request_text("GET", "/2"));
    EXPECT_FALSE(client.read().json().contains("inode"));
    client.send_with_descriptor(request_text("GET", "/3"), fd);
    EXPECT_EQ(client.read().json()["inode"], Echo::inode(fd));
    close(fd);
}

}  // namespace
}  // namespace server::testing
