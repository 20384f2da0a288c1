// What encoding one MiB costs, by the kind of text, and what making a tokenizer of its files costs.
//
//   tokenizer_bench TOKENIZER [options of Google Benchmark]
//
// TOKENIZER is a model.gguf or a tokenizer.json (also .xz).
#include <benchmark/benchmark.h>

#include <cstdio>
#include <random>

#include "support/fixtures.h"
#include "support/vocabularies.h"

namespace {

constexpr std::size_t kSize = 1 << 20;

std::shared_ptr<const text::Tokenizer> tokenizer;

std::string repeated(const std::string& unit) {
    std::string out;
    while (out.size() < kSize) out += unit;
    return out;
}

// Words drawn from a list, so that not every word is in a cache at once.
std::string drawn(const std::vector<std::string>& parts, const std::string& between) {
    std::mt19937 random(1);
    std::string out;
    while (out.size() < kSize) out += parts[random() % parts.size()] + between;
    return out;
}

std::string characters(char32_t first, unsigned count) {
    std::mt19937 random(2);
    std::string out;
    while (out.size() < kSize) {
        const char32_t c = first + random() % count;
        const bool four = c > 0xFFFF;
        if (four) out += char(0xF0 | c >> 18);
        out += four ? char(0x80 | (c >> 12 & 63)) : char(0xE0 | c >> 12);
        out += char(0x80 | (c >> 6 & 63));
        out += char(0x80 | (c & 63));
    }
    return out;
}

std::string english() {  // the project's own documents
    std::string out;
    while (out.size() < kSize)
        for (const auto& entry : std::filesystem::directory_iterator(support::source_dir() / "docs"))
            if (entry.path().extension() == ".md") out += support::read_text(entry.path());
    return out.substr(0, kSize);
}

std::string code() {
    std::string out;
    while (out.size() < kSize)
        for (const auto& entry : std::filesystem::directory_iterator(support::source_dir() / "text"))
            if (entry.path().extension() == ".cpp") out += support::read_text(entry.path());
    return out.substr(0, kSize);
}

std::string random_bytes(unsigned least, unsigned count) {
    std::mt19937 random(4);
    std::string out;
    while (out.size() < kSize) out += char(least + random() % count);
    return out;
}

std::string rare_words() {  // no word twice
    std::mt19937 random(3);
    std::string out;
    while (out.size() < kSize) {
        for (unsigned n = 3 + random() % 12; n; --n) out += char('a' + random() % 26);
        out += ' ';
    }
    return out;
}

void encode(benchmark::State& state, const std::string& text) {
    std::size_t tokens = 0;
    for (auto _ : state) {
        const auto ids = tokenizer->encode(text, false);
        benchmark::DoNotOptimize(ids);
        tokens = ids.size();
    }
    state.counters["tokens"] = double(tokens);
    state.SetBytesProcessed(std::int64_t(state.iterations()) * std::int64_t(text.size()));
}

void decode(benchmark::State& state, const std::string& text) {
    const auto ids = tokenizer->encode(text, false);
    for (auto _ : state) benchmark::DoNotOptimize(tokenizer->decode(ids));
    state.SetBytesProcessed(std::int64_t(state.iterations()) * std::int64_t(text.size()));
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (argc < 2) {
        std::fprintf(stderr, "usage: tokenizer_bench MODEL.gguf|tokenizer.json[.xz]\n");
        return 2;
    }
    const std::filesystem::path file = argv[1];
    const auto vocabulary = file.extension() == ".gguf" ? support::read_gguf_vocabulary(file) : support::read_hf_vocabulary(file);
    tokenizer = text::Tokenizer::create(vocabulary).value();
    std::printf("%s: %d tokens\n", file.filename().c_str(), tokenizer->size());
    const std::pair<const char*, std::string> texts[] = {
        {"english", english()},
        {"code", code()},
        {"chinese", characters(0x4E00, 3000)},
        {"emoji", characters(0x1F600, 80)},
        {"white_space", drawn({" ", "\n", "\t", "  ", "\r\n", "        "}, "")},
        {"spaces", repeated(" ")},
        {"one_letter", repeated("a")},
        {"one_letter_no_ascii", repeated("é")},
        {"digits", repeated("1234567890")},
        {"signs", drawn({"!", "?", "->", "{}", "'s", "\"", "==", "\\"}, "")},
        {"rare_words", rare_words()},
        {"one_word", random_bytes('a', 26)},
        {"random_bytes", random_bytes(0, 256)}};
    for (const auto& [name, text] : texts)
        benchmark::RegisterBenchmark((std::string("encode/") + name).c_str(), [&text](benchmark::State& s) { encode(s, text); })->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("decode/english", [&](benchmark::State& s) { decode(s, texts[0].second); })->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("create", [&](benchmark::State& s) {
        for (auto _ : s) benchmark::DoNotOptimize(text::Tokenizer::create(vocabulary));
    })->Unit(benchmark::kMillisecond);
    benchmark::RunSpecifiedBenchmarks();
}
