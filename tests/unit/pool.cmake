# Unit tests of base and of the pool's pure parts, which are the pool's own: their headers are seen here only.
foreach(name buf rank_liveness message oom_watch result_ring scheduler task_list)
  add_executable(test_${name} test_${name}.c)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/pool)
  target_link_libraries(test_${name} PRIVATE mppool mpp_flags cmocka)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()

target_sources(test_oom_watch PRIVATE temporary_directory.c)


# Those of confinement; it confines the writing of real output files, too.
foreach(name confine confine_paths)
  add_executable(test_${name} test_${name}.c confined_child.c temporary_directory.c)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/pool)
  target_link_libraries(test_${name} PRIVATE mppool mpp_batch mpp_flags Threads::Threads cmocka)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()

# Random tests take how much to do: a million takes some seconds; with sanitizers a part.
set(sequences 1000000)
if(MPP_SANITIZE)
  set(sequences 30000)
endif()
foreach(name scheduler_random scheduler_model)
  add_executable(test_${name} test_${name}.c)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/pool)
  target_link_libraries(test_${name} PRIVATE mppool mpp_flags cmocka)
  add_test(NAME unit.${name} COMMAND test_${name} ${sequences})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 300)
endforeach()
