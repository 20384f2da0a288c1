// What binding output by a grammar costs: compiling a schema, and the mask of each token of a document,
// cold (nothing is known about the grammar yet) and warm (a document has been written under it before);
// and which of the tokens are forced, cold.
//
//   grammar_bench MODEL.gguf [options of Google Benchmark]
#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <cstdio>

#include "support/vocabularies.h"
#include "text/call_heads.h"
#include "text/grammar.h"
#include "text/output_parser.h"

namespace {

using base::OrderedJson;
using text::Grammar;

std::shared_ptr<const text::Tokenizer> tokenizer;
std::shared_ptr<const text::TokenTable> table;

constexpr const char* kTools = R"([
  {"name": "read_file", "parameters": {"type": "object", "additionalProperties": false, "required": ["path"], "properties": {
    "path": {"type": "string"}, "offset": {"type": "integer", "minimum": 1, "maximum": 1000000000}, "limit": {"type": "integer", "minimum": 1, "maximum": 2000}}}},
  {"name": "write_file", "parameters": {"type": "object", "additionalProperties": false, "required": ["path", "content"],
    "properties": {"path": {"type": "string"}, "content": {"type": "string"}}}},
  {"name": "edit_file", "parameters": {"type": "object", "additionalProperties": false, "required": ["path", "old_string", "new_string"],
    "properties": {"path": {"type": "string"}, "old_string": {"type": "string"}, "new_string": {"type": "string"}, "replace_all": {"type": "boolean"}}}},
  {"name": "list_dir", "parameters": {"type": "object", "additionalProperties": false, "properties": {"path": {"type": "string"}}}},
  {"name": "grep_files", "parameters": {"type": "object", "additionalProperties": false, "required": ["pattern"],
    "properties": {"pattern": {"type": "string"}, "path": {"type": "string"}, "include": {"type": "string"}, "ignore_case": {"type": "boolean"}}}},
  {"name": "get_weather", "parameters": {"type": "object", "required": ["location"],
    "properties": {"location": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}, "days": {"type": "integer", "minimum": 1, "maximum": 14}}}},
  {"name": "bash", "parameters": {"type": "object", "additionalProperties": false, "required": ["command"],
    "properties": {"command": {"type": "string"}, "timeout_s": {"type": "integer", "minimum": 1, "maximum": 30}}}}])";

constexpr const char* kOrder = R"({"type": "object", "additionalProperties": false, "required": ["id", "customer", "items", "total", "status"], "properties": {
  "id": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4,8}$"},
  "customer": {"type": "object", "required": ["name", "email"], "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 80},
    "email": {"type": "string", "pattern": "^[a-z0-9._]+@[a-z0-9.-]+$"}, "vip": {"type": "boolean"}, "note": {"type": ["string", "null"]}}},
  "items": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["sku", "quantity", "price"],
    "properties": {"sku": {"type": "string", "maxLength": 24}, "quantity": {"type": "integer", "minimum": 1, "maximum": 999}, "price": {"type": "number", "minimum": 0}}}},
  "total": {"type": "number"}, "status": {"enum": ["new", "paid", "shipped", "returned"]}}})";

// Several constraints on one text, counted members, and names that match patterns.
constexpr const char* kTogether = R"({"type": "object", "required": ["when", "code"], "minProperties": 3, "properties": {
  "when": {"type": "string", "format": "date-time"}, "code": {"type": "string", "pattern": "[a-z]", "maxLength": 40},
  "step": {"type": "integer", "multipleOf": 5, "minimum": 0, "maximum": 1000},
  "tags": {"type": "array", "items": {"enum": ["new", "old", "red", "blue", "large"]}, "uniqueItems": true}},
  "patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": false})";

// A text that holds a pattern somewhere, in so many characters.
constexpr const char* kHeld = R"({"type": "object", "required": ["code"], "properties": {"code": {"type": "string", "pattern": "[a-z]{3}", "maxLength": 24}}, "additionalProperties": false})";

text::CallSyntax tool_calls() { return text::call_syntax("hermes", OrderedJson::parse(kTools), 1).value(); }
std::string tool_grammar() { return tool_calls().ebnf; }
// As a model is bound that may call and need not: calls with the dialect's markup and without.
std::string either_grammar() {
    const text::CallSyntax calls = tool_calls();
    return "root ::= calls | bare\ncalls" + calls.ebnf.substr(4) + calls.bare;
}
std::string schema_grammar(const char* schema) { return Grammar::schema_to_ebnf(OrderedJson::parse(schema), "root").value(); }

std::string call(const std::string& name, const std::string& arguments) {
    return "<tool_call>\n{\"name\": \"" + name + "\", \"arguments\": " + arguments + "}\n</tool_call>";
}

constexpr const char* kCode =
    "#include <cstdio>\n\n// Größe \"in\" bytes, with a path like C:\\temp\\x.txt\nint main(int argc, char** argv) {\n    if (argc < 2) {\n"
    "        std::fprintf(stderr, \"usage: %s FILE\\n\", argv[0]);\n        return 2;\n    }\n    long total = 0;\n"
    "    for (int i = 1; i < argc; ++i) {\n        std::FILE* f = std::fopen(argv[i], \"rb\");\n        if (!f) continue;\n"
    "        std::fseek(f, 0, SEEK_END);\n        total += std::ftell(f);\n        std::fclose(f);\n    }\n"
    "    std::printf(\"%ld bytes — fertig\\n\", total);\n}\n";

struct Case {
    const char* name;
    std::string grammar, document;
    bool awaited = false;  // a call's beginning binds, and nothing before it
};

std::vector<Case> cases() {
    const std::string tools = tool_grammar();
    return {
        {"call_short", tools, call("read_file", R"({"path": "src/engine/worker.cpp", "offset": 120, "limit": 80})")},
        {"call_code", tools, call("write_file", R"({"path": "tools/size.cpp", "content": )" + OrderedJson(kCode).dump() + "}")},
        {"call_additional", tools, call("get_weather", R"({"location": "San Francisco, CA", "unit": "celsius", "hourly": [1, 2.5, "x"]})")},
        {"call_bare", either_grammar(), "```json\n{\n  \"name\": \"read_file\",\n  \"arguments\": {\n    \"path\": \"src/engine/worker.cpp\",\n    \"offset\": 120\n  }\n}\n```", true},
        {"order", schema_grammar(kOrder),
         R"({"id": "ABC-202611", "customer": {"name": "Márta Kovács-Nagy", "email": "marta.kovacs@example.org", "vip": true, "note": null, "phone": "+36 1 555 0199"}, )"
         R"("items": [{"sku": "lamp-oak-40", "quantity": 2, "price": 49.9}, {"sku": "shade/linen \"wide\"", "quantity": 1, "price": 18}], "total": 117.8, "status": "paid"})"},
        {"together", schema_grammar(kTogether),
         R"({"when": "2026-11-29T08:30:00+01:00", "code": "Ab-17 the third", "step": 35, "tags": ["red", "new", "large"], "x-note": "left of the door, \"upstairs\""})"},
        {"held", schema_grammar(kHeld), R"({"code": "No. 7, Größe: at left"})"},
        {"any_object", schema_grammar(R"({"type": "object"})"),
         R"({"title": "Report", "sections": [{"heading": "Results", "text": "We measured 42 runs.\nNone failed.", "ok": true}], "score": -1.25e3, "next": null})"},
    };
}

// µs of this CPU thread: other work on the machine does not count.
double now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return double(t.tv_sec) * 1e6 + double(t.tv_nsec) / 1e3;
}

struct Spent {
    std::vector<double> mask, accept;  // µs
};

std::unique_ptr<text::GrammarState> start(const Case& c, const std::shared_ptr<const Grammar>& grammar) {
    if (!c.awaited) return text::GrammarState::create(grammar, table);
    const text::CallSyntax calls = tool_calls();
    return text::GrammarState::create(grammar, table, calls.trigger, text::CallHeads::create(calls.heads, "hermes", false).value());
}

// Writes the document under the grammar, token by token.
void write(const Case& c, const std::shared_ptr<const Grammar>& grammar, Spent& spent) {
    const auto state = start(c, grammar);
    std::vector<std::uint64_t> bits((std::size_t(tokenizer->size()) + 63) / 64);
    for (text::TokenId id : tokenizer->encode(c.document, true)) {
        const double begin = now();
        const bool bound = state->mask(bits);
        const double middle = now();
        if ((bound && !(bits[std::size_t(id) / 64] >> (id % 64) & 1)) || !state->accept(id))
            throw std::runtime_error(std::string(c.name) + ": the grammar refuses \"" + tokenizer->bytes(id, true) + "\"");
        spent.mask.push_back(middle - begin);
        spent.accept.push_back(now() - middle);
    }
    if (!state->may_end()) throw std::runtime_error(std::string(c.name) + ": the document is not finished");
}

void report(benchmark::State& state, Spent& spent) {
    const auto mean = [](const std::vector<double>& v) {
        double sum = 0;
        for (double x : v) sum += x;
        return sum / double(v.size());
    };
    std::sort(spent.mask.begin(), spent.mask.end());
    const auto at = [&](double part) { return spent.mask[std::size_t(part * double(spent.mask.size() - 1))]; };
    state.counters["mask_mean_us"] = mean(spent.mask);
    state.counters["p50_us"] = at(0.5);
    state.counters["p99_us"] = at(0.99);
    state.counters["max_us"] = spent.mask.back();
    state.counters["accept_us"] = mean(spent.accept);
    state.counters["tokens"] = double(spent.mask.size()) / double(state.iterations());
}

void masks(benchmark::State& state, const Case& c, bool warm) {
    Spent spent;
    std::shared_ptr<const Grammar> grammar = Grammar::from_ebnf(c.grammar).value();
    if (warm) write(c, grammar, spent);
    spent = {};
    for (auto _ : state) {
        if (!warm) {
            state.PauseTiming();
            grammar = Grammar::from_ebnf(c.grammar).value();
            state.ResumeTiming();
        }
        write(c, grammar, spent);
    }
    report(state, spent);
}

// Which of the document's tokens are forced, and what asking for them costs, once before each token that is not.
void forced(benchmark::State& state, const Case& c) {
    std::vector<double> spent;
    std::size_t appended = 0, other = 0;
    const auto ids = tokenizer->encode(c.document, true);
    for (auto _ : state) {
        state.PauseTiming();
        const auto grammar = Grammar::from_ebnf(c.grammar).value();
        state.ResumeTiming();
        const auto at = start(c, grammar);
        for (std::size_t i = 0; i < ids.size();) {
            const double begin = now();
            const auto all = at->forced();
            spent.push_back(now() - begin);
            const std::vector<text::TokenId> run(all.begin(), all.end());
            for (const text::TokenId id : run) {
                other += i < ids.size() && ids[i] != id;
                if (!at->accept(id)) throw std::runtime_error("a forced token is refused");
                ++i, ++appended;
            }
            if (i < ids.size() && !at->accept(ids[i++])) throw std::runtime_error(std::string(c.name) + ": forced tokens are not the document's");
        }
    }
    std::sort(spent.begin(), spent.end());
    double sum = 0;
    for (const double x : spent) sum += x;
    const auto rounds = double(state.iterations());
    state.counters["forced"] = double(appended) / rounds;
    state.counters["tokens"] = double(ids.size());
    state.counters["split_otherwise"] = double(other) / rounds;
    state.counters["mean_us"] = sum / double(spent.size());
    state.counters["max_us"] = spent.back();
}

void compile(benchmark::State& state, std::string (*source)()) {
    for (auto _ : state) benchmark::DoNotOptimize(Grammar::from_ebnf(source()).value());
}

void compile_either(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(Grammar::from_ebnf(either_grammar()).value());
        benchmark::DoNotOptimize(text::CallHeads::create(tool_calls().heads, "hermes", false).value());
    }
}

void vocabulary(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(text::make_token_table(tokenizer));
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) {
        std::fprintf(stderr, "usage: grammar_bench MODEL.gguf [--benchmark_filter=…]\n");
        return 2;
    }
    tokenizer = text::Tokenizer::create(support::read_gguf_vocabulary(argv[1])).value();
    table = text::make_token_table(tokenizer);
    std::printf("%s: %d tokens\n", argv[1], tokenizer->size());
    benchmark::RegisterBenchmark("vocabulary", vocabulary)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("compile/seven_tools", compile, tool_grammar)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("compile/seven_tools_either", compile_either)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("compile/order", compile, +[] { return schema_grammar(kOrder); })->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("compile/together", compile, +[] { return schema_grammar(kTogether); })->Unit(benchmark::kMillisecond);
    const auto all = cases();
    for (const Case& c : all)
        for (bool warm : {false, true})
            benchmark::RegisterBenchmark((std::string(warm ? "warm/" : "cold/") + c.name).c_str(), masks, c, warm)->Unit(benchmark::kMillisecond);
    for (const Case& c : all) benchmark::RegisterBenchmark((std::string("forced/") + c.name).c_str(), forced, c)->Unit(benchmark::kMillisecond);
    int rest = argc - 1;
    argv[1] = argv[0];
    benchmark::Initialize(&rest, argv + 1);
    benchmark::RunSpecifiedBenchmarks();
} catch (const std::exception& e) {
    std::fprintf(stderr, "grammar_bench: %s\n", e.what());
    return 1;
}
