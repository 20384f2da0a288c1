#include "net/yaml.h"

#include <yaml-cpp/yaml.h>

#include <cctype>
#include <charconv>

namespace net {
namespace {

using base::Code;
using base::OrderedJson;

constexpr int kMostValues = 100000;  // aliases of aliases would make any number
constexpr int kMostDepth = 64;

// A name as a part of a JSON pointer.
std::string escaped(const std::string& name) {
    std::string out;
    for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
}

template <class T>
bool is_number(const std::string& text, T& value) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc{} && end == text.data() + text.size();
}

OrderedJson plain_value(const std::string& text) {
    if (text.empty() || text == "~" || text == "null") return nullptr;
    if (text == "true" || text == "false") return text == "true";
    std::int64_t whole = 0;
    if (is_number(text, whole)) return whole;
    double real = 0;  // no "inf", no "nan": a number begins with a digit
    if ((std::isdigit(static_cast<unsigned char>(text[0])) || (text[0] == '-' && text.size() > 1 && std::isdigit(static_cast<unsigned char>(text[1])))) && is_number(text, real)) return real;
    return text;
}

class Reader {
public:
    OrderedJson read(const YAML::Node& node, const std::string& pointer, int depth = 0) {
        if (++values_ > kMostValues || depth > kMostDepth) throw YAML::RepresentationException(node.Mark(), "more values than such a file can need");
        lines_.emplace(pointer, node.Mark().line + 1);
        if (node.IsSequence()) {
            OrderedJson out = OrderedJson::array();
            for (const auto& one : node) out.push_back(read(one, pointer + "/" + std::to_string(out.size()), depth + 1));
            return out;
        }
        if (!node.IsMap()) return node.IsNull() ? OrderedJson(nullptr) : node.Tag() == "!" ? OrderedJson(node.Scalar()) : plain_value(node.Scalar());
        OrderedJson out = OrderedJson::object();
        for (const auto& member : node) {
            if (!member.first.IsScalar()) throw YAML::RepresentationException(member.first.Mark(), "a name must be a text");
            const std::string& name = member.first.Scalar();
            if (out.contains(name)) throw YAML::RepresentationException(member.first.Mark(), "'" + name + "' stands twice");
            const std::string below = pointer + "/" + escaped(name);
            lines_.emplace(below, member.first.Mark().line + 1);
            out[name] = read(member.second, below, depth + 1);
        }
        return out;
    }

    std::map<std::string, int> take_lines() { return std::move(lines_); }

private:
    std::map<std::string, int> lines_;
    int values_ = 0;
};

}  // namespace

int Yaml::line(const std::string& pointer) const {
    const auto found = lines.find(pointer);
    return found == lines.end() ? 0 : found->second;
}

base::Result<Yaml> parse_yaml(const std::string& text, const std::string& name) {
    try {
        Reader reader;
        Yaml out;
        out.value = reader.read(YAML::Load(text), "");
        out.lines = reader.take_lines();
        return out;
    } catch (const YAML::Exception& e) {
        return base::error(Code::invalid_argument, name + ", line " + std::to_string(e.mark.line + 1) + ": " + e.msg);
    }
}

}  // namespace net
