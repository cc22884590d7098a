# What a plugin's build needs: found by find_package(Linnet), and used in Linnet's own tree for the template.
include(GNUInstallDirs)

# linnet_add_plugin(NAME source...): the module linnet-NAME.so as target NAME, from C11 sources. Only what they export
# (LINNET_PLUGIN_EXPORT) is visible. Outside of Linnet's tree `install` puts it where the host finds it.
function(linnet_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME linnet-${name} C_STANDARD 11 C_STANDARD_REQUIRED ON
    C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(${name} PRIVATE Linnet::sdk)
  if(TARGET linnet_options)
    target_link_libraries(${name} PRIVATE linnet_options)
  else()
    install(TARGETS ${name} LIBRARY DESTINATION ${Linnet_PLUGIN_DIR})
  endif()
endfunction()

# linnet_add_plugin_check(NAME [argument...]): a test that holds the plugin to its contract, `linnet plugin check`.
function(linnet_add_plugin_check name)
  if(TARGET linnet_options)
    set(program linnet) # the target
  else()
    set(program ${Linnet_PROGRAM})
  endif()
  add_test(NAME ${name}_contract COMMAND ${program} plugin check $<TARGET_FILE:${name}> ${ARGN})
  set_tests_properties(${name}_contract PROPERTIES TIMEOUT 600)
endfunction()
