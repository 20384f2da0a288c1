// What outranks every other text that a model reads. Part of the program: no prompt, directive of a house, setting, request or
// file changes it. Each line says what the program holds to by itself, whatever a model makes of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace prompts {

struct PrimeDirective {
    const char* name;  // prime_…, which nothing else is called
    const char* text;  // a sentence
};
const std::vector<PrimeDirective>& prime_directives();

// As every agent reads them first. In few words and without a heading: a small model chooses its tools worse after more.
const std::string& prime_text();

// The refusal of whoever would save, release, set or remove one; nothing for another name.
std::optional<base::Error> refuse_prime(std::string_view name);

}  // namespace prompts
