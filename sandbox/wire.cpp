#include "sandbox/wire.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sandbox/packed.h"
#include "sandbox/passing.h"

namespace sandbox {
std::string encode(const Request& r) {
    Writer out;
    out.number(int(r.level)).texts(r.argv).text(r.working_directory).text(r.root).number(r.read_only).texts(r.writable).texts(r.masked).texts(r.held).text(r.repositories);
    out.number(std::int64_t(r.limits.memory_bytes)).number(r.limits.processes).number(std::int64_t(r.limits.file_bytes));
    out.number(std::int64_t(r.limits.tmp_bytes)).number(r.limits.open_files).number(r.limits.wall.count());
    return out.take();
}

std::optional<Request> decode_request(const std::string& bytes) {
    Reader in(bytes);
    Request r;
    r.level = Level(in.number());
    r.argv = in.texts();
    r.working_directory = in.text();
    r.root = in.text();
    r.read_only = in.number() != 0;
    r.writable = in.texts();
    r.masked = in.texts();
    r.held = in.texts();
    r.repositories = in.text();
    r.limits.memory_bytes = std::uint64_t(in.number());
    r.limits.processes = int(in.number());
    r.limits.file_bytes = std::uint64_t(in.number());
    r.limits.tmp_bytes = std::uint64_t(in.number());
    r.limits.open_files = int(in.number());
    r.limits.wall = std::chrono::milliseconds(in.number());
    if (!in.complete() || r.argv.empty()) return std::nullopt;
    return r;
}

std::string encode(const Report& r) {
    Writer out;
    out.number(r.exit_code).number(r.timed_out).number(r.out_of_memory).number(r.memory_by_group).text(r.failure).number(r.not_found).number(r.was_ready).number(r.wall.count());
    return out.take();
}

std::optional<Report> decode_report(const std::string& bytes) {
    Reader in(bytes);
    Report r;
    r.exit_code = int(in.number());
    r.timed_out = in.number() != 0;
    r.out_of_memory = in.number() != 0;
    r.memory_by_group = in.number() != 0;
    r.failure = in.text();
    r.not_found = in.number() != 0;
    r.was_ready = in.number() != 0;
    r.wall = std::chrono::microseconds(in.number());
    if (!in.complete()) return std::nullopt;
    return r;
}

Fd memory_file(std::string_view content) {
    Fd file(memfd_create("hearth", MFD_CLOEXEC));
    std::size_t done = 0;
    while (file && done < content.size()) {
        const ssize_t n = write(file.get(), content.data() + done, content.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return Fd();
        done += std::size_t(n);
    }
    if (file) lseek(file.get(), 0, SEEK_SET);
    return file;
}

std::string read_file(int fd) {
    std::string out;
    char buffer[8192];
    for (off_t at = 0;;) {
        const ssize_t n = pread(fd, buffer, sizeof buffer, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return out;
        out.append(buffer, std::size_t(n));
        at += n;
    }
}

bool send_descriptors(int socket, const Descriptors& d) {
    const int fds[] = {d.request.get(), d.input.get(), d.output.get(), d.control.get(), d.environment.get(), d.workspace.get()};
    return pass_descriptors(socket, 'r', fds, d.workspace ? 6 : 5);
}

std::optional<Descriptors> receive_descriptors(int socket, bool& closed) {
    int fds[kMostPassed] = {-1, -1, -1, -1, -1, -1};
    char byte = 0;
    const int count = take_descriptors(socket, byte, fds);
    closed = count < 0;
    if (count <= 0) return std::nullopt;
    return Descriptors{Fd(fds[0]), Fd(fds[1]), Fd(fds[2]), Fd(fds[3]), Fd(fds[4]), Fd(fds[5])};
}

}  // namespace sandbox
