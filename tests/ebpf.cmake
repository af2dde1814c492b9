# The eBPF observer: its pure parts, and programs watched live (skipped where BPF may not be loaded).
foreach(part wait_table process_tree tables futex flight neighbours)
	classify_unit_test(ebpf_${part} DEPENDS classify_ebpf)
endforeach()
foreach(part waits trees causes loops locks cpu)
	classify_unit_test(ebpf_${part} SOURCES unit/ebpf_live.c unit/ebpf_world.c
		DEPENDS classify_ebpf)
endforeach()
foreach(part disk paging)
	classify_unit_test(ebpf_${part} SOURCES unit/ebpf_live.c unit/ebpf_world.c unit/ebpf_files.c
		DEPENDS classify_ebpf)
endforeach()
