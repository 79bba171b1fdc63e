# SPDX-License-Identifier: MIT
# Unit tests of batch and of the command line's options and help. They make their own files, below a temporary directory.
set(batch_tests
    atomic_file
    collector
    completions
    console
    input_list
    journal
    journal_failures
    journal_line
    journal_list
    name_set
    option_table
    output_directory
    output_name
    progress
    result_ref
    result_stream
    spool)
foreach(name IN LISTS batch_tests)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mpp_batch mpp_flags cmocka)
endforeach()
foreach(name atomic_file completions input_list journal journal_failures journal_list output_directory result_stream spool)
  target_sources(test_${name} PRIVATE temporary_directory.c)
endforeach()
foreach(name journal journal_failures journal_list)
  target_sources(test_${name} PRIVATE journal_fixture.c)
endforeach()

# With system calls and allocations that fail.
set(failing_calls open openat write pread lseek fdatasync ftruncate linkat renameat malloc calloc realloc)
list(TRANSFORM failing_calls PREPEND "-Wl,--wrap=")
foreach(name collector result_stream spool)
  target_sources(test_${name} PRIVATE failing_calls.c)
  target_link_options(test_${name} PRIVATE ${failing_calls})
endforeach()
target_link_options(test_result_stream PRIVATE -Wl,--wrap=poll)

foreach(name IN LISTS batch_tests)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
