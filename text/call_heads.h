// By which beginning an output is known for a bare call (bare_call.h) while it is still being written. HeadWatch is
// internal to grammar.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/automaton.h"

namespace text {

// Immutable, shareable.
class CallHeads {
public:
    // `rules`: see CallSyntax::heads. `reasoning_open`: see ParserOptions.
    static base::Result<std::shared_ptr<const CallHeads>> create(std::string_view rules, std::string_view dialect, bool reasoning_open);

private:
    friend class HeadWatch;
    std::shared_ptr<const Machine> machine_;
    std::vector<std::pair<std::string, std::string>> thoughts_;  // what opens and closes reasoning
    bool reasoning_open_ = false;
};

// One output's way to a head. It begins where the content does, behind blanks and reasoning.
class HeadWatch {
public:
    explicit HeadWatch(std::shared_ptr<const CallHeads> heads);

    enum class Step {
        none,   // the byte brought no head nearer
        begun,  // the next one may be a head's first
        on,     // it is a head's
        whole,  // and its last
    };
    Step take(char byte);
    // Where it is in a head, among places(); -1: in none.
    Places::Place place() const { return at_.place; }
    Places& places() { return places_; }

    struct Position {
        Places::Place place = -1;
        std::string lead = {};      // what the output begins with, less blanks, while it may open reasoning
        bool may_open = true;
        bool inside = false;        // reasoning, whose end is awaited
        std::vector<std::size_t> matched = {};  // of each text that may close it, how many bytes the output ends with
        bool over() const { return place < 0 && !inside && !may_open; }  // nothing that may come makes a head
    };
    const Position& position() const { return at_; }
    void back_to(Position before) { at_ = std::move(before); }

private:
    Step take_thought(char byte);
    void think();
    Step begin();

    std::shared_ptr<const CallHeads> heads_;
    Places places_;
    Position at_;
};

}  // namespace text
