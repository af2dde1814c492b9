# Frames of CPython, read from outside of running interpreters.
classify_unit_test(python_merge DEPENDS classify_python)
classify_unit_test(python SOURCES unit/python_script.c DEPENDS classify_python)
if(LIBBPF_FOUND)
	classify_unit_test(ebpf_python SOURCES unit/python_script.c DEPENDS classify_ebpf)
	bpf_skeleton(test_ebpf_python unit/python_walk.bpf.c)
endif()

# What a look at frames reads of a process, as images that a fuzzer changes; record_python_frames
# makes them.
classify_fuzz_test(python SOURCES tests/fuzz/python_image.c bpf/inspect/target_memory.c
	bpf/inspect/pid_numbers.c bpf/inspect/proc_file.c
	bpf/python/memory.c bpf/python/layouts.c bpf/python/strings.c bpf/python/threads.c
	bpf/python/line_table.c bpf/python/code_object.c bpf/python/code_cache.c
	bpf/python/page_cache.c bpf/python/objects.c bpf/python/modules.c bpf/python/coroutines.c
	bpf/python/task_fields.c bpf/python/task_waits.c bpf/python/tasks.c
	bpf/python/thread_names.c)
add_executable(record_python_frames fuzz/record_python_frames.c)
target_link_libraries(record_python_frames PRIVATE classify_python classify_inspect)
classify_warnings(record_python_frames)
