# hearth_unity(TARGET [ALONE files…]): with HEARTH_UNITY, eight to fifteen files of TARGET are compiled as one, which takes a
# quarter of the time: most of a file's time goes to the headers and templates that all files of a module share. A file's name
# alone says which group it is in, so that a new file leaves the others where they are, until there are twice as many groups.
# Names in anonymous namespaces are unique within a group; ALONE are files that name their parts as a sibling does, as two
# dialects do. Files with options of their own stay alone, too.
option(HEARTH_UNITY "Compile the files of a module in groups" OFF)
if(HEARTH_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Coroutines hold types of anonymous namespaces, which GCC takes for a header's where the file is included by another; and
    # where it sees more of a program at once, its own string seems to overflow to it (bug 105651).
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage> $<$<COMPILE_LANGUAGE:CXX>:-Wno-stringop-overflow>)
endif()

function(hearth_unity target)
    if(NOT HEARTH_UNITY)
        return()
    endif()
    cmake_parse_arguments(arg "" "" "ALONE" ${ARGN})
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources INCLUDE REGEX "\\.cpp$")
    list(LENGTH sources files)
    math(EXPR sixteens "${files} / 16")
    set(groups 1)
    while(groups LESS_EQUAL sixteens)
        math(EXPR groups "${groups} * 2")
    endwhile()
    foreach(source ${sources})
        get_filename_component(path ${source} ABSOLUTE)
        file(RELATIVE_PATH name ${CMAKE_CURRENT_SOURCE_DIR} ${path})
        file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${path})
        string(MD5 digest ${path})
        string(SUBSTRING ${digest} 0 2 digest)
        math(EXPR group "0x${digest} % ${groups}")
        if(name IN_LIST arg_ALONE)
            set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
        endif()
        set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${target}_${group})
    endforeach()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
