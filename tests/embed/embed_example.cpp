#include <cstdio>

#include "engine/engine.h"

int main(int argc, char** argv) {
    if (argc < 3) return std::fprintf(stderr, "usage: embed MODEL.gguf TEXT\n"), 2;
    auto engine = engine::Engine::load({.path = argv[1]});
    if (!engine) return std::fprintf(stderr, "%s\n", engine.error().text().c_str()), 1;
    engine::Request request;
    request.prompt = {{.tokens = (*engine)->tokenizer()->encode(argv[2], false)}};
    request.max_tokens = 16;
    auto session = (*engine)->start(request);
    if (!session) return std::fprintf(stderr, "%s\n", session.error().text().c_str()), 1;
    while (auto event = (*session)->next()) std::fputs(event->text.c_str(), stdout);
    std::printf("\n[%d tokens]\n", (*session)->usage().output_tokens);
}
