#include "base/regex.h"

#include <algorithm>

#include "base/unicode.h"

namespace base {
namespace {

constexpr std::size_t max_program = 20000;

bool in(const std::vector<CharRange>& ranges, char32_t c) {
    if (c == no_char) return false;
    auto after = std::upper_bound(ranges.begin(), ranges.end(), c, [](char32_t v, const CharRange& r) { return v < r.first; });
    return after != ranges.begin() && c <= (after - 1)->second;
}

bool is_word(char32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

}  // namespace

// Compiles by Thompson's construction: the instructions of a node follow each other and fall through.
Result<void> Regex::emit(const RegexNode& node, SetNumbers& numbers) {
    using K = RegexNode::Kind;
    using I = Instruction::Kind;
    const auto size = [&] { return int(program_.size()); };
    if (program_.size() > max_program)
        return error(Code::invalid_argument, "a program of more than " + std::to_string(max_program) + " instructions",
                     "use smaller repetition counts");
    switch (node.kind) {
        case K::empty: return {};
        case K::set: {
            const auto [number, fresh] = numbers.try_emplace(node.ranges, int(sets_.size()));
            if (fresh) sets_.push_back(node.ranges);
            program_.push_back({I::set, number->second, 0});
            return {};
        }
        case K::text_begin: return program_.push_back({I::text_begin}), Result<void>();
        case K::text_end: return program_.push_back({I::text_end}), Result<void>();
        case K::word_border: return program_.push_back({I::word_border}), Result<void>();
        case K::no_word_border: return program_.push_back({I::no_word_border}), Result<void>();
        case K::sequence:
            for (const RegexNode& part : node.parts)
                if (auto ok = emit(part, numbers); !ok) return ok;
            return {};
        case K::either: {
            std::vector<int> jumps;
            for (std::size_t i = 0; i < node.parts.size(); ++i) {
                const bool last = i + 1 == node.parts.size();
                const int split = size();
                if (!last) program_.push_back({I::split, split + 1, 0});
                if (auto ok = emit(node.parts[i], numbers); !ok) return ok;
                if (last) break;
                jumps.push_back(size());
                program_.push_back({I::jump});
                program_[std::size_t(split)].b = size();
            }
            for (int j : jumps) program_[std::size_t(j)].a = size();
            return {};
        }
        case K::repeat: {
            for (int i = 0; i < node.least; ++i) {
                const int before = size();
                if (auto ok = emit(node.parts[0], numbers); !ok) return ok;
                if (size() == before) return {};  // a part that is always empty
            }
            std::vector<int> exits;
            for (int i = node.least; i < node.most || node.most < 0; ++i) {
                const int split = size();
                exits.push_back(split);
                program_.push_back({I::split, split + 1, 0});
                if (auto ok = emit(node.parts[0], numbers); !ok) return ok;
                if (node.most >= 0) continue;
                program_.push_back({I::jump, split, 0});
                break;
            }
            for (int e : exits) program_[std::size_t(e)].b = size();
            return {};
        }
    }
    return {};
}

Result<Regex> Regex::compile(std::string_view pattern) {
    auto node = parse_regex(pattern);
    if (!node) return std::move(node).error();
    Regex out;
    SetNumbers numbers;
    if (auto ok = out.emit(*node, numbers); !ok)
        return error(ok.error().code, "pattern \"" + std::string(pattern) + "\" needs " + ok.error().message, ok.error().remedy);
    out.program_.push_back({Instruction::Kind::match});
    return out;
}

// The set of program places that are alive between two characters.
struct Regex::Run {
    const Regex& regex;
    std::vector<int> alive;
    std::vector<int> seen_at;  // [program] step at which the place was added
    std::vector<int> stack;
    bool matched = false;

    void add(int start, int step, bool at_begin, bool at_end, bool border) {
        using I = Instruction::Kind;
        stack.push_back(start);
        while (!stack.empty()) {
            const int pc = stack.back();
            stack.pop_back();
            if (seen_at[std::size_t(pc)] == step) continue;
            seen_at[std::size_t(pc)] = step;
            const Instruction& i = regex.program_[std::size_t(pc)];
            switch (i.kind) {
                case I::set: alive.push_back(pc); break;
                case I::match: matched = true; alive.push_back(pc); break;
                case I::jump: stack.push_back(i.a); break;
                case I::split: stack.push_back(i.b); stack.push_back(i.a); break;
                case I::text_begin: if (at_begin) stack.push_back(pc + 1); break;
                case I::text_end: if (at_end) stack.push_back(pc + 1); break;
                case I::word_border: if (border) stack.push_back(pc + 1); break;
                case I::no_word_border: if (!border) stack.push_back(pc + 1); break;
            }
        }
    }
};

bool Regex::run(std::string_view text, bool anywhere, bool whole) const {
    Run run{*this, {}, std::vector<int>(program_.size(), -1), {}};
    std::vector<int> before;
    char32_t previous = no_char;
    int step = 0;
    for (std::size_t at = 0;; ++step) {
        const bool at_end = at >= text.size();
        int length = 1;
        const char32_t c = at_end ? no_char : decode_utf8(text, at, length);
        const bool border = is_word(previous) != is_word(c);
        // `before` holds the places whose set took the previous character; their successors live here.
        run.alive.clear();
        run.matched = false;
        for (int pc : before) run.add(pc + 1, step, at == 0, at_end, border);
        if (at == 0 || anywhere) run.add(0, step, at == 0, at_end, border);
        if (run.matched && (!whole || at_end)) return true;
        if (at_end || (run.alive.empty() && !anywhere)) return false;
        before.clear();
        for (int pc : run.alive) {
            const Instruction& i = program_[std::size_t(pc)];
            if (i.kind == Instruction::Kind::set && in(sets_[std::size_t(i.a)], c)) before.push_back(pc);
        }
        previous = c;
        at += std::size_t(length);
    }
}

bool Regex::search(std::string_view text) const { return run(text, true, false); }
bool Regex::matches(std::string_view text) const { return run(text, false, true); }

}  // namespace base
