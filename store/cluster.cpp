#include "store/cluster.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>

#include "store/bootstrap.h"
#include "store/digest.h"
#include "store/process.h"

namespace store {
namespace {

namespace fs = std::filesystem;
using base::Code;

// sun_path holds 108 bytes; PostgreSQL's socket is named .s.PGSQL.5432.
constexpr std::size_t kMostSocketFolder = 107 - 15;

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

base::Result<fs::path> find_binaries(const ClusterOptions& o) {
    if (!o.binaries.empty()) {
        if (fs::exists(o.binaries / "postgres")) return o.binaries;
        return base::error(Code::not_found, "there is no postgres in " + o.binaries.string(),
                           "apt-get install postgresql, or set database.binaries");
    }
    int made_by = 0;  // a cluster that is there already wants its own version
    std::ifstream(data_of(o) / "PG_VERSION") >> made_by;
    fs::path best;
    int newest = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
        const int version = std::atoi(entry.path().filename().c_str());
        if ((version > newest || version == made_by) && fs::exists(entry.path() / "bin/initdb") && fs::exists(entry.path() / "bin/postgres")) {
            newest = version;
            best = entry.path() / "bin";
            if (version == made_by) return best;
        }
    }
    if (newest >= 15) return best;
    return base::error(Code::not_found, newest == 0 ? "PostgreSQL is not installed (no initdb under /usr/lib/postgresql)"
                                                    : "PostgreSQL " + std::to_string(newest) + " is too old, 15 is needed",
                       "apt-get install postgresql, or set database.url to a server of your own");
}

// pg_ctl and initdb say much; the last lines hold the reason.
std::string tail(const std::string& text) {
    std::string out = text.substr(text.size() > 600 ? text.size() - 600 : 0);
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

base::Error explain(const ClusterOptions& o, const std::string& action, const ProcessResult& result) {
    std::string why = result.output;
    if (std::ifstream log(o.folder / "log"); log) {
        log.seekg(0, std::ios::end);
        log.seekg(-std::min<std::streamoff>(log.tellg(), 600), std::ios::end);
        why += std::string(std::istreambuf_iterator<char>(log), {});
    }
    if (why.find("No space left on device") != std::string::npos)
        return base::error(Code::resource_exhausted, action + " failed: no space left on the disk of " + o.folder.string(),
                           "free some space, or set state.folder to another disk");
    return base::error(Code::unavailable, action + " failed (exit " + std::to_string(result.exit_code) + "): " + tail(why),
                       "the whole log is " + (o.folder / "log").string());
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
        for (const auto& folder : {o.folder, socket_of(o)})
            if (chown(folder.c_str(), ids->uid, ids->gid) != 0)
                return base::error(Code::io, "cannot give " + folder.string() + " to " + user + ": " + std::strerror(errno));
    }
    chmod(o.folder.c_str(), 0700);
    return {};
}

// A killed postmaster that its parent has not reaped yet: pg_ctl and postgres take it for alive.
bool is_zombie(int pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), {});
    const auto name_end = text.rfind(')');  // "PID (name) STATE …"
    return name_end != text.npos && name_end + 2 < text.size() && text[name_end + 2] == 'Z';
}

int postmaster_pid(const ClusterOptions& o) {
    int pid = 0;
    std::ifstream(data_of(o) / "postmaster.pid") >> pid;
    return pid;
}

// Passwords of the three roles, one a line: admin, owner, app. Made once.
base::Result<void> make_credentials(const ClusterOptions& o) {
    if (fs::exists(secret_of(o))) return {};
    const int fd = ::open(secret_of(o).c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    std::string text;
    for (int i = 0; i < 3; ++i) text += base64url(random_bytes(24)) + "\n";
    const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == ssize_t(text.size());
    const std::string why = std::strerror(errno);
    if (fd >= 0) ::close(fd);
    if (!written) return base::error(Code::io, "cannot write " + secret_of(o).string() + ": " + why);
    if (const std::string user = user_of(o); !user.empty()) {
        auto ids = find_user(user);
        if (!ids || chown(secret_of(o).c_str(), ids->uid, ids->gid) != 0)
            return base::error(Code::io, "cannot give " + secret_of(o).string() + " to " + user);
    }
    return {};
}

std::string credential(const ClusterOptions& o, int line) {
    std::ifstream in(secret_of(o));
    std::string text;
    for (int i = 0; i <= line; ++i) std::getline(in, text);
    return text;
}

base::Result<void> initialise(const ClusterOptions& o, const fs::path& binaries) {
    say(o, "making the database cluster in " + o.folder.string());
    if (auto done = make_credentials(o); !done) return done;
    // initdb takes the first line of the file as the password of the role that it makes.
    // Made under another name and renamed when whole: a cut in the middle leaves no half-made cluster.
    const fs::path fresh = o.folder / "data.new";
    std::error_code failed;
    fs::remove_all(fresh, failed);
    const std::vector<std::string> argv = {(binaries / "initdb").string(), "-D", fresh.string(), "-U", "hearth_admin",
                                           "--auth=scram-sha-256", "--pwfile=" + secret_of(o).string(),
                                           "--encoding=UTF8", "--locale=C.UTF-8"};
    auto result = run_process(argv, user_of(o));
    if (!result) return std::move(result).error();
    if (result->exit_code != 0) return explain(o, "initdb", *result);
    std::ofstream settings(fresh / "postgresql.conf", std::ios::app);
    settings
        << "\n# Hearth: only the Unix socket, only this user.\nlisten_addresses = ''\nport = 5432\n"
        << "unix_socket_directories = '" << socket_of(o).string() << "'\nunix_socket_permissions = 0700\n"
        << "max_connections = 60\nshared_buffers = 64MB\nlogging_collector = off\nlog_min_messages = warning\n";
    settings.close();
    if (!settings) return base::error(Code::io, "cannot write " + (fresh / "postgresql.conf").string(), "check free space");
    fs::rename(fresh, data_of(o), failed);
    if (failed) return base::error(Code::io, "cannot rename " + fresh.string() + ": " + failed.message());
    return {};
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
    std::ifstream version(data_of(o) / "PG_VERSION");
    status.initialised = bool(version >> status.version);
    if (!status.initialised) return status;
    auto binaries = find_binaries(o);
    if (!binaries) return std::move(binaries).error();
    auto result = run_process({(*binaries / "pg_ctl").string(), "-D", data_of(o).string(), "status"}, user_of(o));
    if (!result) return std::move(result).error();
    const int pid = postmaster_pid(o);
    status.running = result->exit_code == 0 && !is_zombie(pid);
    if (status.running) status.pid = pid;
    return status;
}

base::Result<ClusterStatus> start_cluster(const ClusterOptions& o) {
    if (geteuid() == 0 && o.run_as.empty())
        return base::error(Code::permission_denied, "PostgreSQL does not run as root",
                           "start hearth through deploy/run, which makes the user 'hearth' for it");
    auto binaries = find_binaries(o);
    if (!binaries) return std::move(binaries).error();
    if (auto made = make_folder(o); !made) return std::move(made).error();
    FolderLock lock(o.folder);
    auto status = cluster_status(o);
    if (!status) return status;
    if (!status->initialised) {
        if (auto done = initialise(o, *binaries); !done) return std::move(done).error();
    } else if (const std::string major = binaries->parent_path().filename().string(); o.binaries.empty() && status->version != major) {
        return base::error(Code::conflict, "the cluster in " + o.folder.string() + " was made by PostgreSQL " + status->version +
                                               ", installed is " + major,
                           "install postgresql-" + status->version + ", or upgrade the cluster with pg_upgrade");
    }
    if (!status->running) {
        say(o, "starting PostgreSQL");
        if (const int pid = postmaster_pid(o); pid > 0 && is_zombie(pid)) {
            fs::remove(data_of(o) / "postmaster.pid");
            fs::remove(socket_of(o) / ".s.PGSQL.5432.lock");
        }
        auto result = run_process({(*binaries / "pg_ctl").string(), "-D", data_of(o).string(), "-l", (o.folder / "log").string(),
                                   "-w", "-t", "60", "start"}, user_of(o));
        if (!result) return std::move(result).error();
        if (result->exit_code != 0) return explain(o, "the start of PostgreSQL", *result);
    }
    const std::string admin = "host=" + socket_of(o).string() + " port=5432 dbname=postgres user=hearth_admin password=" + credential(o, 0);
    if (auto done = make_roles(admin, credential(o, 1), credential(o, 2)); !done) return std::move(done).error();
    return cluster_status(o);
}

base::Result<void> stop_cluster(const ClusterOptions& o) {
    auto status = cluster_status(o);
    if (!status) return std::move(status).error();
    if (!status->running) return {};
    auto binaries = find_binaries(o);
    if (!binaries) return std::move(binaries).error();
    FolderLock lock(o.folder);
    auto result = run_process({(*binaries / "pg_ctl").string(), "-D", data_of(o).string(), "-m", "fast", "-w", "stop"}, user_of(o));
    if (!result) return std::move(result).error();
    if (result->exit_code != 0) return explain(o, "stopping PostgreSQL", *result);
    return {};
}

}  // namespace store
