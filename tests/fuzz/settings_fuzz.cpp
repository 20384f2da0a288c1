// A settings file: an error names file and line, and what it gives is bounded.
#include "fuzz.h"
#include "net/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fuzz::require;
    static const fuzz::File file("hearth.yaml");
    file.write(fuzz::text_of(data, size));
    const auto settings = net::read_yaml_settings(file.path(), true);
    if (!settings) {
        require(settings.error().message.starts_with(file.path() + ", line "), "an error names file and line: " + settings.error().message);
        for (const auto& [name, fault] : net::read_yaml_sections(file.path()).faults) require(fault.message.starts_with(file.path() + ", line "), "a section's error, too: " + fault.message);
        return 0;
    }
    require(settings->size() <= 10'000, "aliases make no file endless");
    return 0;
}
