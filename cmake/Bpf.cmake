# palang_bpf: the program for the kernel (src/bpf/*.bpf.c), built by the distribution's clang and carried inside the binary,
# so that no compiler is needed where it runs.
find_program(PALANG_BPF_CLANG NAMES clang clang-19 clang-18 clang-16 clang-15 clang-14 REQUIRED)

function(palang_bpf_object name)
  set(object ${PROJECT_BINARY_DIR}/bpf/${name}.bpf.o)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/bpf/*.h)
  cmake_parse_arguments(BPF "" "SOURCE" "DEFINITIONS" ${ARGN})
  list(TRANSFORM BPF_DEFINITIONS PREPEND -D)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/bpf
    # Debug information is where libbpf reads the types of the maps.
    COMMAND ${PALANG_BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Werror -I${PROJECT_SOURCE_DIR}/src
      -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} ${BPF_DEFINITIONS} -c ${BPF_SOURCE} -o ${object}
    DEPENDS ${BPF_SOURCE} ${headers}
    COMMENT "Building ${name}.bpf.o for the kernel"
    VERBATIM)
  set(PALANG_BPF_NAME ${name})
  set(PALANG_BPF_OBJECT ${object})
  configure_file(${PROJECT_SOURCE_DIR}/src/bpf/object.cpp.in ${PROJECT_BINARY_DIR}/bpf/${name}_object.cpp @ONLY)
  set_source_files_properties(${PROJECT_BINARY_DIR}/bpf/${name}_object.cpp PROPERTIES OBJECT_DEPENDS ${object})
  add_library(palang_bpf_${name} STATIC ${PROJECT_BINARY_DIR}/bpf/${name}_object.cpp ${object})
  target_include_directories(palang_bpf_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(palang_bpf_${name} PRIVATE palang_flags)
endfunction()
