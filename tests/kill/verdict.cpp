#include "verdict.h"

#include <fstream>
#include <map>
#include <set>

#include "store/traces.h"
#include "support/transcript.h"

namespace kill_matrix {
namespace {

using base::Json;

Json spans_of(const std::vector<base::Span>& spans) {
    std::multiset<std::string> names;
    for (const auto& span : spans) names.insert(span.kind + " " + span.name);
    return names;
}

std::map<std::string, int> effects_of(const Setting& setting, base::RunId run) {
    std::map<std::string, int> out;
    std::ifstream lines(setting.folder / "effects" / run.text());
    for (std::string line; std::getline(lines, line);) ++out[line];
    return out;
}

std::int64_t count(store::Tx& tx, const char* query, base::RunId run) { return tx.exec(query, {run}).at(0).integer(0); }

// A program, and a message that leaves for a person.
bool once(const Json& tool) { return tool == "bash" || tool == "send_message"; }

class Judge {
public:
    Judge(store::Tx& tx, const Setting& setting, base::RunId run, const Whole& expected)
        : tx_(tx), run_(run), expected_(expected), found_(support::transcript_of(tx, run)), effects_(effects_of(setting, run)) {}

    Verdict verdict() {
        out_.state = found_["state"];
        transcript();
        effects();
        trace();
        return std::move(out_);
    }

private:
    void fault(const std::string& what) { out_.faults.push_back(what); }

    void transcript() {
        if (out_.state != "unknown_effect") {
            if (found_ != expected_.transcript) fault("the transcript differs: " + Json::diff(expected_.transcript, found_).dump());
            return;
        }
        // What is in doubt is said to agent and person; all else is as it would have been.
        const Json& steps = found_["steps"];
        const Json& whole = expected_.transcript["steps"];
        if (steps.size() != whole.size()) return fault("a run in doubt has other steps");
        const Json& messages = found_["messages"];
        if (messages.size() != 2) return fault("a run in doubt has no single answer");
        const std::string said = messages[1]["content"], plain = expected_.transcript["messages"][1]["content"];
        const std::string doubt = plain + "\n\nIt is not known whether this took effect, and it was not repeated: ";
        if (!said.starts_with(doubt + "bash ") && !said.starts_with(doubt + "send_message ")) fault("the person is not told of the doubt: " + said);
        int unknown = 0;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const bool doubtful = steps[i][3] == "unknown";
            unknown += doubtful;
            for (int field : {0, 1, 2})
                if (steps[i][field] != whole[i][field]) fault("step " + std::to_string(i) + " of a run in doubt is another one");
            if (doubtful && !once(steps[i][1])) fault("in doubt is " + steps[i][1].dump());
            if (doubtful && steps[i][5]["text"].get<std::string>().find("Do not repeat it by yourself. To find out, look at the list of effects.") == std::string::npos)
                fault("the agent is not told of the doubt");
            if (!doubtful && steps[i][3] != whole[i][3]) fault("step " + std::to_string(i) + " of a run in doubt is " + steps[i][3].dump());
        }
        if (unknown == 0) fault("nothing is in doubt");
    }

    void effects() {
        for (const auto& step : found_["steps"]) {
            const std::string command = step[4].value("command", "");
            const int times = effects_[command];
            if (once(step[1]) && times > 1) fault("DOUBLED: " + command + " took effect " + std::to_string(times) + " times");
            if (once(step[1]) && step[3] == "done" && times != 1) fault("what is done took effect " + std::to_string(times) + " times: " + command);
            if (step[1] == "write_file" && times < 1) fault("what is done took no effect: " + command);
        }
        if (count(tx_, "select count(*) from fact where source_run_id = $1", run_) != 1) fault("a transaction took effect other than once");
    }

    void trace() {
        const store::Trace trace = store::read_trace(tx_, run_);
        if (!trace.chain) fault("the chain is broken: " + trace.chain.error().message);
        int roots = 0;
        for (const auto& span : trace.spans) {
            roots += span.parent.is_nil();
            if (span.parent.is_nil() && span.attributes.contains("taken_over") && !span.attributes["taken_over"]["differing"].empty())
                fault("made again it differs: " + span.attributes["taken_over"].dump());
        }
        if (roots != 1) fault("the trace has " + std::to_string(roots) + " roots");
        if (spans_of(trace.spans) != expected_.spans) fault("the trace has other spans: " + Json::diff(expected_.spans, spans_of(trace.spans)).dump());
        std::int64_t calls = 0;
        for (const auto& step : found_["steps"]) calls += step[0] == "model";
        if (const auto rows = count(tx_, "select count(*) from model_usage where run_id = $1", run_); rows != calls)
            fault(std::to_string(calls) + " calls of a model have " + std::to_string(rows) + " rows of usage");
    }

    store::Tx& tx_;
    base::RunId run_;
    const Whole& expected_;
    const Json found_;
    std::map<std::string, int> effects_;
    Verdict out_;
};

}  // namespace

Whole whole_of(store::Tx& tx, base::RunId run) { return {support::transcript_of(tx, run), spans_of(store::read_trace(tx, run).spans)}; }

Verdict judge(store::Tx& tx, const Setting& setting, base::RunId run, const Whole& expected) { return Judge(tx, setting, run, expected).verdict(); }

}  // namespace kill_matrix
