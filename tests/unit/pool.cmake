# SPDX-License-Identifier: MIT
# Unit tests of src/pool. They include the pool's private headers.
foreach(name doorbell message mpi_library_name oom_watch poll_pace rank_clock rank_liveness result_ring scheduler task_list
        wakeup worker_exit)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mppool mppool_private_headers mpp_flags cmocka)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()

target_sources(test_oom_watch PRIVATE temporary_directory.c)
target_sources(test_worker_exit PRIVATE temporary_directory.c)

# Tests of confinement. They use mpp_batch to write output files as the thumbnail job does.
foreach(name confine confine_paths)
  add_executable(test_${name} test_${name}.c confined_child.c temporary_directory.c)
  target_link_libraries(test_${name} PRIVATE mppool mppool_private_headers mpp_batch mpp_flags Threads::Threads cmocka)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()

# The argument is the number of random sequences. A million takes some seconds; sanitizers get fewer.
set(sequences 1000000)
if(MPP_SANITIZE)
  set(sequences 30000)
endif()
foreach(name scheduler_random scheduler_model)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mppool mppool_private_headers mpp_flags cmocka)
  add_test(NAME unit.${name} COMMAND test_${name} ${sequences})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 300)
endforeach()
