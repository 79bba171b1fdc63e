# SPDX-License-Identifier: MIT
# Unit tests of files and batch, and of the jobs' options. They make their own files, below a temporary directory.
set(batch_tests atomic_file batch_inputs batch_inputs_found collector command_line completions console early_stop file_type_guess
                job_table journal
                journal_failures journal_line journal_list mpb_context name_set option_table output_directory output_name
                progress recorded_output regular_file result_ref result_stream run_directory run_options spool stage_plan
                task_message thumbnail_settings)
foreach(name IN LISTS batch_tests)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mpp_batch mpp_flags cmocka)
endforeach()
foreach(name atomic_file batch_inputs batch_inputs_found completions journal journal_failures journal_list mpb_context
             output_directory recorded_output regular_file result_stream spool stage_plan)
  target_sources(test_${name} PRIVATE temporary_directory.c)
endforeach()
foreach(name journal journal_failures journal_list)
  target_sources(test_${name} PRIVATE journal_fixture.c)
endforeach()
foreach(name file_type_guess job_table run_options thumbnail_settings)
  target_link_libraries(test_${name} PRIVATE mpp_jobs)
endforeach()
foreach(name batch_inputs mpb_context recorded_output stage_plan)
  target_link_libraries(test_${name} PRIVATE PkgConfig::XXHASH)
endforeach()

# With one more row in the codec table.
target_sources(test_thumbnail_settings PRIVATE codec_ppm.c ${PROJECT_SOURCE_DIR}/src/image/codecs.c
                                               ${PROJECT_SOURCE_DIR}/jobs/thumbnail/thumbnail_settings.c)
target_compile_definitions(test_thumbnail_settings PRIVATE "IMAGE_EXTRA_CODECS=IMAGE_CODEC(ppm)")

# With system calls and allocations that fail.
set(failing_calls open openat write pread lseek fdatasync ftruncate linkat renameat malloc calloc realloc)
list(TRANSFORM failing_calls PREPEND "-Wl,--wrap=")
foreach(name collector mpb_context result_stream spool)
  target_sources(test_${name} PRIVATE failing_calls.c)
  target_link_options(test_${name} PRIVATE ${failing_calls})
endforeach()
target_link_options(test_result_stream PRIVATE -Wl,--wrap=poll)

foreach(name IN LISTS batch_tests)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
