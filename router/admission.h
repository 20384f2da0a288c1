// How much a request deserves, from its text alone: deterministic, under a millisecond, with reasons.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace router {

// fast: answered in one call. normal: intake, tools when needed, answer. heavy: thinking too.
enum class ExecutionClass { fast, normal, heavy };

struct Admission {
    ExecutionClass execution = ExecutionClass::normal;
    std::vector<std::string> reasons;  // what decided, for the trace
    bool outside = false;              // hints at files, programs, memory, time or actions
    bool names_file = false;           // by its ending: notes.txt, .config
};

struct AdmissionInput {
    std::string_view text;        // the person's message
    int history_messages = 0;     // before it
    bool has_attachments = false;
    bool has_client_tools = false;
};

Admission admit(const AdmissionInput& input);

std::string_view name(ExecutionClass execution);

}  // namespace router
