# SPDX-License-Identifier: MIT
# Unit tests of batch and of the command line's options and help. They make their own files, below a temporary directory.
set(batch_tests
    atomic_file
    console
    input_list
    journal
    journal_failures
    journal_line
    journal_list
    name_set
    output_directory
    output_name
    progress)
foreach(name IN LISTS batch_tests)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mpp_batch mpp_flags cmocka)
endforeach()
foreach(name atomic_file input_list journal journal_failures journal_list output_directory)
  target_sources(test_${name} PRIVATE temporary_directory.c)
endforeach()
foreach(name journal journal_failures journal_list)
  target_sources(test_${name} PRIVATE journal_fixture.c)
endforeach()

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
