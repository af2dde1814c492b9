# End to end: classify on the samples, whose truth is known. They measure time, so each runs alone.
# The system's Python, not the first in PATH: it is the one that has the distribution's jsonschema.
find_program(CLASSIFY_PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)

# classify_e2e_test(NAME SCRIPT [ARGS ...]): a script of tests/e2e/ as the test e2e_<name>; when it
# skips all that it would test, CTest says so
function(classify_e2e_test name script)
	add_test(NAME e2e_${name}
		COMMAND ${CLASSIFY_PYTHON3} -B ${CMAKE_CURRENT_SOURCE_DIR}/e2e/${script} ${ARGN})
	set_tests_properties(e2e_${name} PROPERTIES
		ENVIRONMENT "CLASSIFY_BUILD=${CMAKE_BINARY_DIR};CLASSIFY=$<TARGET_FILE:classify>"
		SKIP_RETURN_CODE 77 RUN_SERIAL TRUE TIMEOUT 1500)
endfunction()

if(TARGET classify)
	classify_e2e_test(samples test_samples.py SamplesThroughEbpf)
	classify_e2e_test(samples_procfs test_samples.py SamplesThroughProcfs)
	classify_e2e_test(situations test_situations.py)
	classify_e2e_test(nobody test_nobody.py)
	classify_e2e_test(accounts test_accounts.py)
	classify_e2e_test(quota test_quota.py)
	classify_e2e_test(loops test_loops.py)
	classify_e2e_test(polling test_polling.py)
	classify_e2e_test(phases test_phases.py)
	classify_e2e_test(containers test_containers.py)
	classify_e2e_test(services test_services.py)
	classify_e2e_test(disk test_disk.py)
	classify_e2e_test(verify test_verify.py)
	classify_e2e_test(surroundings test_surroundings.py)
	classify_e2e_test(settling test_settling.py)
	classify_e2e_test(proving test_proving.py)
	classify_e2e_test(lines test_lines.py)
endif()

add_test(NAME samples_table
	COMMAND ${CLASSIFY_PYTHON3} ${CMAKE_SOURCE_DIR}/samples/render_table --check)
add_test(NAME situations_table
	COMMAND ${CLASSIFY_PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/situations/render_table --check)
