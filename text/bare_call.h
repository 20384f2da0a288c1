// A call that is the whole message, written as JSON without a dialect's markup: models that were given tools
// do that, most of all small ones. Internal to the output parser.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/result.h"
#include "text/automaton.h"

namespace text {

// {"name": a given tool, "arguments" or "parameters": an object} and nothing else, or the same in a fence.
class BareCall {
public:
    static base::Result<BareCall> create(const base::OrderedJson& tools);
    // Ever longer beginnings of one message, from its first character that is no blank; looks at each
    // character once. False as soon as the message cannot become a call.
    bool may_become(std::string_view message);
    bool whole() const;

    struct Call {
        std::string name, arguments;  // the arguments as they were written
    };
    static Call read(std::string_view message);  // of a whole one

private:
    explicit BareCall(std::shared_ptr<const Machine> machine) : places_(std::move(machine)), place_(places_.begin()) {}

    Places places_;
    Places::Place place_;
    std::size_t at_ = 0;
};

}  // namespace text
