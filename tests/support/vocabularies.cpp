#include "support/vocabularies.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <variant>

#include "support/fixtures.h"
#include "text/tokenizer_json.h"

namespace support {
namespace {

enum Kind : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

class Reader {
public:
    explicit Reader(const std::filesystem::path& file) : in_(file, std::ios::binary), name_(file.string()) {
        if (!in_) throw std::runtime_error("cannot read " + name_);
    }
    template <class T>
    T get() {
        T value{};
        in_.read(reinterpret_cast<char*>(&value), sizeof value);
        if (!in_) throw std::runtime_error(name_ + " is truncated");
        return value;
    }
    std::string text() {
        std::string s(get<std::uint64_t>(), 0);
        in_.read(s.data(), std::streamsize(s.size()));
        return s;
    }
    double number(std::uint32_t kind) {
        switch (kind) {
            case u8: return get<std::uint8_t>();
            case i8: return get<std::int8_t>();
            case u16: return get<std::uint16_t>();
            case i16: return get<std::int16_t>();
            case u32: return get<std::uint32_t>();
            case i32: return get<std::int32_t>();
            case f32: return get<float>();
            case boolean: return get<std::uint8_t>();
            case u64: return double(get<std::uint64_t>());
            case i64: return double(get<std::int64_t>());
            case f64: return get<double>();
        }
        throw std::runtime_error(name_ + " has a value of an unknown kind");
    }

private:
    std::ifstream in_;
    std::string name_;
};

struct Metadata {
    std::map<std::string, double> numbers;
    std::map<std::string, std::string> texts;
    std::map<std::string, std::vector<std::string>> text_lists;
    std::map<std::string, std::vector<double>> number_lists;
};

Metadata read_metadata(const std::filesystem::path& file) {
    Reader in(file);
    if (in.get<std::uint32_t>() != 0x46554747u) throw std::runtime_error(file.string() + " is not GGUF");
    in.get<std::uint32_t>();
    in.get<std::uint64_t>();
    Metadata out;
    for (auto left = in.get<std::uint64_t>(); left; --left) {
        const std::string key = in.text();
        const auto kind = in.get<std::uint32_t>();
        if (kind == string) {
            out.texts[key] = in.text();
        } else if (kind != array) {
            out.numbers[key] = in.number(kind);
        } else {
            const auto of = in.get<std::uint32_t>();
            for (auto n = in.get<std::uint64_t>(); n; --n) {
                if (of == string)
                    out.text_lists[key].push_back(in.text());
                else
                    out.number_lists[key].push_back(in.number(of));
            }
        }
    }
    return out;
}

std::string read_maybe_xz(const std::filesystem::path& file) {
    if (file.extension() != ".xz") return read_text(file);
    FILE* pipe = popen(("xz -dc '" + file.string() + "'").c_str(), "r");
    if (!pipe) throw std::runtime_error("cannot run xz");
    std::string out;
    char buffer[65536];
    for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
    if (pclose(pipe) != 0) throw std::runtime_error("xz cannot unpack " + file.string());
    return out;
}

}  // namespace

text::Vocabulary read_gguf_vocabulary(const std::filesystem::path& file) {
    Metadata m = read_metadata(file);
    const std::string base = "tokenizer.ggml.";
    const auto number = [&](const char* key, double otherwise) {
        const auto it = m.numbers.find(base + key);
        return std::int64_t(it == m.numbers.end() ? otherwise : it->second);  // 2^32 - 1 is "none", -1 as an int
    };
    text::Vocabulary v;
    using Kind = text::Vocabulary::Kind;
    const std::string model = m.texts[base + "model"];
    v.kind = model == "llama" ? Kind::spm : model == "gemma4" ? Kind::character_bpe : model == "bert" ? Kind::word_piece : Kind::bpe;
    if (v.kind == Kind::word_piece) v.word_start = "\u2581", v.leading_spaces = 1;
    v.pre = m.texts[base + "pre"];
    v.tokens = std::move(m.text_lists[base + "tokens"]);
    v.merges = std::move(m.text_lists[base + "merges"]);
    for (double s : m.number_lists[base + "scores"]) v.scores.push_back(float(s));
    for (double t : m.number_lists[base + "token_type"]) v.types.push_back(text::TokenType(int(t)));
    v.bos = int(number("bos_token_id", -1));
    v.eos = int(number("eos_token_id", -1));
    v.unknown = int(number("unknown_token_id", -1));
    v.padding = int(number("padding_token_id", -1));
    v.add_bos = number("add_bos_token", 0) != 0;
    v.add_eos = number("add_eos_token", 0) != 0;
    v.add_space_prefix = number("add_space_prefix", 1) != 0;
    return v;
}

text::Vocabulary read_hf_vocabulary(const std::filesystem::path& file) {
    auto v = text::read_tokenizer_json(read_maybe_xz(file), file.string());
    if (!v) throw std::runtime_error(v.error().text());
    std::string name = file.string();
    name.replace(name.rfind("tokenizer.json"), name.npos, "tokenizer_config.json");
    if (std::filesystem::exists(name))
        if (auto ok = text::apply_tokenizer_config(*v, read_text(name), name); !ok) throw std::runtime_error(ok.error().text());
    return *std::move(v);
}

std::optional<std::filesystem::path> default_model() {
    const char* set = std::getenv("HEARTH_MODEL");
    const auto parent = source_dir().parent_path();
    const char* name = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf";
    for (const std::filesystem::path& path :
         {std::filesystem::path(set ? set : ""), parent / "peers" / name, parent / "models" / name})
        if (!path.empty() && std::filesystem::is_regular_file(path)) return path;
    return std::nullopt;
}

}  // namespace support
