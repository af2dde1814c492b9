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

# fuzz_seed(NAME [COMPILE options] [LINK options]): fuzz/seed_unwind.c as a corpus of one file
function(fuzz_seed name)
	cmake_parse_arguments(SEED "" "" "COMPILE;LINK" ${ARGN})
	add_executable(${name} fuzz/seed_unwind.c)
	target_compile_options(${name} PRIVATE -g0 -O2 -fno-stack-protector -fno-builtin
		-fcf-protection=none -fno-pie -fno-sanitize=all ${SEED_COMPILE})
	target_link_options(${name} PRIVATE -nostdlib -static -no-pie -Wl,-n -Wl,--build-id=none
		-Wl,-z,noseparate-code ${SEED_LINK})
	set_target_properties(${name} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/fuzz_unwind_corpus)
	add_dependencies(fuzz_unwind ${name})
endfunction()
classify_fuzz_test(unwind
	SOURCES bpf/code/code_file.c bpf/code/file_copy.c bpf/code/address_space.c
		bpf/code/map_line.c bpf/code/elf_segments.c bpf/unwind/unwind.c bpf/unwind/unwind_step.c
		bpf/unwind/call_site.c bpf/unwind/frame_info.c bpf/unwind/cfi_source.c bpf/code/elf_section.c bpf/unwind/cfi_check.c bpf/unwind/go_runtime.c
		bpf/unwind/expression.c bpf/unwind/expression_translate.c bpf/inspect/proc_file.c
	DEPENDS PkgConfig::LIBDW PkgConfig::LIBELF
	CORPUS ${CMAKE_CURRENT_BINARY_DIR}/fuzz_unwind_corpus)
fuzz_seed(seed_table COMPILE -fasynchronous-unwind-tables LINK -Wl,-s -Wl,--eh-frame-hdr)
fuzz_seed(seed_linear COMPILE -fasynchronous-unwind-tables LINK -Wl,-s -Wl,--no-eh-frame-hdr)
set(debug_frame -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-exceptions -g1)
fuzz_seed(seed_debug COMPILE ${debug_frame})
fuzz_seed(seed_compressed COMPILE ${debug_frame} -gz LINK -gz -Wl,--compress-debug-sections=zlib)
