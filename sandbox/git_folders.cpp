#include "sandbox/git_folders.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>

#include "sandbox/beneath.h"
#include "sandbox/git_config.h"
#include "sandbox/packed.h"
#include "sandbox/paths.h"
#include "sandbox/protection.h"

namespace sandbox {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostHeld = 16;             // repositories; each costs two mounts
constexpr std::size_t kMostKept = 1 << 20;        // bytes of one file that are remembered; a larger one is known by inode and time
constexpr std::size_t kLongestPath = PATH_MAX - 256;
constexpr std::size_t kMostLines = 20;
constexpr const char* kTodo = "git-rebase-todo";  // in rebase-merge: what `git rebase --continue` does next

// Some file systems tell no capitals from small letters.
bool is_git(const char* name) { return strcasecmp(name, ".git") == 0; }

std::string_view last_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Of `.git`, where there can be thousands of folders that hold no repository.
bool holds_data(const char* name) {
    for (const char* data : {"objects", "refs", "logs", "lfs", "hooks", "info"})
        if (std::strcmp(name, data) == 0) return true;
    return false;
}

std::string joined(const std::string& folder, const std::string& name) { return folder == "." ? name : folder + "/" + name; }

// Calls `each(name, type)` for every entry; type as in dirent.
void each_entry(int folder, const std::function<void(const char*, unsigned char)>& each) {
    alignas(dirent64) char buffer[32768];
    lseek(folder, 0, SEEK_SET);
    for (;;) {
        const long n = syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (n <= 0) return;
        for (long at = 0; at < n;) {
            const auto& row = *reinterpret_cast<const dirent64*>(buffer + at);
            at += row.d_reclen;
            if (std::strcmp(row.d_name, ".") == 0 || std::strcmp(row.d_name, "..") == 0) continue;
            unsigned char type = row.d_type;
            struct stat about{};
            if (type == DT_UNKNOWN && fstatat(folder, row.d_name, &about, AT_SYMLINK_NOFOLLOW) == 0) type = IFTODT(about.st_mode);
            each(row.d_name, type);
        }
    }
}

// Opens folders to list them. One that lets its owner only pass, or not even that, is no secret to a git of root: there
// the owner's rights are lent until the end.
class Opener {
public:
    explicit Opener(int workspace) : workspace_(workspace) {}
    ~Opener() {
        for (auto row = lent_.rbegin(); row != lent_.rend(); ++row)
            if (const Fd folder = open_path(workspace_, row->first)) set_mode(folder, row->second);
    }
    Opener(const Opener&) = delete;

    Fd open(const std::string& path) {
        Fd folder = open_beneath(workspace_, path, O_RDONLY | O_DIRECTORY);
        if (geteuid() == 0 || (!folder && errno != EACCES)) return folder;
        const Fd there = folder ? Fd() : open_path(workspace_, path);
        struct stat about{};
        if (fstat(folder ? folder.get() : there.get(), &about) != 0 || !S_ISDIR(about.st_mode)) return folder;
        if (about.st_uid != geteuid() || (about.st_mode & 0700) == 0700) return folder;
        if (!set_mode(folder ? folder : there, about.st_mode | 0700)) return folder;
        lent_.emplace_back(path, about.st_mode);
        return folder ? std::move(folder) : open_beneath(workspace_, path, O_RDONLY | O_DIRECTORY);
    }

private:
    static bool set_mode(const Fd& folder, mode_t mode) { return chmod(("/proc/self/fd/" + std::to_string(folder.get())).c_str(), mode & 07777) == 0; }

    const int workspace_;
    std::vector<std::pair<std::string, mode_t>> lent_;
};

// 'l': a link and its target; 'f', 'x': a file (executable) and its content; '?': anything else. Empty: absent or a folder.
std::string kind_and_content(int folder, const std::string& name) {
    struct stat about{};
    if (fstatat(folder, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(about.st_mode)) return "";
    if (S_ISLNK(about.st_mode)) return "l" + link_target(folder, name);
    if (!S_ISREG(about.st_mode)) return "?";
    const Fd file = open_beneath(folder, name, O_RDONLY);
    if (!file || fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode) || std::uint64_t(about.st_size) > kMostKept)
        return "?" + std::to_string(about.st_ino) + " " + std::to_string(about.st_ctim.tv_sec) + "." + std::to_string(about.st_ctim.tv_nsec);
    std::string out(1, about.st_mode & 0111 ? 'x' : 'f');
    char buffer[4096];
    for (ssize_t n = 0; out.size() <= kMostKept && (n = read(file.get(), buffer, sizeof buffer)) > 0;) out.append(buffer, std::size_t(n));
    return out;
}

// What makes git run commands, of one repository.
std::map<std::string, std::string> files_of(int folder) {
    std::map<std::string, std::string> out;
    const auto keep = [&](int in, const std::string& name, const std::string& as) {
        if (std::string content = kind_and_content(in, name); !content.empty()) out[as] = std::move(content);
    };
    for (const char* name : {"config", "config.worktree", "commondir", "hooks", "rebase-merge"}) keep(folder, name, name);
    Opener opener(folder);
    if (const Fd rebase = opener.open("rebase-merge")) keep(rebase.get(), kTodo, std::string("rebase-merge/") + kTodo);
    const Fd hooks = opener.open("hooks");
    if (!hooks) return out;
    std::vector<std::string> names;
    each_entry(hooks.get(), [&](const char* name, unsigned char) { names.emplace_back(name); });
    for (const std::string& name : names)
        if (!name.ends_with(".sample")) keep(hooks.get(), name, "hooks/" + name);
    return out;
}

bool key_of(int fd, GitFolders::Key& key) {
    struct stat about{};
    if (fstat(fd, &about) != 0) return false;
    key = {about.st_dev, about.st_ino};
    return true;
}

struct Visitor {
    std::function<void(const std::string& path, int fd)> repository;
    std::function<void(const std::string& path, int parent)> link;  // a `.git` that is no folder
    std::function<bool(const std::string& path, int fd)> masked;
};

std::size_t walk(Opener& opener, const Visitor& visitor) {
    std::size_t visited = 0;
    std::vector<std::pair<std::string, bool>> waiting = {{".", false}};  // and whether it lies in a `.git`
    while (!waiting.empty()) {
        const auto [path, within] = std::move(waiting.back());
        waiting.pop_back();
        const Fd folder = opener.open(path);
        if (!folder || visitor.masked(path, folder.get())) continue;
        ++visited;
        const bool named = is_git(std::string(last_name(path)).c_str());
        bool head = false, objects = false, refs = false, common = false;
        std::string link;
        each_entry(folder.get(), [&, &path = path, within = within](const char* name, unsigned char type) {  // clang 14 takes no bindings as they are
            head |= std::strcmp(name, "HEAD") == 0, objects |= std::strcmp(name, "objects") == 0;
            refs |= std::strcmp(name, "refs") == 0, common |= std::strcmp(name, "commondir") == 0;
            if (type != DT_DIR) return void(is_git(name) ? link = name : link);
            if ((within || named) && holds_data(name)) return;
            if (path.size() + std::strlen(name) < kLongestPath) waiting.emplace_back(joined(path, name), within || named);
        });
        if (named || (head && ((objects && refs) || common))) visitor.repository(path, folder.get());
        if (!link.empty()) visitor.link(joined(path, link), folder.get());
    }
    return visited;
}

bool put(int folder, const std::string& name, const std::string& text) {
    constexpr const char* kBeside = ".hearth-disarmed.tmp";
    struct stat old{};
    if (fstatat(folder, name.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
    unlinkat(folder, kBeside, 0);
    const Fd file = open_beneath(folder, kBeside, O_WRONLY | O_CREAT | O_EXCL, 0600);
    bool good = file && write(file.get(), text.data(), text.size()) == ssize_t(text.size());
    // Where the owner cannot be kept it is whoever disarmed it.
    if (good && fchown(file.get(), old.st_uid, old.st_gid) != 0) good = errno == EPERM;
    good = good && fchmod(file.get(), old.st_mode & 0666) == 0 && renameat(folder, kBeside, folder, name.c_str()) == 0;
    if (!good) unlinkat(folder, kBeside, 0);
    return good;
}

bool take_out(int folder, const std::string& name) { return unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT; }

}  // namespace

// One pass over a workspace after a run.
class Disarming {
public:
    Disarming(const GitFolders& before, int workspace, const std::string& root) : before_(before), opener_(workspace), root_(root) {}

    std::vector<std::string> lines() {
        const Visitor visitor{[&](const std::string& path, int fd) { examine(path, fd); },
                              [&](const std::string& path, int parent) { examine_link(path, parent); },
                              [&](const std::string& path, int fd) { return is_masked(path, fd); }};
        walk(opener_, visitor);
        if (lines_.size() > kMostLines) {
            const std::size_t more = lines_.size() - kMostLines;
            lines_.resize(kMostLines);
            lines_.push_back("and " + std::to_string(more) + " more");
        }
        return std::move(lines_);
    }

private:
    bool is_masked(const std::string& path, int fd) const {
        const auto found = before_.masked_.find(path);
        GitFolders::Key key;
        return found != before_.masked_.end() && key_of(fd, key) && key == found->second;
    }

    void say(const std::string& path, const std::string& what, bool done) {
        if (done) lines_.push_back(path + ": " + what + " taken out, git would obey it outside the sandbox");
        else lines_.push_back(path + ": " + what + " cannot be taken out (" + std::strerror(errno) + "): let no git run there");
    }

    void examine(const std::string& path, int fd) {
        GitFolders::Key key;
        if (!key_of(fd, key)) return;
        const auto known = before_.repositories_.find(key);
        // Mounts hold the settings and hooks of this one: what changed there, somebody outside changed.
        const bool held = known != before_.repositories_.end() && known->second.path == ".git" && path == ".git";
        static const GitFolders::Files kNothing;
        const GitFolders::Files& old = known == before_.repositories_.end() ? kNothing : known->second.files;
        for (const auto& [name, content] : files_of(fd)) {
            const auto same = old.find(name);
            if ((same != old.end() && same->second == content) || (held && !name.starts_with("rebase-merge"))) continue;
            let_change(fd);
            if (name.starts_with("config")) settings(path, fd, name, content, same == old.end() ? "" : same->second);
            else if (name == "commondir") common(path, fd, content);
            else if (name == "hooks" || name == "rebase-merge") say(path + "/" + name, "the link is", take_out(fd, name));
            else if (name.starts_with("rebase-merge/")) unfinished_rebase(path + "/" + name, fd, content, same == old.end() ? "" : same->second);
            else hook(path, fd, name);
        }
    }

    // The program may have taken the right to write from its own folder.
    static void let_change(int folder) {
        struct stat about{};
        if (fstat(folder, &about) == 0 && about.st_uid == geteuid() && (about.st_mode & 0300) != 0300) fchmod(folder, (about.st_mode & 07777) | 0700);
    }

    void hook(const std::string& path, int fd, const std::string& name) {
        Opener opener(fd);
        const Fd hooks = opener.open("hooks");
        if (hooks) let_change(hooks.get());
        say(path + "/" + name, "the hook is", hooks && take_out(hooks.get(), name.substr(6)));
    }

    void unfinished_rebase(const std::string& file, int fd, const std::string& content, const std::string& old) {
        Opener opener(fd);
        const Fd rebase = opener.open("rebase-merge");
        if (!rebase) return say(file, "the list is", false);
        let_change(rebase.get());
        if (content[0] != 'f' && content[0] != 'x') return say(file, "the list is", take_out(rebase.get(), kTodo));
        std::string kept;
        for (std::size_t at = 1; at < content.size();) {
            const std::size_t end = std::min(content.find('\n', at), content.size() - 1) + 1;
            const std::string line = content.substr(at, end - at);
            if (!runs_command(line) || old.find("\n" + line) != std::string::npos || old.substr(std::min<std::size_t>(1, old.size())).starts_with(line)) kept += line;
            at = end;
        }
        if (kept.size() + 1 != content.size()) say(file, "a command is", put(rebase.get(), kTodo, kept) || take_out(rebase.get(), kTodo));
    }

    // "exec COMMAND" or "x COMMAND".
    static bool runs_command(const std::string& line) {
        const std::size_t from = std::min(line.size(), line.find_first_not_of(" \t"));
        const std::string word = line.substr(from, line.find_first_of(std::string(" \t\r\n\0", 5), from) - from);
        return word == "exec" || word == "x";
    }

    void settings(const std::string& path, int fd, const std::string& name, const std::string& content, const std::string& old) {
        const bool text = content[0] == 'f' || content[0] == 'x';
        if (!text) return say(path + "/" + name, content[0] == 'l' ? "the link is" : "the file is", take_out(fd, name));
        const DisarmedConfig safe = disarm_config(content.substr(1), old.empty() ? "" : old.substr(1));
        if (safe.text == content.substr(1)) return;
        const bool done = put(fd, name, safe.text) || take_out(fd, name);
        std::string names;
        for (const std::string& one : safe.removed) names += (names.empty() ? "" : ", ") + one;
        if (!done || !names.empty()) say(path + "/" + name, names + (safe.removed.size() > 1 ? " are" : " is"), done);
    }

    // `git worktree add` makes NAME/worktrees/OTHER/commondir with "../.."; the folder above is then examined too.
    void common(const std::string& path, int fd, const std::string& content) {
        const fs::path above = fs::path(path).parent_path();
        const std::string owner = above.has_parent_path() ? above.parent_path().string() : ".";
        const bool as_worktree = content == "f../..\n" && above.filename() == "worktrees";
        const Fd folder = opener_.open(owner);
        if (as_worktree && folder && faccessat(folder.get(), "HEAD", F_OK, AT_SYMLINK_NOFOLLOW) == 0) return examine(owner, folder.get());
        say(path + "/commondir", "the link to other settings is", take_out(fd, "commondir"));
    }

    // Where a `gitdir:` leads, relative to the workspace; empty: elsewhere, or by ways that a link could bend.
    std::string target(const std::string& path, const std::string& content) const {
        const bool link = content[0] == 'l';
        std::string to = link ? content.substr(1) : content.substr(std::min(content.size(), content.find_first_not_of(' ', 8)));
        while (!to.empty() && (to.back() == '\n' || to.back() == '\r')) to.pop_back();
        bool down = false;
        for (const fs::path& part : fs::path(to)) {
            if (part == ".." && down) return "";
            down |= part != ".." && part != "." && part != "/";
        }
        const fs::path whole(to);
        auto relative = relative_path(root_, whole.is_absolute() ? to : (fs::path(root_) / fs::path(path).parent_path() / whole).string());
        return to.empty() || !relative ? "" : *relative;
    }

    void examine_link(const std::string& path, int parent) {
        const std::string name = fs::path(path).filename(), content = kind_and_content(parent, name);
        // Another run's, over which its mount lies.
        if (content.empty() || (content[0] == 'l' && is_placeholder(content.substr(1)))) return;
        const auto old = before_.links_.find(path);
        const bool known = old != before_.links_.end() && old->second == content;
        const bool file = content.substr(1).starts_with("gitdir:");
        const std::string to = file || content[0] == 'l' ? target(path, content) : "";
        if (const Fd folder = to.empty() ? Fd() : opener_.open(to); folder && faccessat(folder.get(), "HEAD", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
            examine(to, folder.get());
            if (file) return;
        }
        if (known || (!file && content[0] != 'l' && content[0] != '?')) return;
        let_change(parent);
        say(path, file ? "the link to a repository elsewhere is" : "the link is", take_out(parent, name));
    }

    const GitFolders& before_;
    Opener opener_;
    const std::string& root_;
    std::vector<std::string> lines_;
};

GitFolders GitFolders::of(int workspace, const std::vector<std::string>& masked) {
    GitFolders out;
    for (const std::string& path : masked)
        if (const Fd there = open_path(workspace, path)) key_of(there.get(), out.masked_[path]);
    const Visitor visitor{
        [&](const std::string& path, int fd) {
            Key key;
            if (!key_of(fd, key)) return;
            out.repositories_[key] = {path, files_of(fd)};
            out.order_.push_back(path);
        },
        [&](const std::string& path, int parent) { out.links_[path] = kind_and_content(parent, fs::path(path).filename()); },
        [&](const std::string& path, int) { return out.masked_.contains(path); }};
    Opener opener(workspace);
    out.visited_ = walk(opener, visitor);
    std::sort(out.order_.begin(), out.order_.end(), [](const std::string& a, const std::string& b) {
        const auto deep = [](const std::string& path) { return std::count(path.begin(), path.end(), '/'); };
        return std::pair(deep(a), a) < std::pair(deep(b), b);
    });
    return out;
}

std::vector<std::string> GitFolders::held() const {
    std::vector<std::string> out;
    std::size_t count = 0;
    for (const std::string& path : order_) {
        if (path == ".git") continue;
        if (++count > kMostHeld) break;
        for (const char* name : {"config", "hooks"}) out.push_back(joined(path, name));
    }
    return out;
}

std::vector<std::string> GitFolders::disarm(int workspace, const std::string& root) const { return Disarming(*this, workspace, root).lines(); }

std::string GitFolders::packed() const {
    Writer out;
    out.number(std::int64_t(repositories_.size()));
    for (const auto& [key, repository] : repositories_) {
        out.number(std::int64_t(key.first)).number(std::int64_t(key.second)).text(repository.path).number(std::int64_t(repository.files.size()));
        for (const auto& [name, content] : repository.files) out.text(name).text(content);
    }
    out.number(std::int64_t(links_.size()));
    for (const auto& [path, content] : links_) out.text(path).text(content);
    out.number(std::int64_t(masked_.size()));
    for (const auto& [path, key] : masked_) out.text(path).number(std::int64_t(key.first)).number(std::int64_t(key.second));
    return out.take();
}

GitFolders GitFolders::unpacked(const std::string& bytes) {
    GitFolders out;
    Reader in(bytes);
    const auto key = [&] {
        const std::int64_t device = in.number();
        return Key(device, in.number());
    };
    for (std::int64_t n = in.number(); n > 0; --n) {
        Repository& repository = out.repositories_[key()];
        repository.path = in.text();
        for (std::int64_t files = in.number(); files > 0; --files) {
            const std::string name = in.text();
            repository.files[name] = in.text();
        }
    }
    for (std::int64_t n = in.number(); n > 0; --n) {
        const std::string path = in.text();
        out.links_[path] = in.text();
    }
    for (std::int64_t n = in.number(); n > 0; --n) {
        const std::string path = in.text();
        out.masked_[path] = key();
    }
    return out;
}

bool makes_repository(int workspace, const std::string& relative) {
    const fs::path whole(relative);
    fs::path folder;
    for (auto part = whole.begin(); part != whole.end(); folder /= *part++) {
        if (is_git(part->c_str())) return false;  // protected by name
        const Fd there = open_path(workspace, folder.empty() ? "." : folder.string());
        if (!there) return false;
        const auto has = [&](const char* name) { return *part == name || faccessat(there.get(), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0; };
        if (has("HEAD") && (has("commondir") || (has("objects") && has("refs")))) return true;
    }
    return false;
}

std::shared_ptr<GitGuard::Watched> GitGuard::enter(const Workspace& workspace, const std::vector<std::string>& masked) {
    GitFolders::Key key;
    if (!key_of(workspace.fd(), key)) return nullptr;
    std::shared_ptr<Watched> out;
    {
        const std::lock_guard guard(lock_);
        std::erase_if(watched_, [](const auto& row) { return row.second.expired(); });
        out = watched_[key].lock();
        if (!out) watched_[key] = out = std::make_shared<Watched>();
    }
    const std::lock_guard guard(out->lock);
    if (!out->before) out->before = std::make_unique<const GitFolders>(GitFolders::of(workspace.fd(), masked));
    return out;
}

}  // namespace sandbox
