# SPDX-License-Identifier: MIT
# Unit tests of batch and of the command line's options. They make their own files, below a temporary directory.
set(batch_tests atomic_file console input_list journal name_set output_directory output_name progress)
foreach(name IN LISTS batch_tests)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mpp_batch mpp_flags cmocka)
endforeach()
foreach(name atomic_file input_list journal output_directory)
  target_sources(test_${name} PRIVATE temporary_directory.c)
endforeach()

add_executable(test_mpthumb_options test_mpthumb_options.c)
target_link_libraries(test_mpthumb_options PRIVATE mpp_options mpp_flags cmocka)

add_executable(test_thumbnail_message test_thumbnail_message.c)
target_link_libraries(test_thumbnail_message PRIVATE mpp_jobs mpp_flags cmocka)

foreach(name IN LISTS batch_tests ITEMS mpthumb_options thumbnail_message)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
