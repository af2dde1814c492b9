classify_unit_test(symbol_names DEPENDS classify_symbols)
classify_unit_test(symbols DEPENDS classify_symbols)

set(SYMBOLS_NAME_SOURCES bpf/symbols/readable_name.c bpf/symbols/jit_name.c)
set(SYMBOLS_MAP_SOURCES bpf/symbols/perf_map.c bpf/symbols/range_map.c analyzer/observation/string_pool.c
	bpf/inspect/pid_numbers.c bpf/inspect/proc_file.c)
classify_fuzz_test(demangle SOURCES ${SYMBOLS_NAME_SOURCES} DEPENDS libiberty)
classify_fuzz_test(perf_map SOURCES ${SYMBOLS_MAP_SOURCES} bpf/symbols/jit_name.c)
classify_fuzz_test(go_table SOURCES bpf/symbols/go_table.c bpf/code/elf_section.c DEPENDS PkgConfig::LIBELF)

# What is changed and broken is small programs of this build.
foreach(version 4 5)
	add_library(fuzz_seed_dwarf${version} SHARED symbols/marks.c)
	target_compile_options(fuzz_seed_dwarf${version} PRIVATE -O2 -gdwarf-${version})
	target_link_options(fuzz_seed_dwarf${version} PRIVATE -nostdlib)
	list(APPEND fuzz_seeds $<TARGET_FILE:fuzz_seed_dwarf${version}>)
endforeach()
classify_fuzz_test(symbols SOURCES ${SYMBOLS_NAME_SOURCES} ${SYMBOLS_MAP_SOURCES}
	bpf/symbols/symbols.c bpf/symbols/symbol_table.c bpf/symbols/debug_file.c
	bpf/symbols/debug_info.c bpf/symbols/debug_entries.c bpf/symbols/debug_names.c
	bpf/symbols/kernel_symbols.c bpf/symbols/go_table.c bpf/code/elf_section.c
	DEPENDS PkgConfig::LIBDW PkgConfig::LIBELF libiberty
	CORPUS ${fuzz_seeds})
add_dependencies(fuzz_symbols fuzz_seed_dwarf4 fuzz_seed_dwarf5)
