#include "base/redact.h"

#include <gtest/gtest.h>

#include <random>

using base::Json;
using base::Redactor;

TEST(Redact, WhatLooksLikeAKeyIsTakenOut) {
    const std::string key(24, 'k'), one = key + "1";
    const std::pair<std::string, std::string> cases[] = {
        {"hk_" + one, "hk_kkkkk[redacted: Hearth key]"},
        {"key=hk_" + one + ".", "key=hk_kkkkk[redacted: Hearth key]."},
        {"sk-" + one + " and sk-proj-" + one, "[redacted: API key] and [redacted: API key]"},
        {"Authorization: Bearer ab.cd~ef/gh+ij=1234", "Authorization: Bearer [redacted: bearer token]"},
        {"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nrest", "[redacted: private key]\nrest"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "[redacted: private key]"},
        {"hk_short1", "hk_short1"},                                     // too short
        {"sk-" + key, "sk-" + key},                                     // no digit: words
        {"desk-" + one, "desk-" + one},                                 // a letter before
        {"Bearer of good news", "Bearer of good news"},
        {"-----BEGIN CERTIFICATE-----\nMIIE", "-----BEGIN CERTIFICATE-----\nMIIE"},
    };
    const Redactor redactor;
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(redactor.redacted(text), expected);
        EXPECT_EQ(redactor.redacted(expected), expected);  // once is enough
        EXPECT_EQ(redactor.without_known(text), text);
    }
}

TEST(Redact, EachRowOfTheTableFinds) {
    for (const auto& row : base::key_patterns()) {
        const std::string text = std::string("say ") + row.begins + std::string(40, '7') + row.ends, found = base::without_keys(text);
        EXPECT_EQ(found, "say " + text.substr(4, row.keeps) + row.marker);
    }
}

TEST(Redact, AKnownValueIsFoundInNamesTextsAndNumbers) {
    Redactor redactor;
    redactor.add(redactor.forms_of("12345678"));
    redactor.add(redactor.forms_of("a \"quoted\"\nvalue"));
    const Json found = redactor.without_known(Json{{"n", 12345678}, {"list", {"x12345678y", 1}}, {"12345678", true}, {"nested", Json("a \"quoted\"\nvalue").dump()}});
    EXPECT_EQ(found, (Json{{"n", base::kRedactedSecret}, {"list", {"x[redacted: secret]y", 1}}, {"[redacted: secret]", true}, {"nested", "\"[redacted: secret]\""}}));
    redactor.know({});
    EXPECT_EQ(redactor.without_known(std::string("12345678")), "12345678");
}

// Wherever it stands, however it is encoded, beside itself and beside others: no text holds it afterwards, and all
// else is as it was.
TEST(Redact, NoTextHoldsAKnownValue) {
    std::mt19937 random(7);
    const auto below = [&](std::size_t n) { return std::size_t(random() % n); };
    const std::string letters = "ab\"\\ \n\xc3\xa4:/1";
    const auto text_of = [&](std::size_t length) {
        std::string out;
        while (out.size() < length) {
            const std::size_t at = below(letters.size());
            if ((letters[at] & 0x80) == 0) out += letters[at];
            else out += "ä";
        }
        return out;
    };
    for (int round = 0; round < 400; ++round) {
        Redactor redactor;
        std::vector<std::string> values;
        for (std::size_t n = below(4) + 1; n > 0; --n) values.push_back(text_of(Redactor::kLeast + below(30)));
        for (const auto& value : values) redactor.add(redactor.forms_of(value));
        std::string text, rest;
        for (std::size_t n = below(6); n > 0; --n) {
            const std::string between(below(40), '-');
            const std::string& value = values[below(values.size())];
            const std::string quoted = Json(value).dump();
            text += between + (below(2) ? value : quoted.substr(1, quoted.size() - 2)) + "|";
            rest += between + base::kRedactedSecret + "|";
        }
        const std::string found = redactor.without_known(text);
        for (const auto& value : values) EXPECT_EQ(found.find(value), std::string::npos) << value;
        EXPECT_EQ(found, rest) << text;
    }
}
