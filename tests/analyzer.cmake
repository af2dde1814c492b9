foreach(test account lecture rules runtime)
	classify_unit_test(${test} SOURCES unit/observation_builder.c DEPENDS classify_analyzer)
endforeach()
