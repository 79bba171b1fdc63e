# SPDX-License-Identifier: MIT
# Unit tests of src/base that link nothing else.
foreach(name buf log)
  add_executable(test_${name} test_${name}.c)
  target_link_libraries(test_${name} PRIVATE mpp_base mpp_flags cmocka)
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
