#include "engine/hearth_engine.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "engine/engine.h"

struct hearth_engine {
    std::unique_ptr<engine::Engine> engine;
};

struct hearth_session {
    std::unique_ptr<engine::Session> session;
    engine::TokenEvent event;
};

namespace {

void tell(const std::string& message, char* error, size_t size) {
    if (!error || size == 0) return;
    const size_t n = std::min(message.size(), size - 1);
    std::memcpy(error, message.data(), n);
    error[n] = 0;
}

// No exception may pass into C.
template <class T, class F>
T guarded(T otherwise, char* error, size_t size, F&& body) {
    try {
        return body();
    } catch (const std::exception& e) {
        tell(e.what(), error, size);
    } catch (...) {
        tell("unknown exception", error, size);
    }
    return otherwise;
}

}  // namespace

hearth_engine* hearth_engine_load(const char* path, const hearth_load_options* options, char* error, size_t error_size) {
    return guarded<hearth_engine*>(nullptr, error, error_size, [&]() -> hearth_engine* {
        if (!path) return tell("path is NULL", error, error_size), nullptr;
        engine::LoadOptions load;
        load.path = path;
        if (options) {
            load.profile = options->exact ? engine::Profile::exact : engine::Profile::fast;
            load.threads = options->threads;
            load.context = options->context;
            load.memory_limit = options->memory_limit;
        }
        auto loaded = engine::Engine::load(std::move(load));
        if (!loaded) return tell(loaded.error().text(), error, error_size), nullptr;
        return new hearth_engine{*std::move(loaded)};
    });
}

void hearth_engine_free(hearth_engine* engine) { delete engine; }
int hearth_engine_vocabulary(const hearth_engine* engine) { return engine ? engine->engine->info().vocabulary : -1; }
int hearth_engine_context(const hearth_engine* engine) { return engine ? engine->engine->memory().context : -1; }

int hearth_tokenize(const hearth_engine* engine, const char* text, int parse_special, int32_t* ids, int room) {
    return guarded<int>(-1, nullptr, 0, [&] {
        if (!engine) return -1;
        const auto tokens = engine->engine->tokenizer()->encode(text ? text : "", parse_special != 0);
        if (ids && room > 0) std::copy_n(tokens.begin(), std::min(tokens.size(), size_t(room)), ids);
        return int(tokens.size());
    });
}

hearth_session* hearth_session_start(hearth_engine* engine, const int32_t* prompt, int n, const hearth_request* request,
                                     char* error, size_t error_size) {
    return guarded<hearth_session*>(nullptr, error, error_size, [&]() -> hearth_session* {
        if (!engine || !request || n < 0 || (n > 0 && !prompt))
            return tell("engine, prompt and request must be given", error, error_size), nullptr;
        engine::Request r;
        r.prompt.emplace_back();
        if (n > 0) r.prompt.back().tokens.assign(prompt, prompt + n);
        r.max_tokens = request->max_tokens;
        r.sampling.temperature = request->temperature;
        r.sampling.top_k = request->top_k;
        r.sampling.top_p = request->top_p == 0 ? 1 : request->top_p;
        r.sampling.min_p = request->min_p;
        r.sampling.seed = request->seed;
        auto started = engine->engine->start(std::move(r));
        if (!started) return tell(started.error().text(), error, error_size), nullptr;
        return new hearth_session{*std::move(started), {}};
    });
}

int hearth_session_next(hearth_session* session, int32_t* id, const char** text, int* finish) {
    return guarded<int>(0, nullptr, 0, [&] {
        if (!session) return 0;
        auto event = session->session->next();
        if (!event) return 0;
        session->event = *std::move(event);
        if (id) *id = session->event.id;
        if (text) *text = session->event.text.c_str();
        if (finish) *finish = int(session->event.finish);
        return 1;
    });
}

const char* hearth_session_error(const hearth_session* session) { return session ? session->event.error.c_str() : ""; }

void hearth_session_stop(hearth_session* session) {
    if (session) session->session->stop();
}
void hearth_session_free(hearth_session* session) { delete session; }
