# Python for the tests that start real programs: stubs that protoc and gRPC's own plugin make of the
# .proto files alone (target tandem_python_stubs), and tandem_experiment. (Debian's
# python3-grpc-tools brings a protoc of 2017 that does not know `optional`.)
include_guard(GLOBAL)
find_program(TANDEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
find_program(PROTOC protoc REQUIRED)
find_program(GRPC_PYTHON_PLUGIN grpc_python_plugin REQUIRED)
file(GLOB_RECURSE protos RELATIVE ${PROJECT_SOURCE_DIR}/proto CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/proto/*.proto)
set(proto_files ${protos})
list(TRANSFORM proto_files PREPEND ${PROJECT_SOURCE_DIR}/proto/)
set(python_root ${PROJECT_BINARY_DIR}/python)
add_custom_command(OUTPUT ${python_root}/stamp
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${python_root}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${python_root}
  COMMAND ${PROTOC} -I ${PROJECT_SOURCE_DIR}/proto
          --python_out=${python_root} --grpc_out=${python_root}
          --plugin=protoc-gen-grpc=${GRPC_PYTHON_PLUGIN} ${protos}
  COMMAND ${CMAKE_COMMAND} -E touch ${python_root}/stamp
  DEPENDS ${proto_files} COMMENT "protoc → python" VERBATIM)
add_custom_target(tandem_python_stubs ALL DEPENDS ${python_root}/stamp)

# tandem_experiment(label.name script argument…): a test that starts real programs. It may fork many
# of them, so it gets a minute more than its own deadlines need.
function(tandem_experiment name script)
  string(REGEX REPLACE "\\..*" "" label ${name})
  add_test(NAME ${name} COMMAND ${TANDEM_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS ${label} ENVIRONMENT
    "PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/support;TANDEM_BUILD=${PROJECT_BINARY_DIR}")
endfunction()
