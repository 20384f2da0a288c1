// The first program in a sandbox: hands out its mount namespace, waits for the command, and becomes it. Nothing else runs in
// the sandbox before. argv: its own file, the number of its socket.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sandbox/passing.h"

namespace {

// Until the command has its own output, this goes to whoever made the sandbox; the byte says that nothing began.
[[noreturn]] void fail(int socket, const char* name) {
    dprintf(2, "%s: %s\n", name, std::strerror(errno));
    send(socket, "x", 1, MSG_NOSIGNAL);
    _exit(1);
}

// A file of texts, each ended by a NUL, as memory of this program's own; null with errno when that fails.
char* texts_of(int file, off_t& size) {
    size = lseek(file, 0, SEEK_END);
    void* const mapped = size > 0 ? mmap(nullptr, std::size_t(size), PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0) : MAP_FAILED;
    return mapped == MAP_FAILED ? nullptr : static_cast<char*>(mapped);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 1;
    const int socket = std::atoi(argv[1]);
    const int mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (mounts < 0 || !sandbox::pass_descriptors(socket, 'r', &mounts, 1)) return 1;
    // The command's folder and words, each ended by a NUL; its input and its output; its environment, beside the one here.
    int given[sandbox::kMostPassed];
    char byte = 0;
    // Whoever made the sandbox has given it up when there is nothing to take.
    if (sandbox::take_descriptors(socket, byte, given) != 4) return 1;
    const int command = given[0], input = given[1], output = given[2], environment = given[3];
    off_t size = 0;
    char* const text = texts_of(command, size);
    if (!text) fail(socket, "the command");
    char* const end = text + size;
    char** const words = static_cast<char**>(std::calloc(std::size_t(size) + 1, sizeof(char*)));
    if (!words) fail(socket, "the command");
    std::size_t count = 0;
    for (char* word = text + std::strlen(text) + 1; word < end; word += std::strlen(word) + 1) words[count++] = word;
    if (count == 0 || chdir(text) != 0 || setenv("PWD", text, 1) != 0) fail(socket, text);
    off_t more = 0;
    char* const variables = texts_of(environment, more);
    if (!variables && more != 0) fail(socket, "the environment");
    for (char* one = variables; one && one < variables + more; one += std::strlen(one) + 1)
        if (putenv(one) != 0) fail(socket, "the environment");
    // What is above the standard three is this program's own, not the command's.
    if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0) fail(socket, "close_range");
    if (dup2(input, 0) != 0 || dup2(output, 1) != 1 || dup2(output, 2) != 2) fail(socket, "dup2");
    // Unless this is heard, nothing of the command has begun, whatever became of this process.
    if (send(socket, "b", 1, MSG_NOSIGNAL) != 1) return 1;
    execvp(words[0], words);
    const int why = errno;
    dprintf(2, "%s: %s\n", words[0], std::strerror(why));
    return why == ENOENT ? 127 : 126;
}
