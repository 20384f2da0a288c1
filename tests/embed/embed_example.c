#include <stdio.h>

#include "engine/hearth_engine.h"

int main(int argc, char** argv) {
    char error[300] = "";
    if (argc < 3) return fprintf(stderr, "usage: embed_example MODEL.gguf TEXT\n"), 2;
    hearth_engine* engine = hearth_engine_load(argv[1], NULL, error, sizeof error);
    if (!engine) return fprintf(stderr, "%s\n", error), 1;

    int32_t prompt[512];
    const int n = hearth_tokenize(engine, argv[2], 0, prompt, 512);
    if (n < 1 || n > 512) return fprintf(stderr, "the text has %d tokens, 1 to 512 wanted\n", n), 1;
    const hearth_request request = {.max_tokens = 16}; /* greedy */
    hearth_session* session = hearth_session_start(engine, prompt, n, &request, error, sizeof error);
    if (!session) return fprintf(stderr, "%s\n", error), 1;

    int32_t id;
    const char* text;
    int finish = HEARTH_RUNNING, tokens = 0;
    while (hearth_session_next(session, &id, &text, &finish)) {
        fputs(text, stdout);
        tokens += id >= 0;
    }
    printf("\n[%d tokens, %s]\n", tokens, finish == HEARTH_LENGTH ? "cut" : finish == HEARTH_STOP ? "whole" : hearth_session_error(session));
    hearth_session_free(session);
    hearth_engine_free(engine);
    return 0;
}
