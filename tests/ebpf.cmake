# The eBPF observer: its pure parts, and programs watched live (skipped where BPF may not be loaded).
foreach(part wait_table process_tree tables futex flight neighbours)
	classify_unit_test(ebpf_${part} DEPENDS classify_ebpf)
endforeach()
foreach(part table intake)
	classify_unit_test(stack_${part} DEPENDS classify_ebpf)
endforeach()
classify_unit_test(stack_chance DEPENDS classify_ebpf m)
classify_unit_test(program_time DEPENDS classify_ebpf)
classify_unit_test(sample_clock DEPENDS classify_ebpf)
classify_unit_test(ebpf_cost SOURCES unit/work_counter.c DEPENDS classify_ebpf)
foreach(part sockets waits trees causes loops locks cpu peek gil segments stacks handoff)
	classify_unit_test(ebpf_${part} SOURCES unit/ebpf_live.c unit/segment_check.c unit/ebpf_world.c
		DEPENDS classify_ebpf)
endforeach()
# It reads what the worker reads otherwise.
target_include_directories(test_ebpf_stacks SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/bpf/ebpf)
# They take a CPU for themselves for a moment.
set_tests_properties(unit_ebpf_cpu unit_ebpf_handoff PROPERTIES RUN_SERIAL TRUE)
foreach(part disk paging)
	classify_unit_test(ebpf_${part} SOURCES unit/ebpf_live.c unit/segment_check.c unit/ebpf_world.c unit/ebpf_files.c
		DEPENDS classify_ebpf)
endforeach()

# What older kernels would refuse, and this one may not.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
add_test(NAME policy_bpf_stack
	COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/check_bpf_stack.py
		${CMAKE_BINARY_DIR}/bpf/ebpf/probe.bpf.o)
set_tests_properties(policy_bpf_stack PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 60)
