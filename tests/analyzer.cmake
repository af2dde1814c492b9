foreach(test account advice analyze_properties change_points lecture lock_findings loop notes recordings
	polling phases predict rivals roles rules runtime servers)
	classify_unit_test(${test} SOURCES unit/observation_builder.c DEPENDS classify_analyzer)
endforeach()
foreach(test expectation speedup verification)
	classify_unit_test(${test} DEPENDS classify_analyzer)
endforeach()
target_link_options(test_analyze_properties PRIVATE -Wl,--wrap=calloc)
classify_unit_test(analyze_cost SOURCES unit/observation_builder.c unit/work_counter.c
	DEPENDS classify_analyzer)
classify_unit_test(replay DEPENDS classify_replay)
classify_unit_test(replay_properties DEPENDS classify_replay)
# How settled a verdict is.
foreach(test settling spread)
	classify_unit_test(${test} SOURCES unit/observation_builder.c DEPENDS classify_analyzer)
endforeach()
foreach(test explain programs)
	classify_unit_test(${test} SOURCES unit/observation_builder.c unit/stack_builder.c
		DEPENDS classify_analyzer)
endforeach()
