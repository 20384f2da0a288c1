// What one sentence claims, before it is held against a request and a run's steps: see claims.h.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agents/reply/claims.h"

namespace agents::reply {

using WordSet = std::set<std::string, std::less<>>;
// Of words that stand apart by blanks.
WordSet word_set(std::string_view words);
bool in(const Word& word, std::initializer_list<std::string_view> list);

constexpr std::size_t kMostOfClaim = 240;  // bytes of its sentence

struct Form {
    Action action;
    bool weak = false;  // says little without a thing
};
using Forms = std::map<std::string, Form, std::less<>>;
// Participles and past forms of a language.
const Forms& forms(Language language);

// `loose`: whether it is one depends on what was asked: "The rocket has been launched.", "Sent!".
// A state is what a thing is said to be now: "The file is deleted."; described, where more is said of it: "is stored in the garage".
struct Found {
    enum class State { none, bare, described };
    Claim claim;
    bool loose = false;
    std::string passive = {};  // its participle: a text of the request may tell of it
    State state = State::none;
};

// `quoted` as of words_of.
std::vector<Found> found_in(std::string_view sentence, bool& quoted);

}  // namespace agents::reply
