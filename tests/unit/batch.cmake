# SPDX-License-Identifier: MIT
# Unit tests of batch and of the command line's options and help. They make their own files, below a temporary directory.
set(batch_tests atomic_file collector console input_list journal name_set output_directory output_name progress result_ref
                result_stream spool)
foreach(name IN LISTS batch_tests)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mpp_batch mpp_flags cmocka)
endforeach()
foreach(name atomic_file input_list journal output_directory result_stream spool)
  target_sources(test_${name} PRIVATE temporary_directory.c)
endforeach()

# With system calls and allocations that fail.
set(failing_calls open openat write pread lseek fdatasync ftruncate linkat renameat malloc calloc realloc)
list(TRANSFORM failing_calls PREPEND "-Wl,--wrap=")
foreach(name collector result_stream spool)
  target_sources(test_${name} PRIVATE failing_calls.c)
  target_link_options(test_${name} PRIVATE ${failing_calls})
endforeach()
target_link_options(test_result_stream PRIVATE -Wl,--wrap=poll)

add_executable(test_mpthumb_options test_mpthumb_options.c)
target_link_libraries(test_mpthumb_options PRIVATE mpp_options mpp_flags cmocka)

# With the codec table compiled again, as for test_codecs.
add_executable(test_mpthumb_help test_mpthumb_help.c codec_ppm.c ${PROJECT_SOURCE_DIR}/src/cli/mpthumb_help.c
               ${PROJECT_SOURCE_DIR}/src/image/codecs.c)
target_compile_definitions(test_mpthumb_help PRIVATE "IMAGE_EXTRA_CODECS=IMAGE_CODEC(ppm)" MPP_MPI_NAME="")
target_link_libraries(test_mpthumb_help PRIVATE mpp_options mpp_flags cmocka JPEG::JPEG PNG::PNG PkgConfig::DEFLATE
                                                PkgConfig::LCMS)

add_executable(test_thumbnail_message test_thumbnail_message.c)
target_link_libraries(test_thumbnail_message PRIVATE mpp_jobs mpp_flags cmocka)

foreach(name IN LISTS batch_tests ITEMS mpthumb_help mpthumb_options thumbnail_message)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
