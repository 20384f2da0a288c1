#include "base/redact.h"

#include <algorithm>
#include <cctype>
#include <random>

#include "base/secret_value.h"

namespace base {
namespace {

constexpr std::uint64_t kPrime = (std::uint64_t(1) << 61) - 1;

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    const std::uint64_t sum = std::uint64_t(product & kPrime) + std::uint64_t(product >> 61);
    return sum >= kPrime ? sum - kPrime : sum;
}

bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Where the key that `pattern` began at `at` ends; `at` when there is none.
std::size_t end_of_key(const std::string& text, std::size_t at, const KeyPattern& pattern) {
    const std::string_view begins = pattern.begins, ends = pattern.ends;
    const std::size_t body = at + begins.size();
    if (!ends.empty()) {
        const auto end = text.find(ends, body);
        return end == text.npos ? text.size() : end + ends.size();  // one that was cut is a secret all the same
    }
    const std::string others = std::string("-_") + pattern.also;
    std::size_t end = body;
    while (end < text.size() && (word(text[end]) || others.find(text[end]) != others.npos)) ++end;
    const bool has_digit = std::any_of(text.begin() + std::ptrdiff_t(body), text.begin() + std::ptrdiff_t(end), [](unsigned char c) { return std::isdigit(c); });
    return end - body >= pattern.least && has_digit ? end : at;
}

// These reserve what they write: a text that grows leaves copies of its beginning behind.

std::string hexadecimal(std::string_view value) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * value.size());
    for (const unsigned char c : value) out += {kDigits[c >> 4], kDigits[c & 15]};
    return out;
}

// As dump() writes a text, without the quotes.
std::string inside_json(std::string_view value) {
    constexpr std::string_view kNamed = "\"\\\b\f\n\r\t", kNames = "\"\\bfnrt";
    std::string out;
    out.reserve(6 * value.size());
    for (const char c : value) {
        if (const auto at = kNamed.find(c); at != kNamed.npos) out.append({'\\', kNames[at]});
        else if (static_cast<unsigned char>(c) < 0x20) out.append("\\u00").append(hexadecimal({&c, 1}));
        else out += c;
    }
    return out;
}

std::string percent_encoded(std::string_view value) {
    std::string out;
    out.reserve(3 * value.size());
    for (const char c : value) {
        const bool plain = word(c) || std::string_view("-_.~").find(c) != std::string_view::npos;
        std::string code = "%" + hexadecimal({&c, 1});
        std::transform(code.begin(), code.end(), code.begin(), [](unsigned char d) { return char(std::toupper(d)); });
        out += plain ? std::string(1, c) : code;
    }
    return out;
}

// Without the last characters, which depend on what follows the value.
std::string base64_beginning(std::string_view value, bool url) {
    const std::string digits = std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + (url ? "-_" : "+/");
    std::string out;
    out.reserve(value.size() / 3 * 4);
    for (std::size_t i = 0; i + 3 <= value.size(); i += 3) {
        const unsigned bits = unsigned(static_cast<unsigned char>(value[i])) << 16 | unsigned(static_cast<unsigned char>(value[i + 1])) << 8 |
                              static_cast<unsigned char>(value[i + 2]);
        for (int shift = 18; shift >= 0; shift -= 6) out += digits[bits >> shift & 63];
    }
    return out;
}

// A value may be part of another's other form.
std::shared_ptr<const std::vector<Redactor::Known>> longest_first(std::vector<Redactor::Known> all) {
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.length > b.length; });
    return std::make_shared<const std::vector<Redactor::Known>>(std::move(all));
}

}  // namespace

const std::vector<KeyPattern>& key_patterns() {
    static const std::vector<KeyPattern> table = {
        {"hk_", "", "", 20, 8, "[redacted: Hearth key]"},
        {"sk-", "", "", 20, 0, "[redacted: API key]"},
        {"ghp_", "", "", 30, 0, "[redacted: GitHub key]"},
        {"github_pat_", "", "", 30, 0, "[redacted: GitHub key]"},
        {"xoxb-", "", "", 20, 0, "[redacted: Slack key]"},
        {"AIza", "", "", 30, 0, "[redacted: Google key]"},
        {"Bearer ", "", "._~+/=", 16, 7, "[redacted: bearer token]"},
        {"-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "", 0, 0, "[redacted: private key]"},
        {"-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "", 0, 0, "[redacted: private key]"},
        {"-----BEGIN EC PRIVATE KEY-----", "-----END EC PRIVATE KEY-----", "", 0, 0, "[redacted: private key]"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----", "", 0, 0, "[redacted: private key]"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----", "", 0, 0, "[redacted: private key]"},
    };
    return table;
}

std::string without_keys(std::string text) {
    for (const auto& pattern : key_patterns()) {
        const std::string_view begins = pattern.begins, marker = pattern.marker;
        for (std::size_t at = text.find(begins); at != text.npos;) {
            const std::size_t end = at > 0 && word(text[at - 1]) ? at : end_of_key(text, at, pattern);
            const std::size_t from = at + pattern.keeps;
            std::size_t next = at + begins.size();
            if (end > at) {
                text.replace(from, end - from, marker);
                next = from + marker.size();
            }
            at = text.find(begins, next);
        }
    }
    return text;
}

Redactor::Redactor() : known_(std::make_shared<const std::vector<Known>>()) {
    std::random_device source;
    const auto random = [&] { return std::uint64_t(source()) << 32 | source(); };
    quick_base_ = random() | 1;
    for (auto& b : sure_base_) b = 256 + random() % (kPrime - 256);
}

Redactor::Known Redactor::hash_of(std::string_view value) const {
    Known out{value.size(), 0, {}};
    for (const unsigned char c : value) {
        out.quick = out.quick * quick_base_ + c + 1;
        for (std::size_t i = 0; i < out.sure.size(); ++i) out.sure[i] = (times(out.sure[i], sure_base_[i]) + c + 1) % kPrime;
    }
    return out;
}

std::vector<Redactor::Known> Redactor::forms_of(std::string_view value) const {
    std::array<std::string, 6> texts{std::string(value), inside_json(value), hexadecimal(value), percent_encoded(value), base64_beginning(value, false), base64_beginning(value, true)};
    std::vector<Known> out;
    for (auto text = texts.begin(); text != texts.end(); ++text)
        if (text->size() >= kLeast && std::find(texts.begin(), text, *text) == text) out.push_back(hash_of(*text));
    for (auto& text : texts) wipe(text);
    return out;
}

void Redactor::know(std::vector<Known> all) {
    auto fresh = longest_first(std::move(all));
    const std::lock_guard lock(mutex_);
    known_ = std::move(fresh);
}

void Redactor::add(const std::vector<Known>& more) {
    const std::lock_guard lock(mutex_);  // of two that add at once neither takes the other's away
    auto all = *known_;
    for (const auto& one : more)
        if (std::none_of(all.begin(), all.end(), [&](const Known& k) { return k.length == one.length && k.sure == one.sure; })) all.push_back(one);
    known_ = longest_first(std::move(all));
}

std::shared_ptr<const std::vector<Redactor::Known>> Redactor::known() const {
    const std::lock_guard lock(mutex_);
    return known_;
}

std::string Redactor::without_known(std::string text) const {
    const auto all = known();
    for (auto it = all->begin(); it != all->end();) {
        const std::size_t length = it->length;
        const auto end = std::find_if(it, all->end(), [&](const Known& k) { return k.length != length; });
        std::uint64_t rolling = 0, highest = 1;
        for (std::size_t i = 1; i < length; ++i) highest *= quick_base_;
        for (std::size_t at = 0, filled = 0; at < text.size(); ++at) {
            const auto code = [&](std::size_t i) { return std::uint64_t(static_cast<unsigned char>(text[i])) + 1; };
            if (filled == length) rolling -= code(at - length) * highest;
            else ++filled;
            rolling = rolling * quick_base_ + code(at);
            if (filled < length) continue;
            const std::size_t from = at + 1 - length;
            const bool hit = std::any_of(it, end, [&](const Known& k) { return k.quick == rolling && k.sure == hash_of(std::string_view(text).substr(from, length)).sure; });
            if (!hit) continue;
            text.replace(from, length, kRedactedSecret);
            at = from + std::string_view(kRedactedSecret).size() - 1;
            rolling = 0;
            filled = 0;
        }
        it = end;
    }
    return text;
}

std::string Redactor::redacted(std::string text) const { return without_keys(without_known(std::move(text))); }

Json Redactor::walked(Json value, std::string (Redactor::*change)(std::string) const) const {
    if (value.is_string()) return (this->*change)(std::move(value.get_ref<std::string&>()));
    if (value.is_number()) {
        const std::string text = dump(value);
        return (this->*change)(text) == text ? value : Json(kRedactedSecret);
    }
    if (value.is_array()) {
        for (auto& item : value) item = walked(std::move(item), change);
        return value;
    }
    if (!value.is_object()) return value;
    Json out = Json::object();
    for (auto& [key, item] : value.items()) out[(this->*change)(key)] = walked(std::move(item), change);
    return out;
}

Json Redactor::without_known(Json value) const { return known()->empty() ? value : walked(std::move(value), &Redactor::without_known); }
Json Redactor::redacted(Json value) const { return walked(std::move(value), &Redactor::redacted); }

}  // namespace base
