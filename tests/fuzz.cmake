# Fuzzing. Each harness is built twice over: as a test that runs its corpus and changes of it that
# are always the same (fuzz/fuzz_driver.c), and with clang and -DCLASSIFY_FUZZER=ON as a fuzzer.
option(CLASSIFY_FUZZER "Link the fuzzing harnesses with clang's libFuzzer" OFF)
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_FLAGS "-fsanitize=address,undefined")
check_c_source_compiles("int main(void) { return 0; }" CLASSIFY_HAS_SANITIZERS)
unset(CMAKE_REQUIRED_FLAGS)

# classify_fuzz_test(NAME SOURCES <sources under test, from the project's root>
#	[DEPENDS <libraries>] [INCLUDE <directories>] [CORPUS <files and directories>])
# tests/fuzz/fuzz_<name>.c as the test fuzz_<name>. What is under test is compiled anew, with
# sanitizers, so libraries of the project are not to be among DEPENDS. Without CORPUS it is
# tests/fuzz/corpus/<name>.
function(classify_fuzz_test name)
	cmake_parse_arguments(FUZZ "" "" "SOURCES;DEPENDS;INCLUDE;CORPUS" ${ARGN})
	list(TRANSFORM FUZZ_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/)
	if(NOT FUZZ_CORPUS)
		set(FUZZ_CORPUS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
	endif()
	add_executable(fuzz_${name} fuzz/fuzz_${name}.c ${FUZZ_SOURCES})
	target_compile_definitions(fuzz_${name} PRIVATE _GNU_SOURCE)
	target_include_directories(fuzz_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/fuzz
		${PROJECT_SOURCE_DIR}/bpf ${PROJECT_SOURCE_DIR}/bpf/inspect
		${PROJECT_SOURCE_DIR}/analyzer ${FUZZ_INCLUDE})
	target_link_libraries(fuzz_${name} PRIVATE ${FUZZ_DEPENDS})
	classify_warnings(fuzz_${name})
	if(CLASSIFY_FUZZER)
		set(sanitizers -fsanitize=address,undefined,fuzzer)
	else()
		target_sources(fuzz_${name} PRIVATE fuzz/fuzz_driver.c)
		if(CLASSIFY_HAS_SANITIZERS)
			set(sanitizers -fsanitize=address,undefined)
		endif()
		add_test(NAME fuzz_${name} COMMAND fuzz_${name} -seed=1 -seconds=5 ${FUZZ_CORPUS})
		set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 60)
	endif()
	target_compile_options(fuzz_${name} PRIVATE -UNDEBUG -fno-sanitize-recover=all ${sanitizers})
	target_link_options(fuzz_${name} PRIVATE ${sanitizers})
endfunction()

classify_fuzz_test(maps SOURCES bpf/code/map_line.c)
