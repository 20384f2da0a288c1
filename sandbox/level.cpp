#include "sandbox/launcher.h"

namespace sandbox {

std::string_view name(Level level) {
    switch (level) {
        case Level::t0: return "T0";
        case Level::t1: return "T1";
        case Level::t2: return "T2";
        case Level::t3: return "T3";
    }
    return "T0";
}

}  // namespace sandbox
