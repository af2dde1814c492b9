# Frames of CPython, read from outside of running interpreters.
classify_unit_test(python_merge DEPENDS classify_python)
classify_unit_test(python SOURCES unit/python_script.c DEPENDS classify_python)
if(LIBBPF_FOUND)
	classify_unit_test(ebpf_python SOURCES unit/python_script.c DEPENDS classify_ebpf)
	bpf_skeleton(test_ebpf_python unit/python_walk.bpf.c)
endif()
