# Unit tests of base and of the pool's pure parts, which are the pool's own: their headers are seen here only.
foreach(name buf message scheduler)
  add_executable(test_${name} test_${name}.c)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/pool)
  target_link_libraries(test_${name} PRIVATE mppool mpp_flags cmocka)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()

# Random tests take how much to do: all of it in some seconds, with sanitizers a part.
add_executable(test_scheduler_random test_scheduler_random.c)
target_include_directories(test_scheduler_random PRIVATE ${PROJECT_SOURCE_DIR}/src/pool)
target_link_libraries(test_scheduler_random PRIVATE mppool mpp_flags cmocka)
set(worlds 1000000)
if(MPP_SANITIZE)
  set(worlds 30000)
endif()
add_test(NAME unit.scheduler_random COMMAND test_scheduler_random ${worlds})
set_tests_properties(unit.scheduler_random PROPERTIES TIMEOUT 300)
