# hearth_precompile(TARGET GROUP): with HEARTH_PCH, TARGET shares the precompiled headers of GROUP with the others
# of that group; hearth_precompile(TARGET GROUP OWNER) is the target that builds them, linked to all they need.
# deploy/ turns them on: a first build takes a quarter less. A developer's build and that of the fuzz targets do without,
# so that no file lives on an include of another, and a compiler cache serves several checkouts.
option(HEARTH_PCH "Precompile the headers that most files include" OFF)
if(HEARTH_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The first lets ccache see through them; a header that does not fit its user is an error.
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess> $<$<COMPILE_LANGUAGE:CXX>:-Werror=invalid-pch>)
endif()

set(HEARTH_PCH_base <algorithm> <chrono> <filesystem> <functional> <map> <memory> <mutex> <optional> <set> <span> <string>
    <string_view> <thread> <unordered_map> <variant> <vector> <nlohmann/json.hpp>)
set(HEARTH_PCH_net ${HEARTH_PCH_base} <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp>
    <boost/asio/bind_executor.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp> <boost/asio/post.hpp>
    <boost/asio/steady_timer.hpp> <boost/asio/this_coro.hpp> <boost/asio/thread_pool.hpp> <boost/asio/use_awaitable.hpp>)
set(HEARTH_PCH_base_test ${HEARTH_PCH_base} <gmock/gmock.h> <gtest/gtest.h>)
set(HEARTH_PCH_net_test ${HEARTH_PCH_net} <gmock/gmock.h> <gtest/gtest.h>)

function(hearth_precompile target group)
    if(NOT HEARTH_PCH)
        return()
    endif()
    if("${ARGN}" STREQUAL "OWNER")
        target_precompile_headers(${target} PRIVATE ${HEARTH_PCH_${group}})
        set_property(GLOBAL PROPERTY HEARTH_PCH_OWNER_${group} ${target})
    else()
        get_property(owner GLOBAL PROPERTY HEARTH_PCH_OWNER_${group})
        target_precompile_headers(${target} REUSE_FROM ${owner})
    endif()
endfunction()
