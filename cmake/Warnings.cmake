add_library(palang_flags INTERFACE)
target_compile_options(palang_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Werror=return-type -fstack-protector-strong)
target_compile_definitions(palang_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
if(PALANG_SANITIZE)
  target_compile_options(palang_flags INTERFACE -fsanitize=${PALANG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(palang_flags INTERFACE -fsanitize=${PALANG_SANITIZE})
endif()
