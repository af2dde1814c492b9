# The command line itself: options, what a wrapped command inherits, signals, exit codes, output.
if(TARGET classify)
	classify_unit_test(options SOURCES ${PROJECT_SOURCE_DIR}/cli/options.c
		${PROJECT_SOURCE_DIR}/cli/option_table.c DEPENDS classify_analyzer)
	target_include_directories(test_options PRIVATE ${PROJECT_SOURCE_DIR}/cli)

	classify_unit_test(command SOURCES ${PROJECT_SOURCE_DIR}/cli/command.c
		${PROJECT_SOURCE_DIR}/cli/identity.c ${PROJECT_SOURCE_DIR}/cli/signals.c
		${PROJECT_SOURCE_DIR}/cli/message.c ${PROJECT_SOURCE_DIR}/cli/write_all.c
		DEPENDS classify_render)

	classify_unit_test(source SOURCES ${PROJECT_SOURCE_DIR}/cli/source.c
		${PROJECT_SOURCE_DIR}/cli/message.c ${PROJECT_SOURCE_DIR}/cli/write_all.c
		${PROJECT_SOURCE_DIR}/cli/options.c ${PROJECT_SOURCE_DIR}/cli/option_table.c
		DEPENDS classify_inspect classify_render)
	target_include_directories(test_source PRIVATE ${PROJECT_SOURCE_DIR}/cli
		${PROJECT_SOURCE_DIR}/bpf)
	target_link_libraries(test_source PRIVATE util) # openpty(), in glibc before 2.34

	# classify_cli_test(NAME SCRIPT [CLASS ...]): classes of a script of tests/cli/ as cli_<name>
	find_program(CLASSIFY_PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
	function(classify_cli_test name script)
		add_test(NAME cli_${name}
			COMMAND ${CLASSIFY_PYTHON3} -B ${CMAKE_CURRENT_SOURCE_DIR}/cli/${script}
				${ARGN})
		set_tests_properties(cli_${name} PROPERTIES
			ENVIRONMENT "CLASSIFY_BUILD=${CMAKE_BINARY_DIR};CLASSIFY=$<TARGET_FILE:classify>"
			SKIP_RETURN_CODE 77 TIMEOUT 120)
	endfunction()

	foreach(source Procfs Ebpf)
		string(TOLOWER ${source} suffix)
		classify_cli_test(wrap_${suffix} test_wrap.py WrapThrough${source}
			SudoThrough${source})
		classify_cli_test(attach_${suffix} test_attach.py AttachThrough${source})
		classify_cli_test(signals_${suffix} test_signals.py SignalsThrough${source})
	endforeach()
	classify_cli_test(attach_refused test_attach.py Refusals)
	classify_cli_test(output test_output.py)
	classify_cli_test(exports_refused test_exports.py Refusals)
	classify_cli_test(exports_replays test_exports.py Replays)
	classify_cli_test(exports_runs test_exports.py Runs)
	classify_cli_test(worker test_worker.py)
	classify_cli_test(cgroup test_cgroup.py)
	classify_cli_test(expect test_expect.py)
	classify_cli_test(verify test_verify.py)
endif()
