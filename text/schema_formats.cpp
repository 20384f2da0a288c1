#include "text/schema_formats.h"

namespace text {
namespace {

const std::string date =
    R"((?:[1-9]\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8])))"
    R"(|(?:[1-9]\d(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29))";  // leap years
const std::string time_of_day = R"((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))";

const std::string days = R"((?:\d{1,9}Y(?:\d{1,9}M(?:\d{1,9}D)?)?|\d{1,9}M(?:\d{1,9}D)?|\d{1,9}D))";
const std::string hours = R"(T(?:\d{1,9}H(?:\d{1,9}M(?:\d{1,9}S)?)?|\d{1,9}M(?:\d{1,9}S)?|\d{1,9}S))";

const std::string octet = R"((?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))";
const std::string h16 = "[0-9a-fA-F]{1,4}";

std::string ipv6() {  // one "::" stands for the groups that are left out
    std::string out = "(?:" + h16 + ":){7}" + h16 + "|(?:" + h16 + ":){1,7}:|:(?:(?::" + h16 + "){1,7}|:)";
    for (int before = 1; before <= 6; ++before)
        out += "|(?:" + h16 + ":){1," + std::to_string(before) + "}(?::" + h16 + "){1," + std::to_string(7 - before) + "}";
    return out;
}

// Labels of at most 59 characters, four of them at most: within the 63 and 253 that are allowed.
const std::string label = "[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,29}";
const std::string hostname = label + R"((?:\.)" + label + "){0,3}";
const std::string atom = R"([a-zA-Z0-9!#$%&'*+/=?^_`{|}~-])";

std::string uri() {
    const std::string hex = "%[0-9a-fA-F]{2}", plain = R"([a-zA-Z0-9._~!$&'()*+,;=-])";
    const std::string character = R"((?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|)" + hex + ")", rest = "(?:/" + character + "*)*";
    const std::string authority = "(?:(?:" + plain + "|:|" + hex + ")*@)?(?:" + plain + "|" + hex + ")*(?::[0-9]{0,5})?";
    const std::string tail = "(?:" + character + "|[/?])*";
    return "[a-zA-Z][a-zA-Z0-9+.-]*:(?://" + authority + rest + "|/(?:" + character + "+" + rest + ")?|" + character + "+" + rest + R"()(?:\?)" + tail + ")?(?:#" + tail + ")?";
}

}  // namespace

std::string pattern_of_format(std::string_view format) {
    const auto whole = [](const std::string& body) { return "^(?:" + body + ")$"; };
    if (format == "date") return whole(date);
    if (format == "time") return whole(time_of_day);
    if (format == "date-time") return "^" + date + "T" + time_of_day + "$";
    if (format == "duration") return whole("P(?:" + days + "(?:" + hours + ")?|" + hours + R"(|\d{1,9}W))");
    if (format == "uuid") return whole("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}");
    if (format == "ipv4") return whole("(?:" + octet + R"(\.){3})" + octet);
    if (format == "ipv6") return whole(ipv6());
    if (format == "hostname") return whole(hostname);
    if (format == "email") return whole(atom + R"((?:\.?)" + atom + "){0,31}@" + hostname);
    if (format == "uri") return whole(uri());
    if (format == "json-pointer") return "^(?:/(?:[^~/]|~[01])*)*$";
    return "";
}

}  // namespace text
