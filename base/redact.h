// Takes secrets out of what is about to be logged or stored: values that are known, and what looks like a key.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace base {

// What a text begins with that is a key, whoever's it is: the table is the policy.
struct KeyPattern {
    const char* begins;    // found anywhere in a text, unless a letter or digit stands before it
    const char* ends;      // the text after which it ends; "": it goes on for letters, digits, "-" and "_", one of them a digit
    const char* also;      // further characters of it
    std::size_t least;     // characters after the beginning; fewer are no key
    std::size_t keeps;     // characters that stay: what the key is for, or is recognised by
    const char* marker;
};
const std::vector<KeyPattern>& key_patterns();

// A known value is kept as polynomial hashes under random numbers of this process, never as itself. Thread-safe.
class Redactor {
public:
    Redactor();

    // Values shorter than this cannot be told from ordinary text.
    static constexpr std::size_t kLeast = 8;

    struct Known {
        std::size_t length = 0;
        std::uint64_t quick = 0;              // modulo 2^64: rolls along the text
        std::array<std::uint64_t, 2> sure{};  // modulo 2^61 - 1: tells hits from chance
    };
    // The value as it is and as others write it: in JSON, base64, hexadecimal, percent-encoded.
    std::vector<Known> forms_of(std::string_view value) const;
    // From now on these are known. `add` keeps what was known before.
    void know(std::vector<Known> all);
    void add(const std::vector<Known>& more);

    std::string without_known(std::string text) const;
    Json without_known(Json value) const;      // in texts, names of members, and numbers
    // Known values, and what looks like a key.
    std::string redacted(std::string text) const;
    Json redacted(Json value) const;

private:
    Known hash_of(std::string_view value) const;
    Json walked(Json value, std::string (Redactor::*change)(std::string) const) const;
    std::shared_ptr<const std::vector<Known>> known() const;

    std::uint64_t quick_base_;
    std::array<std::uint64_t, 2> sure_base_;
    mutable std::mutex mutex_;
    std::shared_ptr<const std::vector<Known>> known_;  // by length
};

// Without what looks like a key.
std::string without_keys(std::string text);

// What stands in the place of a known value; those of key_patterns() begin alike.
inline constexpr const char* kRedactedSecret = "[redacted: secret]";
inline constexpr std::string_view kRedactedBegins = "[redacted: ";

}  // namespace base
