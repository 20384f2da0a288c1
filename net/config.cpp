#include "net/config.h"

#include <pwd.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace net {
namespace {

using base::Code;

base::Error at(const std::filesystem::path& file, const YAML::Mark& mark, const std::string& what) {
    return base::error(Code::invalid_argument,
                       file.string() + ", line " + std::to_string(mark.line + 1) + ": " + what);
}

// Collects a file's scalars by dotted path. Aliases can make a small file endless, so what is looked at is counted.
class Flattening {
public:
    Flattening(const std::filesystem::path& file, std::map<std::string, std::string>& out) : file_(file), out_(out) {}

    base::Result<void> add(const YAML::Node& node, const std::string& path, int depth = 0) {
        if (depth > kDeepest) return at(file_, node.Mark(), "'" + path.substr(0, 100) + "' is nested too deep for a setting");
        if (--left_ < 0) return too_many(node);
        if (node.IsMap()) {
            for (const auto& entry : node) {
                const std::string key = path.empty() ? entry.first.Scalar() : path + "." + entry.first.Scalar();
                if (auto done = add(entry.second, key, depth + 1); !done) return done;
            }
            return {};
        }
        if (path.empty()) return at(file_, node.Mark(), "expected settings as 'name: value'");
        if (out_.count(path)) return at(file_, node.Mark(), "'" + path + "' is given twice");
        if (node.IsSequence()) {
            auto text = list_text(node);
            if (!text) return std::move(text).error();
            out_[path] = *text;
        } else {
            out_[path] = node.IsNull() ? "" : node.Scalar();
        }
        return {};
    }

private:
    static constexpr int kDeepest = 8, kMost = 10'000;

    base::Error too_many(const YAML::Node& node) const {
        return at(file_, node.Mark(), "the file has more than " + std::to_string(kMost) + " values");
    }

    base::Result<std::string> list_text(const YAML::Node& list) {
        std::string out;
        for (const auto& item : list) {
            if (--left_ < 0) return too_many(item);
            if (!item.IsScalar()) return at(file_, item.Mark(), "a list of settings holds plain values only");
            out += (out.empty() ? "" : ",") + item.Scalar();
        }
        return out;
    }

    const std::filesystem::path& file_;
    std::map<std::string, std::string>& out_;
    int left_ = kMost;
};

// The first line, from 1, with a tab among the blanks that it begins with; 0 when there is none.
int tabbed_line(const std::string& text) {
    int line = 1;
    for (std::size_t start = 0; start < text.size(); ++line) {
        const auto end = std::min(text.find('\n', start), text.size());
        if (text.find('\t', start) < std::min(text.find_first_not_of(" \t", start), end)) return line;
        start = end + 1;
    }
    return 0;
}

std::filesystem::path home() {
    if (const auto set = environment("HOME")) return *set;
    const passwd* entry = getpwuid(getuid());
    return entry && entry->pw_dir ? entry->pw_dir : "/";
}

std::filesystem::path xdg(const char* variable, const char* below_home) {
    const auto set = environment(variable);
    return (set ? std::filesystem::path(*set) : home() / below_home) / "hearth";
}

}  // namespace

base::Result<std::map<std::string, std::string>> read_yaml_settings(const std::filesystem::path& file, bool required, const std::vector<std::string>& others) {
    std::map<std::string, std::string> out;
    std::error_code failed;
    const auto kind = std::filesystem::status(file, failed).type();
    if (kind == std::filesystem::file_type::not_found) {
        if (required) return base::error(Code::not_found, "there is no settings file " + file.string(), "name one that is there with --settings");
        return out;
    }
    std::ifstream in(file);
    if (kind == std::filesystem::file_type::directory || !in)
        return base::error(Code::io, "cannot read the settings file " + file.string() + ": " +
                                         (kind == std::filesystem::file_type::directory ? "it is a folder" : std::strerror(errno)),
                           "let the user that hearth runs as read it, or name another with --settings");
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    try {
        YAML::Node root = YAML::Load(text);
        for (const auto& name : others)
            if (root.IsMap()) root.remove(name);
        if (root.IsNull()) return out;
        if (auto done = Flattening(file, out).add(root, ""); !done) return std::move(done).error();
    } catch (const YAML::Exception& e) {
        // The library tells of a map that does not end, or of a wrong token.
        if (const int line = tabbed_line(text); line > 0)
            return base::error(Code::invalid_argument, file.string() + ", line " + std::to_string(line) + ": a tab begins the line, and YAML allows no tabs there", "indent it with blanks");
        return at(file, e.mark, e.msg);
    }
    return out;
}

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (!value || !*value) return std::nullopt;
    return std::string(value);
}

std::vector<std::string> environment_names(const std::string& prefix) {
    std::vector<std::string> out;
    for (char** entry = environ; *entry; ++entry) {
        const std::string text = *entry;
        const auto equals = text.find('=');
        if (text.rfind(prefix, 0) == 0 && equals + 1 < text.size()) out.push_back(text.substr(0, equals));
    }
    return out;
}

XdgFolders xdg_folders() {
    return {xdg("XDG_CONFIG_HOME", ".config"), xdg("XDG_STATE_HOME", ".local/state"),
            xdg("XDG_DATA_HOME", ".local/share"), xdg("XDG_CACHE_HOME", ".cache")};
}

}  // namespace net
