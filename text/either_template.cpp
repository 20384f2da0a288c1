#include "text/either_template.h"

#include "text/call_dialects.h"

namespace text {

std::string either_template(std::string plain, std::string with_tools) {
    for (std::string* one : {&plain, &with_tools})
        for (const char end : {'\n', '\r'})  // of one line, as at the end of a template
            if (one->ends_with(end)) one->pop_back();
    const std::string seam = "{{ '' }}";  // keeps the tags around a template from trimming its blanks
    return "{% if tools is defined and tools is not none %}" + seam + with_tools + seam + "{% else %}" + seam + plain + seam + "{% endif %}";
}

std::string refusing_template(const std::string& why) { return "{{ raise_exception(" + calls::json_text(why) + ") }}"; }

}  // namespace text
