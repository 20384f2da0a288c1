#include "judge.h"

#include <algorithm>

#include "agents/steer.h"
#include "process.h"
#include "store/conversations.h"
#include "store/ledger.h"
#include "store/run_inputs.h"
#include "store/runs.h"
#include "store/traces.h"

namespace schedules {
namespace {

class Judge {
public:
    Judge(store::Tx& tx, const Heard& heard)
        : tx_(tx), heard_(heard), run_(store::find_run(tx, heard.run).value()), steps_(store::list_steps(tx, heard.run)), inputs_(store::list_inputs(tx, heard.run)),
          messages_(store::list_messages(tx, run_.conversation)) {
        out_.faults = heard.faults;
    }

    Verdict verdict() {
        out_.state = run_.status;
        out_.taken_over = run_.epoch > 1;
        key();
        inputs();
        stop();
        effects();
        trace();
        return std::move(out_);
    }

private:
    void fault(const std::string& what) { out_.faults.push_back(what); }
    std::int64_t said(const std::string& text) const {
        return std::count_if(messages_.begin(), messages_.end(), [&](const auto& m) { return m.role == "user" && m.body.value("content", "") == text; });
    }

    // However often the request was sent, and by whom, it began one run.
    void key() {
        if (const auto n = tx_.exec("select count(*) from run_key where key = $1", {heard_.key}).at(0).integer(0); n != 1) fault("the key stands for " + std::to_string(n) + " runs");
        if (const auto n = tx_.exec("select count(*) from run where run.question = $1", {heard_.question}).at(0).integer(0); n != 1) fault("the request began " + std::to_string(n) + " runs");
        if (!run_.input.is_nil() && said(heard_.question) != 1) fault("the question was not said once");
    }

    // What was taken in is read once, in order, by a step, a turn, or, where the run ended without, by the next turn of the conversation; what was refused
    // is read by nobody.
    void inputs() {
        if (inputs_.size() != heard_.added.size()) fault(std::to_string(heard_.added.size()) + " inputs were taken in, " + std::to_string(inputs_.size()) + " are there");
        for (const auto& text : heard_.added)
            if (std::none_of(inputs_.begin(), inputs_.end(), [&](const auto& input) { return input.text == text; })) fault("LOST: the input '" + text + "'");
        for (const auto& text : heard_.refused)
            if (said(text) != 0) fault("what was refused was read: " + text);
        std::size_t read = 0;
        for (const auto& input : inputs_) {
            const bool taken = !input.taken_by.empty();
            const bool left = input.taken_by == store::kTakenByHistory;
            if (!taken) fault("LOST: the run is " + run_.status + " and never read '" + input.text + "'");
            if (left && run_.status == "answered") fault("the run is answered, and left '" + input.text + "' to the conversation");
            if (said(input.text) != taken) fault("'" + input.text + "' stands in the conversation " + std::to_string(said(input.text)) + " times");
            if (taken && !left && input.taken_by != agents::kTakenByTurn && std::none_of(steps_.begin(), steps_.end(), [&](const auto& step) { return step.effect_key == input.taken_by; }))
                fault("'" + input.text + "' was read by a step that is not there");
            if (!taken) continue;
            out_.read_by_turn += input.taken_by == agents::kTakenByTurn;
            const auto at = std::find_if(messages_.begin() + std::ptrdiff_t(read), messages_.end(), [&](const auto& m) { return m.body.value("content", "") == input.text; });
            if (at == messages_.end()) fault("'" + input.text + "' was read before one that came earlier");
            else read = std::size_t(at - messages_.begin());
        }
    }

    void stop() {
        const auto& at_stop = heard_.steps_at_stop;
        if (at_stop && std::int64_t(steps_.size()) != *at_stop) fault("after the stop " + std::to_string(std::int64_t(steps_.size()) - *at_stop) + " steps began");
        if (run_.status == "cancelled" && !at_stop) fault("nobody stopped it, and it is cancelled");
        // A run that was taken up in vain three times is given up.
        const bool given_up = run_.status == "failed" && run_.error.starts_with("interrupted: ") && run_.epoch > 3;
        if (run_.status != "answered" && run_.status != "cancelled" && run_.status != "unknown_effect" && !given_up) fault("it is " + run_.status + ": " + run_.error);
        if (run_.status == "unknown_effect" && run_.epoch < 2) fault("an effect is in doubt, and nobody was killed");
        if (run_.status == "answered" && steps_.size() < 5) fault("it is answered after " + std::to_string(steps_.size()) + " steps");
    }

    // Nothing takes effect without its step, what may do so once does not do so twice, and what is done has.
    void effects() {
        auto left = schedules::effects()[heard_.run];
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            const auto& step = steps_[i];
            if (step.position != std::int64_t(i)) fault("step " + std::to_string(i) + " has the number " + std::to_string(step.position));
            if (step.kind != "tool") continue;
            const std::string command = step.input.value("command", "");
            const int times = left[command];
            left.erase(command);
            if (step.effect == "at_most_once" && times > 1) fault("DOUBLED: " + command + " took effect " + std::to_string(times) + " times");
            if (step.state == "done" && times == 0) fault("what is done took no effect: " + command);
            if (step.state == "intent") fault("the run has ended, and has a step without outcome: " + command);
        }
        for (const auto& [command, times] : left) fault("no step is there of what took effect: " + command);
    }

    void trace() {
        const store::Trace trace = store::read_trace(tx_, heard_.run);
        if (!trace.chain) fault("the chain is broken: " + trace.chain.error().message);
        const auto roots = std::count_if(trace.spans.begin(), trace.spans.end(), [](const auto& span) { return span.parent.is_nil(); });
        if (roots != 1) fault("the trace has " + std::to_string(roots) + " roots");
    }

    store::Tx& tx_;
    const Heard& heard_;
    const store::Run run_;
    const std::vector<store::Step> steps_;
    const std::vector<store::RunInput> inputs_;
    const std::vector<store::StoredMessage> messages_;
    Verdict out_;
};

}  // namespace

Verdict judge(store::Tx& tx, const Heard& heard) { return Judge(tx, heard).verdict(); }

}  // namespace schedules
