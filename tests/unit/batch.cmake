# SPDX-License-Identifier: MIT
# Unit tests of batch and of the command line's options. They make their own files, below a temporary directory.
foreach(name input_list output_name atomic_file journal output_directory progress)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mpp_batch mpp_flags cmocka)
endforeach()
target_sources(test_input_list PRIVATE temporary_directory.c)
target_sources(test_atomic_file PRIVATE temporary_directory.c)
target_sources(test_journal PRIVATE temporary_directory.c)
target_sources(test_output_directory PRIVATE temporary_directory.c)

add_executable(test_mpthumb_options test_mpthumb_options.c)
target_link_libraries(test_mpthumb_options PRIVATE mpp_options mpp_flags cmocka)

add_executable(test_thumbnail_message test_thumbnail_message.c)
target_link_libraries(test_thumbnail_message PRIVATE mpp_jobs mpp_flags cmocka)

foreach(name input_list output_name atomic_file journal output_directory progress mpthumb_options thumbnail_message)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
