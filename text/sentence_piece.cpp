#include "text/sentence_piece.h"

#include <bit>
#include <cstring>
#include <optional>

#include "text/charsmap.h"
#include "text/normalizer.h"
#include "text/ordinary.h"

namespace text {
namespace {

using base::Code;

// The fields of a message of Protocol Buffers, one after the other.
class Fields {
public:
    explicit Fields(std::string_view bytes) : rest_(bytes) {}

    // False at the end, and where the bytes are no message: ok() tells which.
    bool next() {
        if (!ok_ || rest_.empty()) return false;
        const std::uint64_t key = varint();
        field_ = int(key >> 3);
        bytes_ = {};
        number_ = 0;
        switch (key & 7) {
            case 0: number_ = varint(); break;
            case 1: bytes_ = take(8); break;
            case 2: bytes_ = take(varint()); break;
            case 5: bytes_ = take(4); break;
            default: ok_ = false;
        }
        return ok_;
    }
    bool ok() const { return ok_; }
    int field() const { return field_; }
    std::string_view bytes() const { return bytes_; }
    std::int64_t integer() const { return std::int64_t(number_); }
    float real() const {
        float out = 0;
        if (bytes_.size() == sizeof out) std::memcpy(&out, bytes_.data(), sizeof out);
        return out;
    }

private:
    std::uint64_t varint() {
        std::uint64_t out = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) break;
            const auto byte = std::uint8_t(rest_.front());
            rest_.remove_prefix(1);
            out |= std::uint64_t(byte & 0x7F) << shift;
            if (byte < 0x80) return out;
        }
        ok_ = false;
        return 0;
    }
    std::string_view take(std::uint64_t n) {
        if (n > rest_.size()) return ok_ = false, std::string_view();
        const std::string_view out = rest_.substr(0, n);
        rest_.remove_prefix(n);
        return out;
    }

    std::string_view rest_, bytes_;
    std::uint64_t number_ = 0;
    int field_ = 0;
    bool ok_ = true;
};

class Reader {
public:
    Reader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

    base::Result<Vocabulary> read() {
        v_.kind = Vocabulary::Kind::unigram;
        Fields fields(bytes_);
        while (fields.next() && !error_) {
            if (fields.field() == 1) piece(fields.bytes());
            if (fields.field() == 2) trainer(fields.bytes());
            if (fields.field() == 3) normalizer(fields.bytes());
        }
        if (!fields.ok()) fail(Code::corrupt, "is no model of SentencePiece");
        if (v_.tokens.empty()) fail(Code::corrupt, "has no pieces");
        if (error_) return *error_;
        v_.add_bos = v_.kind == Vocabulary::Kind::spm;
        v_.add_eos = v_.kind == Vocabulary::Kind::unigram;
        v_.fuse_unknown = true;
        v_.leading_spaces = steps_.space_before;
        v_.normalizer = steps_.steps();
        for (TokenId* id : {&v_.bos, &v_.eos, &v_.unknown, &v_.padding})
            if (*id >= TokenId(v_.tokens.size())) *id = -1;
        return std::move(v_);
    }

private:
    void fail(Code code, const std::string& what) {
        if (!error_) error_ = base::error(code, file_ + ": " + what, code == Code::corrupt ? "the file is damaged; fetch it again" : "use a model of a supported family");
    }

    void piece(std::string_view bytes) {
        std::string token;
        float score = 0;
        std::int64_t type = 1;
        Fields fields(bytes);
        while (fields.next()) {
            if (fields.field() == 1) token = fields.bytes();
            if (fields.field() == 2) score = fields.real();
            if (fields.field() == 3) type = fields.integer();
        }
        if (!fields.ok() || type < 1 || type > 6) return fail(Code::corrupt, "piece " + std::to_string(v_.tokens.size()) + " is damaged");
        v_.tokens.push_back(std::move(token));
        v_.scores.push_back(score);
        v_.types.push_back(TokenType(type));  // numbered alike
        if (type == int(TokenType::unknown)) v_.unknown = TokenId(v_.tokens.size()) - 1;
    }

    void trainer(std::string_view bytes) {
        v_.bos = 1, v_.eos = 2;
        std::int64_t kind = 1;
        Fields fields(bytes);
        while (fields.next()) {
            const auto id = TokenId(fields.integer());
            switch (fields.field()) {
                case 3: kind = fields.integer(); break;
                case 24: if (id != 0) fail(Code::unsupported, "has spaces behind words (treat_whitespace_as_suffix); this engine has them before"); break;
                case 41: v_.bos = id; break;
                case 42: v_.eos = id; break;
                case 43: v_.padding = id; break;
                default: break;
            }
        }
        if (!fields.ok()) fail(Code::corrupt, "its trainer_spec is damaged");
        if (kind != 1 && kind != 2) return fail(Code::unsupported, "is a model of type " + std::to_string(kind) + "; this engine runs 1 (unigram) and 2 (BPE)");
        v_.kind = kind == 1 ? Vocabulary::Kind::unigram : Vocabulary::Kind::spm;
    }

    void normalizer(std::string_view bytes) {
        Fields fields(bytes);
        while (fields.next()) {
            const bool flag = fields.integer() != 0;
            switch (fields.field()) {
                case 2: charsmap(fields.bytes()); break;
                case 3: steps_.space_before = flag; break;
                case 4: steps_.one_space = flag; break;
                case 5: if (!flag) fail(Code::unsupported, "does not escape white space (escape_whitespaces); this engine wants it"); break;
                default: break;
            }
        }
        if (!fields.ok()) fail(Code::corrupt, "its normalizer_spec is damaged");
    }

    void charsmap(std::string_view bytes) {
        if (bytes.empty()) return;
        auto map = Charsmap::read(bytes);
        if (!map) return fail(Code::corrupt, "its normalizer_spec is damaged: expected " + map.error().message);
        steps_.charsmap = *std::move(map);
    }

    std::string_view bytes_;
    const std::string& file_;
    Vocabulary v_;
    SentencePieceNormalizer steps_;
    std::optional<base::Error> error_;
};

}  // namespace

base::Result<Vocabulary> read_sentence_piece(std::string_view bytes, const std::string& file) { return Reader(bytes, file).read(); }

}  // namespace text
