// Processes that live to be killed, and what is left when they are gone.
#pragma once

#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "kill_point.h"
#include "store/db.h"

namespace kill_matrix {

// Which processes that are made from now on share with this one; zeroed.
template <class T>
T* shared_memory(std::size_t n = 1) {
    void* const at = mmap(nullptr, sizeof(T) * n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) std::perror("mmap"), std::exit(2);
    return static_cast<T*>(at);
}

// Makes a process that does so and ends, and waits for it → its status as of waitpid. It dies with this one, and when that much time has passed;
// what `life` throws is noted in the record. Nothing of what `life` has made is put in order at its end.
int in_a_process(Record& record, std::chrono::seconds longest, const std::function<void()>& life);

// Of the role that asks. What a process has sent before it was killed, PostgreSQL may still be at work on. False: it is so for a minute.
bool wait_for_backends(store::Db& db, const store::Identity& who, const std::string& application);

}  // namespace kill_matrix
