#include "store/cluster.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <thread>

#include "store/bootstrap.h"
#include "store/cluster_programs.h"
#include "store/digest.h"
#include "store/process.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::Code;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kBetweenWords{10};  // to who waits for a start
constexpr int kMostStarts = 3;                     // of one that ends by itself before it takes connections

// sun_path holds 108 bytes; PostgreSQL's socket is named .s.PGSQL.5432.
constexpr std::size_t kMostSocketFolder = 107 - 15;

// What a new cluster takes: 40 MiB, and two segments of its log.
constexpr std::uintmax_t kRoom = 72ull << 20;

fs::path data_of(const ClusterOptions& o) { return o.folder / "data"; }
fs::path socket_of(const ClusterOptions& o) { return o.folder / "socket"; }
fs::path secret_of(const ClusterOptions& o) { return o.folder / "credentials"; }

void say(const ClusterOptions& o, const std::string& what) {
    if (o.progress) o.progress(what);
}

// Locks the cluster's folder among hearth processes for the time of a start or stop.
class FolderLock {
public:
    explicit FolderLock(const fs::path& folder) : fd_(::open((folder / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
        if (fd_ >= 0) flock(fd_, LOCK_EX);
    }
    ~FolderLock() {
        if (fd_ >= 0) ::close(fd_);
    }

private:
    int fd_;
};

std::string user_of(const ClusterOptions& o) { return geteuid() == 0 ? o.run_as : std::string(); }

// The user may pass through every folder above `folder`.
base::Result<void> way_is_open(const fs::path& folder, const std::string& user, const UserIds& ids) {
    for (fs::path above = folder.parent_path(); above.has_relative_path(); above = above.parent_path()) {
        struct stat info {};
        if (stat(above.c_str(), &info) != 0) continue;
        const mode_t pass = info.st_uid == ids.uid ? S_IXUSR : info.st_gid == ids.gid ? S_IXGRP : S_IXOTH;
        if (!(info.st_mode & pass))
            return base::error(Code::permission_denied, "the user '" + user + "', who runs PostgreSQL, cannot pass through " + above.string(),
                               "chmod o+x " + above.string() + ", or set state.folder to another path");
    }
    return {};
}

base::Result<void> make_folder(const ClusterOptions& o) {
    if (socket_of(o).string().size() > kMostSocketFolder)
        return base::error(Code::invalid_argument, "the path " + socket_of(o).string() + " is too long for a Unix socket",
                           "set state.folder to a path of fewer than " + std::to_string(kMostSocketFolder - 12) + " characters");
    std::error_code failed;
    fs::create_directories(socket_of(o), failed);
    if (failed)
        return base::error(Code::io, "cannot make " + socket_of(o).string() + ": " + failed.message(),
                           "check permissions and free space, or set state.folder");
    if (const std::string user = user_of(o); !user.empty()) {
        auto ids = find_user(user);
        if (!ids) return std::move(ids).error();
        if (auto open = way_is_open(o.folder, user, *ids); !open) return open;
        for (const auto& folder : {o.folder, socket_of(o)})
            if (chown(folder.c_str(), ids->uid, ids->gid) != 0)
                return base::error(Code::io, "cannot give " + folder.string() + " to " + user + ": " + std::strerror(errno));
    }
    chmod(o.folder.c_str(), 0700);
    return {};
}

int postmaster_pid(const ClusterOptions& o) {
    int pid = 0;
    std::ifstream(data_of(o) / "postmaster.pid") >> pid;
    return pid;
}

// Passwords of the three roles, one a line: admin, owner, app. Made once.
base::Result<void> make_credentials(const ClusterOptions& o) {
    if (fs::exists(secret_of(o))) return {};
    const fs::path fresh = o.folder / "credentials.new";  // whole or not at all
    const int fd = ::open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    std::string text;
    for (int i = 0; i < 3; ++i) text += base64url(random_bytes(24)) + "\n";
    const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == ssize_t(text.size()) && fsync(fd) == 0;
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    if (!written) return base::error(Code::io, "cannot write " + secret_of(o).string() + ": " + why, "check permissions and free space, or set state.folder");
    if (const std::string user = user_of(o); !user.empty()) {
        auto ids = find_user(user);
        if (!ids || chown(fresh.c_str(), ids->uid, ids->gid) != 0)
            return base::error(Code::io, "cannot give " + fresh.string() + " to " + user);
    }
    std::error_code failed;
    fs::rename(fresh, secret_of(o), failed);
    if (failed) return base::error(Code::io, "cannot rename " + fresh.string() + ": " + failed.message());
    return {};
}

std::string credential(const ClusterOptions& o, int line) {
    std::ifstream in(secret_of(o));
    std::string text;
    for (int i = 0; i <= line; ++i) std::getline(in, text);
    return text;
}

base::Result<void> initialise(const ClusterOptions& o, const Programs& programs) {
    // PostgreSQL does not always say that it broke off for want of room, and takes its traces away.
    std::error_code unknown;
    const auto room = fs::space(o.folder, unknown);
    if (!unknown && room.available < kRoom)
        return base::error(Code::resource_exhausted, "no space left for a database: " + std::to_string(room.available >> 20) + " MiB are free on the disk of " +
                                                         o.folder.string() + ", " + std::to_string(kRoom >> 20) + " MiB are wanted",
                           "free some space, or set state.folder to another disk");
    say(o, "making the database cluster in " + o.folder.string());
    if (auto done = make_credentials(o); !done) return done;
    // initdb takes the first line of the file as the password of the role that it makes.
    // Made under another name and renamed when whole: a cut in the middle leaves no half-made cluster.
    const fs::path fresh = o.folder / "data.new";
    std::error_code failed;
    fs::remove_all(fresh, failed);
    const std::vector<std::string> argv = {programs.path("initdb"), "-D", fresh.string(), "-U", "hearth_admin",
                                           "--auth=scram-sha-256", "--pwfile=" + secret_of(o).string(),
                                           "--encoding=UTF8", "--locale=C.UTF-8"};
    auto result = run_process(argv, user_of(o));
    if (!result) return std::move(result).error();
    if (result->exit_code != 0) return explain(o, "initdb", result->exit_code, result->output, size_of_log(o));
    std::ofstream settings(fresh / "postgresql.conf", std::ios::app);
    settings
        << "\n# Hearth: only the Unix socket, only this user.\nlisten_addresses = ''\nport = 5432\n"
        << "unix_socket_directories = '" << socket_of(o).string() << "'\nunix_socket_permissions = 0700\n"
        << "max_connections = 60\nshared_buffers = 64MB\nmax_wal_size = 256MB\nmin_wal_size = 32MB\n"
        << "logging_collector = off\nlog_min_messages = warning\n";
    settings.close();
    if (!settings) return base::error(Code::io, "cannot write " + (fresh / "postgresql.conf").string(), "check free space");
    fs::rename(fresh, data_of(o), failed);
    if (failed) return base::error(Code::io, "cannot rename " + fresh.string() + ": " + failed.message());
    return {};
}

// Of a postmaster that was killed, its processes end by themselves within moments. A second one beside
// them would ruin the data, so nothing is started, nor its lock taken away, before they are gone.
base::Result<void> wait_for_orphans(const ClusterOptions& o) {
    for (int i = 0; i < 100; ++i) {
        const auto left = processes_in(data_of(o));
        if (left.empty()) return {};
        if (i == 99)
            return base::error(Code::conflict, "process " + std::to_string(left.front()) + " of a PostgreSQL that broke off still works in " + data_of(o).string(),
                               "kill " + std::to_string(left.front()) + ", then try again");
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return {};
}

// It will take connections: when it has read its log, when it listens (a socket that a killed one left behind refuses them until then), or
// when it was started anew, being gone by now: one that was just killed still looks alive for a moment.
bool comes_up(const ClusterOptions& o, const base::Error& e) {
    const auto says = [&](const char* words) { return e.message.find(words) != std::string::npos; };
    if (says("shutting down")) return false;
    const bool answers = says("FATAL") || !says("connection to server");
    return !answers || says("the database system is ") || !fs::exists(socket_of(o) / ".s.PGSQL.5432");
}

base::Result<void> start_postmaster(const ClusterOptions& o, const Programs& programs) {
    say(o, "starting PostgreSQL");
    // PostgreSQL judges a lock that was left behind by its number alone, which may be another process's
    // by now, or that of a killed one that its parent has not reaped.
    if (const int pid = postmaster_pid(o); pid > 0 && ::kill(pid, 0) == 0) {
        if (auto gone = wait_for_orphans(o); !gone) return gone;
        fs::remove(data_of(o) / "postmaster.pid");
        fs::remove(socket_of(o) / ".s.PGSQL.5432.lock");
    }
    const auto log = size_of_log(o);
    const auto seconds = std::to_string(std::min<std::int64_t>(kBetweenWords.count(), o.patience.count()));
    auto result = run_process({programs.path("pg_ctl"), "-D", data_of(o).string(), "-l", log_of(o).string(), "-w", "-t", seconds, "start"}, user_of(o));
    if (!result) return std::move(result).error();
    // One that lives reads its log still.
    const bool lives = is_postmaster(postmaster_pid(o), data_of(o));
    if (result->exit_code != 0 && !lives) return explain(o, "the start of PostgreSQL", result->exit_code, result->output, log);
    return {};
}

// Until it takes connections, has broken off too often or patience is over.
base::Result<void> bring_up(const ClusterOptions& o) {
    const std::string admin = "host=" + socket_of(o).string() + " port=5432 dbname=postgres user=hearth_admin password=" + credential(o, 0);
    auto next_word = Clock::now();
    const auto until = next_word + o.patience;
    base::Result<void> made_roles;
    for (int starts = 0;;) {
        auto status = cluster_status(o);
        if (!status) return std::move(status).error();
        if (!status->running) {
            if (starts++ == kMostStarts) return made_roles;
            auto programs = find_programs(o, std::atoi(status->version.c_str()));
            if (!programs) return std::move(programs).error();
            if (auto started = start_postmaster(o, *programs); !started) return started;
        }
        made_roles = make_roles(admin, credential(o, 1), credential(o, 2));
        if (made_roles || !comes_up(o, made_roles.error()) || Clock::now() >= until) return made_roles;
        if (Clock::now() >= next_word) say(o, "PostgreSQL reads its log after it broke off");
        while (Clock::now() >= next_word) next_word += kBetweenWords;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
}

}  // namespace

std::string owner_url(const ClusterOptions& o) {
    return "host=" + socket_of(o).string() + " port=5432 dbname=hearth user=hearth_owner password=" + credential(o, 1);
}

std::string app_url(const ClusterOptions& o) {
    return "host=" + socket_of(o).string() + " port=5432 dbname=hearth user=hearth_app password=" + credential(o, 2);
}

base::Result<ClusterStatus> cluster_status(const ClusterOptions& o) {
    ClusterStatus status;
    status.socket = socket_of(o).string();
    if (::access(o.folder.c_str(), R_OK | X_OK) != 0 && errno == EACCES)
        return base::error(Code::permission_denied, "the cluster in " + o.folder.string() + " belongs to another user", "run hearth as that user, or as root");
    std::ifstream version(data_of(o) / "PG_VERSION");
    status.initialised = bool(version >> status.version);
    if (!status.initialised) return status;
    const int pid = postmaster_pid(o);
    status.running = pid > 0 && is_postmaster(pid, data_of(o));
    if (status.running) {
        status.pid = pid;
        return status;
    }
    auto programs = find_programs(o, std::atoi(status.version.c_str()));
    if (!programs) return std::move(programs).error();
    auto control = run_process({programs->path("pg_controldata"), data_of(o).string()}, user_of(o));
    if (!control) return std::move(control).error();
    const auto at = control->output.find("Database cluster state:");
    status.crashed = at != std::string::npos && control->output.compare(control->output.find_first_not_of(' ', at + 23), 9, "shut down") != 0;
    return status;
}

base::Result<ClusterStatus> start_cluster(const ClusterOptions& o) {
    if (geteuid() == 0 && o.run_as.empty())
        return base::error(Code::permission_denied, "PostgreSQL does not run as root",
                           "start hearth through deploy/run, which makes the user 'hearth' for it");
    if (auto made = make_folder(o); !made) return std::move(made).error();
    FolderLock lock(o.folder);
    auto status = cluster_status(o);
    if (!status) return status;
    if (!status->initialised) {
        auto programs = find_programs(o, std::atoi(status->version.c_str()));
        if (!programs) return std::move(programs).error();
        if (auto done = initialise(o, *programs); !done) return std::move(done).error();
    }
    if (auto up = bring_up(o); !up) return std::move(up).error();
    return cluster_status(o);
}

base::Result<void> stop_cluster(const ClusterOptions& o) {
    auto status = cluster_status(o);
    if (!status) return std::move(status).error();
    if (!status->running) return {};
    auto programs = find_programs(o, std::atoi(status->version.c_str()));
    if (!programs) return std::move(programs).error();
    FolderLock lock(o.folder);
    const auto log = size_of_log(o);
    auto result = run_process({programs->path("pg_ctl"), "-D", data_of(o).string(), "-m", "fast", "-w", "stop"}, user_of(o));
    if (!result) return std::move(result).error();
    if (result->exit_code != 0) return explain(o, "stopping PostgreSQL", result->exit_code, result->output, log);
    return {};
}

}  // namespace store
