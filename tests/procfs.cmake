find_package(Threads REQUIRED)

classify_unit_test(procfs DEPENDS classify_procfs)
classify_unit_test(procfs_clocks DEPENDS classify_procfs)
classify_unit_test(procfs_live SOURCES unit/procfs_target.c unit/segment_check.c
	DEPENDS classify_procfs Threads::Threads)
# It compares CPU times: alone, so that others don't starve it.
set_tests_properties(unit_procfs_live PROPERTIES RUN_SERIAL TRUE)
