# SPDX-License-Identifier: MIT
# Unit tests of src/image.
set(MPP_IMAGE_TESTS ${CMAKE_CURRENT_LIST_DIR})

# mpp_image_test(NAME [SOURCE...]): test_NAME.c and further sources become the test unit.NAME.
function(mpp_image_test name)
  add_executable(test_${name} ${MPP_IMAGE_TESTS}/test_${name}.c ${ARGN})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/image/codecs)
  target_link_libraries(test_${name} PRIVATE mpp_image mpp_flags cmocka m)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

mpp_image_test(color)
mpp_image_test(geometry)
mpp_image_test(jpeg_scaled_decode)
mpp_image_test(png_unfilter)
mpp_image_test(resample)
mpp_image_test(exif_orient ${MPP_IMAGE_TESTS}/image_fixture.c)
mpp_image_test(image ${MPP_IMAGE_TESTS}/image_fixture.c)
mpp_image_test(image_damage ${MPP_IMAGE_TESTS}/image_fixture.c)
foreach(name exif_orient image image_damage jpeg_scaled_decode)
  target_link_libraries(test_${name} PRIVATE JPEG::JPEG PNG::PNG)
endforeach()

# The codec table, compiled again with one more row: a codec in one file, which the library does not have.
mpp_image_test(codecs ${MPP_IMAGE_TESTS}/codec_ppm.c ${PROJECT_SOURCE_DIR}/src/image/codecs.c)
target_compile_definitions(test_codecs PRIVATE "IMAGE_EXTRA_CODECS=IMAGE_CODEC(ppm)")

# The files of PngSuite; skipped without a corpus.
mpp_image_test(pngsuite)
target_link_libraries(test_pngsuite PRIVATE PNG::PNG)
set_tests_properties(unit.pngsuite PROPERTIES SKIP_RETURN_CODE 77)
