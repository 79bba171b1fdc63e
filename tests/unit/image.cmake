# SPDX-License-Identifier: MIT
# Unit tests of src/image.
set(MPP_IMAGE_TESTS ${CMAKE_CURRENT_LIST_DIR})

function(mpp_image_test name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/image/codecs)
  target_link_libraries(${name} PRIVATE mpp_image mpp_flags cmocka m)
  add_test(NAME unit.${name} COMMAND ${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

mpp_image_test(test_geometry ${MPP_IMAGE_TESTS}/test_geometry.c)
mpp_image_test(test_jpeg_scaled_decode ${MPP_IMAGE_TESTS}/test_jpeg_scaled_decode.c)
mpp_image_test(test_png_unfilter ${MPP_IMAGE_TESTS}/test_png_unfilter.c)
mpp_image_test(test_resample ${MPP_IMAGE_TESTS}/test_resample.c)
mpp_image_test(test_exif_orient ${MPP_IMAGE_TESTS}/test_exif_orient.c ${MPP_IMAGE_TESTS}/image_fixture.c)
mpp_image_test(test_image ${MPP_IMAGE_TESTS}/test_image.c ${MPP_IMAGE_TESTS}/image_fixture.c)
mpp_image_test(test_image_damage ${MPP_IMAGE_TESTS}/test_image_damage.c ${MPP_IMAGE_TESTS}/image_fixture.c)
foreach(name test_exif_orient test_image test_image_damage test_jpeg_scaled_decode)
  target_link_libraries(${name} PRIVATE JPEG::JPEG PNG::PNG)
endforeach()

# The codec table, compiled again with one more row: a codec in one file, which the library does not have.
mpp_image_test(test_codecs ${MPP_IMAGE_TESTS}/test_codecs.c ${MPP_IMAGE_TESTS}/codec_ppm.c
                           ${PROJECT_SOURCE_DIR}/src/image/codecs.c)
target_compile_definitions(test_codecs PRIVATE "IMAGE_EXTRA_CODECS=IMAGE_CODEC(ppm)")

# The files of PngSuite; skipped without a corpus.
mpp_image_test(test_pngsuite ${MPP_IMAGE_TESTS}/test_pngsuite.c)
target_link_libraries(test_pngsuite PRIVATE PNG::PNG)
set_tests_properties(unit.test_pngsuite PROPERTIES SKIP_RETURN_CODE 77)
