// Documents written by chance under the grammars of schemas, for another implementation to judge.
//
//   schema_samples N < SCHEMAS > DOCUMENTS
//
// A JSON Schema a line is read; an object a line is written: {"documents": [TEXT…]} with N of them (fewer where a walk
// found no end), or {"refused": WHY}.
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "walk.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: schema_samples N\n");
        return 2;
    }
    const auto n = unsigned(std::atoi(argv[1]));
    const auto tokenizer = text::words();
    const auto table = text::make_token_table(tokenizer);
    for (std::string line; std::getline(std::cin, line);) {
        base::OrderedJson out;
        if (const auto grammar = text::Grammar::from_json_schema(base::OrderedJson::parse(line))) {
            out["documents"] = base::OrderedJson::array();
            for (unsigned seed = 0; seed < n; ++seed)
                if (auto text = text::walk(*grammar, table, *tokenizer, seed)) out["documents"].push_back(*std::move(text));
        } else {
            out["refused"] = grammar.error().message;
        }
        std::cout << out.dump() << '\n';
    }
}
