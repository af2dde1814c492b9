# End to end: classify on the samples, whose truth is known. They measure time, so each runs alone.
# The system's Python, not the first in PATH: it is the one that has the distribution's jsonschema.
find_program(CLASSIFY_PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)

# classify_e2e_test(NAME): tests/e2e/test_<name>.py as the test e2e_<name>; status 77 is a skip
function(classify_e2e_test name)
	add_test(NAME e2e_${name}
		COMMAND ${CLASSIFY_PYTHON3} -B ${CMAKE_CURRENT_SOURCE_DIR}/e2e/test_${name}.py)
	set_tests_properties(e2e_${name} PROPERTIES
		ENVIRONMENT "CLASSIFY_BUILD=${CMAKE_BINARY_DIR};CLASSIFY=$<TARGET_FILE:classify>"
		SKIP_RETURN_CODE 77 RUN_SERIAL TRUE TIMEOUT 1500)
endfunction()

if(TARGET classify)
	classify_e2e_test(samples)
	classify_e2e_test(nobody)
endif()

add_test(NAME samples_table
	COMMAND ${CLASSIFY_PYTHON3} ${CMAKE_SOURCE_DIR}/samples/render_table --check)
