# Tasks of asyncio and names of threads in running interpreters.
classify_unit_test(python_tasks DEPENDS classify_python)

# What is read of a process, as images that a fuzzer changes; record_python_image makes them.
classify_fuzz_test(python_tasks SOURCES tests/fuzz/python_image.c bpf/inspect/target_memory.c
	bpf/inspect/pid_numbers.c bpf/inspect/proc_file.c
	bpf/python/memory.c bpf/python/layouts.c bpf/python/strings.c bpf/python/threads.c
	bpf/python/page_cache.c bpf/python/objects.c bpf/python/modules.c bpf/python/coroutines.c
	bpf/python/task_fields.c bpf/python/task_waits.c bpf/python/tasks.c
	bpf/python/thread_names.c)
add_executable(record_python_image fuzz/record_python_image.c fuzz/python_image.c)
target_compile_definitions(record_python_image PRIVATE _GNU_SOURCE)
target_link_libraries(record_python_image PRIVATE classify_python classify_inspect)
classify_warnings(record_python_image)
classify_unit_test(python_image SOURCES fuzz/python_image.c DEPENDS classify_python)
target_include_directories(test_python_image PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/fuzz)
