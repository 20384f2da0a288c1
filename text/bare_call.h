// A call that is the whole message, written as JSON without a dialect's markup: models that were given tools
// do that, most of all small ones. Internal to the output parser.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/json_schema.h"
#include "base/result.h"
#include "text/automaton.h"

namespace text {

// {"name": a given tool, "arguments" or "parameters": an object} and nothing else, or the same in a fence. Braces too many
// behind it are no answer: small models miscount them.
class BareCall {
public:
    static base::Result<BareCall> create(const base::OrderedJson& tools);
    // Ever longer beginnings of one message, from its first character that is no blank; looks at each
    // character once. False as soon as the message cannot become a call.
    bool may_become(std::string_view message);
    bool whole() const;

    struct Call {
        std::string name, arguments;  // the arguments as they were written
        std::string beside{};         // braces too many behind it
    };
    static Call read(std::string_view message);  // of a whole one
    // No grammar held it while it was written: whether it is as the schema of a strict tool wants it.
    bool holds(const Call& call) const;

private:
    BareCall(std::shared_ptr<const Machine> machine, std::map<std::string, base::Schema> strict) : places_(std::move(machine)), place_(places_.begin()), strict_(std::move(strict)) {}

    Places places_;
    Places::Place place_;
    std::size_t at_ = 0;
    std::map<std::string, base::Schema> strict_;  // by tool
};

}  // namespace text
