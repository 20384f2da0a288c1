// Scripted cases that speak for a version of a prompt: what is asked, and what must come of it. Reading and judging are pure;
// hearth quality run asks.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace agents::quality {

// A call of a tool that is wanted. `arguments`: name → list of the values that are right; "" among them: it may be left out.
struct WantedCall {
    std::string name;
    base::Json arguments = base::Json::object();
};

// Texts are looked for without regard to case; a number at the end of one is a whole number.
struct Expectation {
    std::vector<WantedCall> calls;         // the agent made each of them, with these arguments among its own
    bool no_calls = false;                 // it made none
    std::vector<std::string> never_calls;  // none of these tools
    std::optional<std::vector<WantedCall>> client_calls;  // it asks the client for exactly these, in any order
    bool some_client_call = false;         // for one at least, whichever
    std::vector<std::string> says, says_one_of, never;
    std::map<std::string, base::Json> leaves;  // file → its text (but for blanks at its end), true: it is there with something in it, null: it is not
    std::vector<std::string> states;       // one of them
    std::string language;                  // de, en or fr
};

struct Case {
    std::string name, agent;
    bool must = false;  // a version that fails it never goes live where the live one passes
    std::map<std::string, std::string> files;     // by path in a folder of the case's own
    base::OrderedJson tools = base::OrderedJson::array();  // the client's, in OpenAI's shape
    std::vector<std::vector<base::Json>> turns;   // the messages of each request
    Expectation expect;

    std::string group() const { return name.substr(0, name.rfind('/')); }
};
struct Cases {
    std::vector<Case> all;
    std::string digest;  // of all that was read
};

// Of deploy/quality.yaml. Errors name file, line and field.
base::Result<Cases> parse_cases(const std::string& text, const std::string& file);
base::Result<Cases> read_cases(const std::filesystem::path& file);

// The single-turn categories of the Berkeley Function Calling Leaderboard, from a folder with its BFCL_v4_*.jsonl and
// possible_answer: `each` cases of a category, at even distance.
base::Result<Cases> read_bfcl(const std::filesystem::path& folder, int each);
// One of it. `answer`: its possible_answer, null in categories without.
base::Result<Case> bfcl_case(const std::string& category, const base::OrderedJson& item, const base::Json& answer);

struct Call {
    std::string name;
    base::Json arguments;  // null: no JSON
};
struct Outcome {
    std::string state, text;           // of the last turn
    std::vector<Call> calls;           // that the agent made, in all turns
    std::vector<Call> client_calls;    // of the last turn
    std::map<std::string, std::string> files;  // afterwards
};
// What is wrong with it, a line each; empty: the case passes.
std::vector<std::string> judge(const Expectation& expect, const Outcome& outcome);

}  // namespace agents::quality
