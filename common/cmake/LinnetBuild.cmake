# What every target of Linnet is built with: warnings, sanitizers, the libraries by one name each.
option(LINNET_WERROR "Treat warnings as errors" ON)
set(LINNET_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread or fuzzer")

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(lib IN ITEMS libuv jansson libcurl libsodium nettle jemalloc vips libmicrohttpd libprotobuf-c cairo cmocka)
  string(TOUPPER ${lib} name)
  string(REPLACE "-" "_" name ${name})
  pkg_check_modules(${name} IMPORTED_TARGET ${lib})
endforeach()

add_library(linnet_options INTERFACE)
target_compile_definitions(linnet_options INTERFACE _GNU_SOURCE LINNET_VERSION="${PROJECT_VERSION}")
target_compile_options(linnet_options INTERFACE -Wall -Wextra -Wshadow $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes> -Wpointer-arith -Wwrite-strings -Wvla $<$<BOOL:${LINNET_WERROR}>:-Werror>)
target_include_directories(linnet_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/common/sdk)
target_link_libraries(linnet_options INTERFACE Threads::Threads)
if(LINNET_SANITIZE)
  # What gcc warns of in code that a sanitizer has changed is not always there; the other builds hold to the warnings.
  target_compile_options(linnet_options INTERFACE -Wno-error -fsanitize=${LINNET_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(linnet_options INTERFACE -fsanitize=${LINNET_SANITIZE})
endif()

# linnet_library(NAME [LIBS lib...]): a static library from the .c files of this folder.
function(linnet_library name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC linnet_options ${ARG_LIBS})
endfunction()

# linnet_plugin(NAME [LIBS lib...]): plugins/NAME as a module linnet-NAME.so beside the others.
function(linnet_plugin name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  add_library(plugin_${name} MODULE ${sources})
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME linnet-${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins-out)
  target_link_libraries(plugin_${name} PRIVATE linnet_options PkgConfig::JANSSON ${ARG_LIBS})
  install(TARGETS plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/linnet/plugins)
endfunction()

# Seconds that a test may take; sanitizers slow it down.
set(LINNET_TEST_TIMEOUT 120)
if(LINNET_SANITIZE)
  set(LINNET_TEST_TIMEOUT 600)
endif()

# linnet_test(NAME SOURCE... [LIBS lib...]): a cmocka program that CTest runs.
function(linnet_test name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE linnet_options PkgConfig::CMOCKA ${ARG_LIBS})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${LINNET_TEST_TIMEOUT})
endfunction()

# linnet_failing_memory(TEST): put its allocations through tests/unit/failing.c, which can let them fail.
function(linnet_failing_memory name)
  target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit/failing.c)
  foreach(call IN ITEMS malloc calloc realloc strdup strndup free)
    target_link_options(${name} PRIVATE -Wl,--wrap=${call})
  endforeach()
endfunction()
