# tandem_unit_tests(target file…): one test program of a room's unit tests, `<target>_test`.
# Tests beside the code link the room's target; more libraries go after LIBS.
function(tandem_unit_tests target)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_executable(${target}_test ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${target}_test PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_link_libraries(${target}_test PRIVATE
    ${target} ${ARG_LIBS} GTest::gmock GTest::gtest_main tandem::warnings)
  if(TARGET tandem_grpc_pch AND "tandem_proto" IN_LIST ARG_LIBS)
    tandem_use_grpc_pch(${target}_test)
  endif()
  add_test(NAME ${target} COMMAND ${target}_test)
  set_tests_properties(${target} PROPERTIES TIMEOUT 300 LABELS unit)
endfunction()

# tandem_use_grpc_pch(target): the target's sources see <grpcpp/grpcpp.h> precompiled. A gRPC
# translation unit costs about 8 s without it and 2 s with it.
function(tandem_use_grpc_pch target)
  if(TANDEM_PCH AND TARGET tandem_grpc_pch)
    target_link_libraries(${target} PRIVATE tandem::proto)
    target_precompile_headers(${target} REUSE_FROM tandem_grpc_pch)
    # The flags of a re-used header must be those that it was made with: -fPIC, not the -fPIE that
    # programs get by default.
    target_link_libraries(${target} PRIVATE tandem::warnings)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
  endif()
endfunction()
