#include "sandbox/waiter_program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

asm(".pushsection .rodata\n"
    ".global hearth_waiter_begin\n"
    ".global hearth_waiter_end\n"
    "hearth_waiter_begin:\n"
    ".incbin \"" HEARTH_WAITER "\"\n"
    "hearth_waiter_end:\n"
    ".popsection\n");

extern "C" const char hearth_waiter_begin[], hearth_waiter_end[];

namespace sandbox {

Fd waiter_program() {
    // Kernels before 6.3 refuse the flag, later ones may demand it.
    constexpr unsigned kExecutable = 0x0010;
    Fd file(memfd_create("waiter", MFD_CLOEXEC | MFD_ALLOW_SEALING | kExecutable));
    if (!file && errno == EINVAL) file = Fd(memfd_create("waiter", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    for (const char* at = hearth_waiter_begin; file && at < hearth_waiter_end;) {
        const ssize_t n = write(file.get(), at, std::size_t(hearth_waiter_end - at));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return Fd();
        at += n;
    }
    if (file && fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) return Fd();
    return file;
}

}  // namespace sandbox
