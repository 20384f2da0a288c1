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

// A part of the file, which begins in a line of it, from 1.
struct Part {
    const std::filesystem::path& file;
    std::string text;
    int first = 1;
    std::string name = {};  // of a section
};

base::Error at(const Part& part, int line, const std::string& what, const std::string& remedy = {}) {
    return base::error(Code::invalid_argument, part.file.string() + ", line " + std::to_string(part.first + line) + ": " + what, remedy);
}

// Collects a file's scalars by dotted path. Aliases can make a small file endless, so what is looked at is counted.
class Flattening {
public:
    Flattening(const Part& part, std::map<std::string, std::string>& out) : part_(part), out_(out) {}

    base::Result<void> add(const YAML::Node& node, const std::string& path, int depth = 0) {
        if (depth > kDeepest) return at(part_, node.Mark().line, "'" + path.substr(0, 100) + "' is nested too deep for a setting");
        if (--left_ < 0) return too_many(node);
        if (node.IsMap()) {
            for (const auto& entry : node) {
                const std::string key = path.empty() ? entry.first.Scalar() : path + "." + entry.first.Scalar();
                if (auto done = add(entry.second, key, depth + 1); !done) return done;
            }
            return {};
        }
        if (path.empty()) return at(part_, node.Mark().line, "expected settings as 'name: value'");
        if (out_.count(path)) return at(part_, node.Mark().line, "'" + path + "' is given twice");
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
        return at(part_, node.Mark().line, "the file has more than " + std::to_string(kMost) + " values");
    }

    base::Result<std::string> list_text(const YAML::Node& list) {
        std::string out;
        for (const auto& item : list) {
            if (--left_ < 0) return too_many(item);
            if (!item.IsScalar()) return at(part_, item.Mark().line, "a list of settings holds plain values only");
            out += (out.empty() ? "" : ",") + item.Scalar();
        }
        return out;
    }

    const Part& part_;
    std::map<std::string, std::string>& out_;
    int left_ = kMost;
};

// The first line, from 0, with a tab among the blanks that it begins with; -1 when there is none.
int tabbed_line(const std::string& text) {
    int line = 0;
    for (std::size_t start = 0; start < text.size(); ++line) {
        const auto end = std::min(text.find('\n', start), text.size());
        if (text.find('\t', start) < std::min(text.find_first_not_of(" \t", start), end)) return line;
        start = end + 1;
    }
    return -1;
}

base::Result<void> read_part(const Part& part, const std::vector<std::string>& others, std::map<std::string, std::string>& out) {
    try {
        YAML::Node root = YAML::Load(part.text);
        for (const auto& name : others)
            if (root.IsMap()) root.remove(name);
        if (root.IsNull()) return {};
        return Flattening(part, out).add(root, "");
    } catch (const YAML::Exception& e) {
        // The library tells of a map that does not end, or of a wrong token.
        if (const int line = tabbed_line(part.text); line >= 0) return at(part, line, "a tab begins the line, and YAML allows no tabs there", "indent it with blanks");
        return at(part, e.mark.line, e.msg);
    }
}

// A section begins with a line that is neither indented nor the end of what went before.
std::vector<Part> sections_of(const std::filesystem::path& file, const std::string& text) {
    std::vector<Part> out;
    int number = 1;
    for (std::size_t start = 0; start < text.size(); ++number) {
        const auto end = std::min(text.find('\n', start), text.size());
        const std::string line = text.substr(start, end - start);
        start = end + 1;
        if (line.find_first_of("# \t\r-]}.") != 0 && !line.empty()) {
            const auto name_end = line.find_first_of(".:");
            std::string name = name_end == line.npos ? std::string() : line.substr(0, name_end);
            name.erase(std::remove_if(name.begin(), name.end(), [](char c) { return c == '"' || c == '\'' || c == ' '; }), name.end());
            out.push_back({file, {}, number, std::move(name)});
        }
        if (!out.empty()) out.back().text += line + '\n';
    }
    return out;
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
    const Part whole{file, text};
    if (auto done = read_part(whole, others, out); !done) return std::move(done).error();
    return out;
}

YamlSections read_yaml_sections(const std::filesystem::path& file, const std::vector<std::string>& others) {
    YamlSections out;
    std::ifstream in(file);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    for (const Part& section : sections_of(file, text)) {
        auto values = out.values;
        if (auto done = read_part(section, others, values)) out.values = std::move(values);
        else out.faults.emplace(section.name, std::move(done).error());
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
