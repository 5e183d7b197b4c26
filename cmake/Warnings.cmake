add_library(palang_flags INTERFACE)
target_compile_options(palang_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Werror=return-type -fstack-protector-strong)
target_compile_definitions(palang_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
if(PALANG_SANITIZE)
  target_compile_options(palang_flags INTERFACE -fsanitize=${PALANG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(palang_flags INTERFACE -fsanitize=${PALANG_SANITIZE})
endif()

# GCC clears and copies structs of some 100 bytes with `rep stos` and `rep movs`, which take longer to begin than the
# stores take; an event or a decision is such a struct.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options($<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release>>:-mmemset-strategy=unrolled_loop:256:noalign,libcall:-1:noalign>
                      $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release>>:-mmemcpy-strategy=unrolled_loop:256:noalign,libcall:-1:noalign>)
endif()
