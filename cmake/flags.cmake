# zl_flags: how our own code is compiled. Every target of ours links it, and no flag is
# set anywhere else.
add_library(zl_flags INTERFACE)

target_compile_options(zl_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wcast-qual -Werror
  "$<$<C_COMPILER_ID:Clang>:-Wno-cast-qual>" # it blames us for protobuf-c's INIT macros
  -fno-omit-frame-pointer
  -UNDEBUG # asserts stay in a release: better to stop than to serve a wrong byte
  "$<$<CONFIG:RelWithDebInfo>:-fPIE;-fstack-protector-strong;-D_FORTIFY_SOURCE=2>")
target_compile_definitions(zl_flags INTERFACE
  _GNU_SOURCE ZL_VERSION="${PROJECT_VERSION}")
target_include_directories(zl_flags SYSTEM INTERFACE
  ${CMAKE_BINARY_DIR}/fence) # see zl_fence
target_link_options(zl_flags INTERFACE
  -Wl,--as-needed "$<$<CONFIG:RelWithDebInfo>:-pie;-Wl,-z,relro,-z,now>")

if(ZL_SANITIZE)
  target_compile_options(zl_flags INTERFACE
    -fsanitize=${ZL_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(zl_flags INTERFACE -fsanitize=${ZL_SANITIZE})
endif()
if(ZL_COVERAGE) # tests/coverage reads what this writes
  target_compile_options(zl_flags INTERFACE --coverage -O0)
  target_link_options(zl_flags INTERFACE --coverage)
endif()
if(ZL_FUZZ)
  target_compile_options(zl_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
