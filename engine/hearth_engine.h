/* The engine as a C API: the same Engine and Session, for other languages. Strings are UTF-8 and end
 * in a zero byte. A function that can fail returns NULL (or a negative number) and writes a message,
 * cut to size, to `error` when that is not NULL. An engine or session that is NULL has no tokens and no events. */
#ifndef HEARTH_ENGINE_H
#define HEARTH_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hearth_engine hearth_engine;
typedef struct hearth_session hearth_session;

typedef struct {
    int exact;             /* 1: float activations, results independent of the batch; 0: fast */
    int threads;           /* 0: from the machine */
    int context;           /* 0: the model's, capped by memory */
    uint64_t memory_limit; /* bytes; 0: 90 % of what is available */
} hearth_load_options;

typedef struct {
    int max_tokens;
    float temperature;     /* 0: greedy */
    int top_k;             /* 0: all */
    float top_p, min_p;    /* 1, 0: off; top_p 0 means 1 */
    uint64_t seed;         /* 0: drawn */
} hearth_request;

/* How a session ended; 0 while it runs. */
enum { HEARTH_RUNNING, HEARTH_STOP, HEARTH_LENGTH, HEARTH_CANCELLED, HEARTH_DEADLINE, HEARTH_FAILED };

/* options may be NULL: all zero. */
hearth_engine* hearth_engine_load(const char* path, const hearth_load_options* options, char* error, size_t error_size);
void hearth_engine_free(hearth_engine* engine); /* after its sessions */
int hearth_engine_vocabulary(const hearth_engine* engine);
int hearth_engine_context(const hearth_engine* engine);

/* Token ids of `text`; returns how many there are, of which the first `room` are written to `ids`. */
int hearth_tokenize(const hearth_engine* engine, const char* text, int parse_special, int32_t* ids, int room);

hearth_session* hearth_session_start(hearth_engine* engine, const int32_t* prompt, int n, const hearth_request* request,
                                     char* error, size_t error_size);
/* Blocks until there is an event; returns 1, or 0 after the last one. `id` is -1 in the last event.
 * `text` lives until the next call on this session. `finish` is one of the values above. */
int hearth_session_next(hearth_session* session, int32_t* id, const char** text, int* finish);
/* Why it ended with HEARTH_FAILED, such as memory that ran short; else "". Lives until the next call on this session. */
const char* hearth_session_error(const hearth_session* session);
void hearth_session_stop(hearth_session* session); /* from any thread */
void hearth_session_free(hearth_session* session);

#ifdef __cplusplus
}
#endif
#endif
