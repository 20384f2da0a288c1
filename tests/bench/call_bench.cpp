// A tool call under its grammar: with what is forced appended at once, and with each of its tokens sampled (a bias of 0 names
// them, so that nothing else differs), in turn.
//
//   call_bench MODEL.gguf [threads=1] [rounds=5]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "text/output_parser.h"

using namespace engine;

namespace {

constexpr const char* kTools = R"([{"name": "get_weather", "parameters": {"type": "object", "additionalProperties": false, "required": ["location", "unit", "days"],
    "properties": {"location": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}, "days": {"type": "integer", "minimum": 1, "maximum": 14}}}}])";
constexpr const char* kPrompt =
    "<|im_start|>system\nAnswer with one call of get_weather(location, unit, days) in <tool_call></tool_call>.<|im_end|>\n"
    "<|im_start|>user\nWhat will the weather be in Budapest over the next three days, in Celsius?<|im_end|>\n<|im_start|>assistant\n";

struct Call {
    std::vector<TokenId> ids;
    std::string text;
    Usage usage;
    std::uint64_t steps = 0;
    double ms = 0;  // from the start to the last event
};

template <class T>
T need(base::Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return *std::move(result);
}

Call call(Engine& engine, const Request& request) {
    Call out;
    const auto before = engine.load_now().steps;
    const auto began = std::chrono::steady_clock::now();
    auto session = need(engine.start(request));
    while (auto event = session->next()) {
        if (event->finish == Finish::failed) throw std::runtime_error(event->error);
        if (event->id >= 0) out.ids.push_back(event->id);
        out.text += event->text;
    }
    out.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
    out.usage = session->usage();
    out.steps = engine.load_now().steps - before;
    return out;
}

void report(const char* name, std::vector<Call> calls) {
    std::sort(calls.begin(), calls.end(), [](const Call& a, const Call& b) { return a.ms < b.ms; });
    const Call& median = calls[calls.size() / 2];
    std::printf("%-8s %3d tokens, %3d of them forced, %3d steps: %7.1f ms (%.1f to %.1f)\n", name, median.usage.output_tokens, median.usage.forced_tokens,
                int(median.steps), median.ms, calls.front().ms, calls.back().ms);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) {
        std::fprintf(stderr, "usage: call_bench MODEL.gguf [threads=1] [rounds=5]\n");
        return 2;
    }
    const auto engine = need(Engine::load({.path = argv[1], .threads = argc > 2 ? std::atoi(argv[2]) : 1, .context = 4096, .max_sequences = 1}));
    Request request;
    request.prompt = {{.tokens = engine->tokenizer()->encode(kPrompt, true)}};
    request.grammar = need(text::Grammar::from_ebnf(need(text::call_syntax("hermes", base::OrderedJson::parse(kTools), 1)).ebnf));
    const Call first = call(*engine, request);  // from here on the prompt is cached and the grammar known
    std::printf("first    %3d tokens, %3d of them forced, %3d steps: %7.1f ms with the prompt's %d tokens\n%s\n", first.usage.output_tokens,
                first.usage.forced_tokens, int(first.steps), first.ms, first.usage.prompt_tokens, first.text.c_str());
    Request one_by_one = request;
    // Sampled tokens split the text otherwise than forced ones: those that are then forced are named in turn.
    for (Call last = first;;) {
        for (const TokenId id : last.ids) one_by_one.sampling.logit_bias[id] = 0;
        Call next = call(*engine, one_by_one);
        if (next.usage.forced_tokens >= last.usage.forced_tokens) break;
        last = std::move(next);
    }
    std::vector<Call> appended, sampled;
    for (int round = 0; round < (argc > 3 ? std::max(1, std::atoi(argv[3])) : 5); ++round) {
        appended.push_back(call(*engine, request));
        sampled.push_back(call(*engine, one_by_one));
    }
    report("appended", std::move(appended));
    report("sampled", std::move(sampled));
} catch (const std::exception& e) {
    std::fprintf(stderr, "call_bench: %s\n", e.what());
    return 1;
}
